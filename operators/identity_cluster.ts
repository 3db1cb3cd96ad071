/** Tells which addresses are the same hands: identities, and what becomes of them. */
import { Type } from 'typebox'
import { type Draft, defineOperator, duration, EngineError, to } from '../engine/index.ts'
import {
  ClusterBook,
  type MemberState,
  type ParentState,
} from '../protocols/clustering/cluster_book.ts'
import { clusterUuid } from '../protocols/clustering/cluster_uuid.ts'
import { type EdgeGraph, PairwiseEdges } from '../protocols/clustering/edge_maker.ts'
import { readFingerprints } from '../protocols/clustering/fingerprint_entries.ts'
import { IdentityEdges, type IsPopular } from '../protocols/clustering/identity_edges.ts'
import type { SessionSpan } from '../protocols/clustering/identity_features.ts'
import {
  highTierDecides,
  IDENTITY_WEIGHTS,
  identityWeight,
} from '../protocols/clustering/identity_similarity.ts'
import { IdentitySum } from '../protocols/clustering/identity_sum.ts'
import { membersTaken } from '../protocols/clustering/members_taken.ts'
import { whyNoMethod } from '../protocols/clustering/method.ts'
import { type Observation, observationOf } from '../protocols/clustering/observation.ts'
import { PopularValues } from '../protocols/clustering/popular_values.ts'
import { stringSet } from '../protocols/clustering/string_set.ts'
import { isPhase } from '../protocols/clustering/ukc_phase.ts'
import { formatIsoMicros, isoMicros } from '../protocols/iso_time.ts'
import { quote } from '../protocols/quote.ts'

const text = Type.String({ minLength: 1, maxLength: 512 })
const texts = Type.Array(text, { maxItems: 1024 })
const secret = Type.String({ maxLength: 512 })
const weight = (value: number, description: string) =>
  Type.Number({ default: value, minimum: 0, maximum: 1, description })

type Member = MemberState & {
  observation: Observation | null
  ja3: string[]
  hassh: string[]
  /** µs */
  first: number
  last: number
  sessions: SessionSpan[]
}

export const identityCluster = defineOperator({
  type: 'identity_cluster',
  summary:
    'Addresses with equal fingerprints, or with a payload or C2 endpoint in common that no ' +
    'fingerprint speaks against, as one identity; merges of identities are soft and are taken back ' +
    'when the evidence for them goes.',
  promise:
    'The components of comparing every pair, at a cost that goes by what changed; exact across ' +
    'restarts for what it still holds. Settling without news tells nothing. An address beyond ' +
    '`max_keys` or `ttl` is no evidence any more, and new when it comes back. Lists are cut at 256 ' +
    'values (of times, the latest); `left_out` says how many more there are.',
  config: Type.Object({
    settle: duration({
      default: '1s',
      description: 'News is gathered for as long before it is settled; 0s settles each event.',
    }),
    method: Type.String({
      default: 'connected_components',
      maxLength: 64,
      description: 'How to cluster; `connected_components` is what there is.',
    }),
    high: weight(IDENTITY_WEIGHTS.high, 'Weight of fingerprints, payloads and endpoints.'),
    medium: weight(IDENTITY_WEIGHTS.medium, 'Weight of the commands of a phase.'),
    low: weight(IDENTITY_WEIGHTS.low, 'Weight of credentials.'),
    very_low: weight(
      IDENTITY_WEIGHTS.very_low,
      'Weight of the network. Where it, `medium` and `low` add up to 1, or `high` is less, every ' +
        'pair is compared, which is slow.',
    ),
    popular: Type.Optional(
      Type.Object(
        {
          holders: Type.Integer({
            minimum: 1,
            description: 'Addresses that may have a value before it is no evidence any more.',
          }),
        },
        {
          description:
            'Guards against what half the Internet shares: a fingerprint, payload or endpoint that ' +
            'more addresses have joins none of them, as long as that is so. Off by default. ' +
            'Fingerprints that differ still speak against a payload in common.',
        },
      ),
    ),
  }),
  check({ method }) {
    const why = whyNoMethod(method)
    if (why !== undefined) throw new EngineError('NO_METHOD', `${quote(method)}: ${why}`)
  },
  input: Type.Object({
    attacker_uuid: Type.String({ minLength: 1, maxLength: 64 }),
    // Not to be left out: news that says nothing of them would take away what they are evidence for.
    fingerprints: Type.Unknown({ description: 'List of entries, or its JSON text; null: none.' }),
    // What it was linked to before, for a clusterer that has lost its state: that is kept.
    identity_id: Type.Optional(
      Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Null()]),
    ),
    asn: Type.Optional(Type.Union([Type.Integer(), Type.Null()])),
    payload_hashes: Type.Optional(texts),
    c2_endpoints: Type.Optional(texts),
    credentials: Type.Optional(Type.Array(Type.Tuple([secret, secret]), { maxItems: 1024 })),
    commands_by_phase: Type.Optional(Type.Record(Type.String(), texts, { maxProperties: 64 })),
    first_seen: Type.Optional(Type.String()),
    last_seen: Type.Optional(Type.String()),
    sessions: Type.Optional(
      Type.Array(
        Type.Object({
          decky: text,
          phase: Type.String(),
          started_at: Type.Number(),
          duration_s: Type.Number(),
        }),
        { maxItems: 1024 },
      ),
    ),
  }),
  state: Type.Union([
    Type.Object({
      as: Type.Literal('member'),
      dirty: Type.Boolean(),
      parent: Type.Union([Type.String(), Type.Null()]),
      observation: Type.Unsafe<Observation | null>(Type.Unknown()),
      ja3: Type.Array(Type.String()),
      hassh: Type.Array(Type.String()),
      first: Type.Number(),
      last: Type.Number(),
      sessions: Type.Unsafe<SessionSpan[]>(Type.Array(Type.Unknown())),
    }),
    Type.Object({
      as: Type.Literal('parent'),
      merged_into: Type.Union([Type.String(), Type.Null()]),
      created: Type.Union([Type.Number(), Type.Null()]),
      told: Type.String(),
    }),
  ]),
  examples: [
    {
      title: 'Two addresses with one tool, and one with another',
      yaml: 'type: identity_cluster\nsettle: 0s\nmax_keys: 200000',
      run: {
        send: [
          seen(0, 'a', { fingerprints: [{ kind: 'ja3', hash: 'x' }] }),
          seen(1000, 'b', { fingerprints: [{ kind: 'ja3', hash: 'x' }] }),
        ],
        expect: [
          { topic: 'identity.formed', data: { observation_uuids: ['a'] } },
          { topic: 'identity.row', data: { observation_count: 1, ja3_hashes: ['x'] } },
          { topic: 'identity.observation.linked', data: { observation_uuid: 'b' } },
          { topic: 'identity.row', time: 1000, data: { observation_count: 2 } },
        ],
      },
    },
  ],
  outputs: () => ['events', 'identities'],
  keyed: ({ settle, method: _method, popular, ...tiers }, context) => {
    const weights = { ...tiers, threshold: IDENTITY_WEIGHTS.threshold }
    const isExact = highTierDecides(weights)
    if (!isExact) {
      context.log.warn({ node: context.node }, 'with these weights every pair has to be compared')
    }
    const edgesIn = (graph: EdgeGraph) => (isPopular?: IsPopular) =>
      isExact
        ? new IdentityEdges(graph, isPopular)
        : new PairwiseEdges<Observation>(
            graph,
            (a, b) => identityWeight(a, b, weights, isPopular) >= weights.threshold,
          )
    const book = new ClusterBook<Member, Observation, IdentitySum>({
      kind: 'identity',
      edges: (graph) =>
        popular ? new PopularValues(popular.holders, edgesIn(graph)) : edgesIn(graph)(),
      mint: (member) => clusterUuid('identity', member),
      newMember: () => ({
        as: 'member',
        parent: null,
        dirty: false,
        observation: null,
        ja3: [],
        hassh: [],
        first: 0,
        last: 0,
        sessions: [],
      }),
      itemOf: ({ observation }) => observation ?? undefined,
      newSum: () => new IdentitySum(),
    })

    function settled(time: number, engine: { open(key: string): unknown }) {
      const news = book.settle(engine, time)
      // One port for all: between two of them their order would be lost.
      const told = (topic: string, data: Draft['data']) => to('events', { topic, time, data })
      const made = [
        ...news.formed.map(({ parent, members }) =>
          told('identity.formed', { identity_uuid: parent, observation_uuids: members }),
        ),
        ...news.linked.map(({ parent, member }) =>
          told('identity.observation.linked', { identity_uuid: parent, observation_uuid: member }),
        ),
        ...news.unmerged.map(({ parent, former }) =>
          told('identity.unmerged', { resurrected_uuid: parent, former_winner_uuid: former }),
        ),
        ...news.merged.map(({ winner, loser }) =>
          told('identity.merged', { winner_uuid: winner, loser_uuid: loser }),
        ),
      ]
      const pointed = news.repointed.map(({ parent }) => parent)
      const taken = membersTaken(news)
      const all = pointed.length === 0 ? news.touched : [...new Set([...news.touched, ...pointed])]
      for (const uuid of all.toSorted()) {
        const row = rowOf(uuid, book)
        const members = taken.get(uuid) ?? []
        if (!row || (!book.tell(engine, uuid, row) && members.length === 0)) continue
        const data = { ...row, members, updated_at: isoTime(time) }
        made.push(to('identities', { topic: 'identity.row', time, data }))
      }
      return made
    }

    return {
      key({ data, time }) {
        if (!(time >= EARLIEST && time <= LATEST)) {
          throw new EngineError('EVENT_TIME', 'the event time is outside the years 1 to 9999')
        }
        return book.keyOf(data.attacker_uuid)
      },
      init: (key) => book.init(key),
      restored: (states) => book.restored(states as Iterable<[string, Member | ParentState]>),
      dropped: (key) => book.dropped(key),
      step(state, { data, time }, timers) {
        if (state.as !== 'member') return undefined
        const values = readFingerprints(data.fingerprints)
        const { attacker_uuid, first_seen, last_seen, sessions = [], identity_id = null } = data
        const member = {
          parent: state.parent ?? identity_id,
          observation: observationOf(data, values),
          ja3: stringSet(values.ja3),
          hassh: stringSet(values.hassh),
          first: micros(first_seen, time),
          last: micros(last_seen, time),
          sessions: sessions.flatMap(({ decky, phase, started_at: start, duration_s }) => {
            const end = start + Math.round(duration_s * 1000)
            // What overflows is no JSON.
            return isPhase(phase) && Number.isFinite(end) ? [{ decky, phase, start, end }] : []
          }),
        }
        const isKnown = state.observation !== null
        if (isKnown && JSON.stringify({ ...state, ...member }) === JSON.stringify(state)) {
          context.explain?.('it says nothing new of the address')
          return undefined
        }
        Object.assign(state, member)
        book.changed(attacker_uuid)
        context.explain?.(`news of the address, settled within ${settle / 1000} s`)
        if (settle === 0) return settled(time, timers)
        timers.at((Math.floor(timers.now() / settle) + 1) * settle)
        return undefined
      },
      onTimer: (_state, time, _key, timers) => settled(time, timers),
    }
  },
})

/** What is stored of an identity, and what the campaign layer compares it by. */
function rowOf(uuid: string, book: ClusterBook<Member, Observation, IdentitySum>) {
  const parent = book.parent(uuid)
  if (!parent || parent.created === null) return undefined
  const { own, all } = book.sumsOf(uuid)
  const { count, first, last } = own.span
  // The winner speaks for all; what a loser said last is not wrong, only no longer kept up.
  const { ja3, hassh, features, left_out } = (parent.merged_into === null ? all : own).lists()
  const listed = (values: readonly string[]) => (values.length > 0 ? values : null)
  return {
    identity_uuid: uuid,
    schema_version: 1,
    merged_into_uuid: parent.merged_into,
    first_seen_at: first === undefined ? null : formatIsoMicros(first),
    last_seen_at: last === undefined ? null : formatIsoMicros(last),
    created_at: isoTime(parent.created),
    observation_count: count,
    ja3_hashes: listed(ja3),
    hassh_hashes: listed(hassh),
    payload_simhashes: listed(features.payload_hashes),
    c2_endpoints: listed(features.c2_endpoints),
    left_out,
    features,
  }
}

const isoTime = (time: number): string => formatIsoMicros(Math.round(time * 1000))

/** µs; of the event where the text is no time. */
function micros(iso: string | undefined, time: number): number {
  const value = iso === undefined ? Number.NaN : isoMicros(iso)
  return Number.isSafeInteger(value) ? value : Math.round(time * 1000)
}

/** Years 1 to 9999, ms: what is earlier or later has no ISO form. */
const EARLIEST = -62_135_596_800_000
const LATEST = 253_402_300_799_999

/** An attacker's row for the examples. */
function seen(time: number, attacker_uuid: string, more: object) {
  return { time, data: { attacker_uuid, ...more } }
}
