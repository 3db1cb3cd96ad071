/** Tells which identities work on one operation: campaigns, and what becomes of them. */
import { Type } from 'typebox'
import { type Draft, defineOperator, duration, EngineError, to } from '../engine/index.ts'
import { campaignEdges } from '../protocols/clustering/campaign_edges.ts'
import { CAMPAIGN_WEIGHTS, leastInfra } from '../protocols/clustering/campaign_similarity.ts'
import { CampaignSum } from '../protocols/clustering/campaign_sum.ts'
import {
  type Book,
  ClusterBook,
  type MemberState,
  type ParentState,
} from '../protocols/clustering/cluster_book.ts'
import { mergeNews, namedMembers } from '../protocols/clustering/cluster_news.ts'
import { clusterUuid } from '../protocols/clustering/cluster_uuid.ts'
import { disjoint, type IdentityFeatures } from '../protocols/clustering/identity_features.ts'
import { whyNoMethod } from '../protocols/clustering/method.ts'
import { stringSet } from '../protocols/clustering/string_set.ts'
import { PHASES, type Phase } from '../protocols/clustering/ukc_phase.ts'
import { hasIsoForm, isoTime } from '../protocols/iso_time.ts'
import { quote } from '../protocols/quote.ts'

const texts = Type.Array(Type.String({ maxLength: 512 }))
const PhasesOn = Type.Record(
  Type.String({ maxLength: 512 }),
  Type.Object({ phase: Type.Enum([...PHASES] as Phase[]), time: Type.Number() }),
)
const Features = Type.Object({
  asn_cohort: Type.Array(Type.Number()),
  tooling_cohort: texts,
  payload_hashes: texts,
  c2_endpoints: texts,
  decky_set: texts,
  session_windows: Type.Array(Type.Tuple([Type.Number(), Type.Number()])),
  first_on: PhasesOn,
  last_on: PhasesOn,
})
const textsOrNull = Type.Union([texts, Type.Null()])
const textOrNull = Type.Union([Type.String(), Type.Null()])
const weight = (value: number, description: string) =>
  Type.Number({ default: value, minimum: 0, maximum: 1, description })

/** What is told on of an identity. */
type Shown = {
  first_seen_at: string | null
  last_seen_at: string | null
  ja3_hashes: string[] | null
  hassh_hashes: string[] | null
}
type Member = MemberState &
  Shown & {
    /** null: it is part of another one */
    features: IdentityFeatures | null
  }

export const campaignCluster = defineOperator({
  type: 'campaign_cluster',
  summary:
    'Identities of which one takes over a decky from the other, or that share infrastructure, as ' +
    'one campaign; merges of campaigns are soft and are taken back when the evidence for them goes.',
  promise:
    'The components of comparing every pair, at a cost that goes by what changed; exact across ' +
    'restarts for what it still holds. Settling without news tells nothing. An identity beyond ' +
    '`max_keys` (campaigns do not count) or `ttl` is no evidence any more. Where more than 256 distinct sets of payloads and ' +
    'endpoints are half like another, or more than 256 pairs of identities that have two such sets ' +
    'do not support each other, the rest is not looked at. Lists are cut at 256 values; `left_out` ' +
    'says how many more there are.',
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
    handoff: weight(CAMPAIGN_WEIGHTS.handoff, 'Weight of a decky taken over within a day.'),
    infra: weight(CAMPAIGN_WEIGHTS.infra, 'Weight of payloads and endpoints in common.'),
    temporal: weight(CAMPAIGN_WEIGHTS.temporal, 'Weight of being at work at the same time.'),
    cohort: weight(
      CAMPAIGN_WEIGHTS.cohort,
      'Weight of networks, tools and deckies in common. Where it and `temporal` add up to 1, or ' +
        '`handoff` or `infra` is less, every pair is compared, which is slow.',
    ),
  }),
  check({ method }) {
    const why = whyNoMethod(method)
    if (why !== undefined) throw new EngineError('NO_METHOD', `${quote(method)}: ${why}`)
  },
  input: Type.Object({
    identity_uuid: Type.String({ minLength: 1, maxLength: 64 }),
    merged_into_uuid: textOrNull,
    // What its row says that it is linked to, null where to nothing: that is kept, or written again.
    campaign_id: Type.Optional(
      Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Null()]),
    ),
    observation_count: Type.Optional(Type.Integer({ description: 'With 0 it is left out.' })),
    first_seen_at: Type.Optional(textOrNull),
    last_seen_at: Type.Optional(textOrNull),
    ja3_hashes: Type.Optional(textsOrNull),
    hassh_hashes: Type.Optional(textsOrNull),
    features: Features,
  }),
  state: Type.Union([
    Type.Object({
      as: Type.Literal('member'),
      dirty: Type.Boolean(),
      lost: Type.Optional(Type.Boolean()),
      left: Type.Optional(Type.String()),
      parent: textOrNull,
      features: Type.Union([Features, Type.Null()]),
      first_seen_at: textOrNull,
      last_seen_at: textOrNull,
      ja3_hashes: textsOrNull,
      hassh_hashes: textsOrNull,
    }),
    Type.Object({
      as: Type.Literal('parent'),
      merged_into: textOrNull,
      created: Type.Union([Type.Number(), Type.Null()]),
      told: Type.String(),
      told_at: Type.Optional(Type.Number()),
    }),
  ]),
  examples: [
    {
      title: 'Two identities with the same infrastructure',
      yaml: 'type: campaign_cluster\nsettle: 0s\nmax_keys: 100000',
      run: {
        send: [identity(0, 'a'), identity(1000, 'b')],
        expect: [
          { topic: 'campaign.formed', data: { identity_uuids: ['a'] } },
          { topic: 'identity.campaign.assigned', data: { identity_uuid: 'a' } },
          { topic: 'campaign.row', data: { identity_count: 1, c2_endpoints: ['c2.example:443'] } },
          { topic: 'campaign.identity.assigned', data: { identity_uuid: 'b' } },
          { topic: 'identity.campaign.assigned', data: { prior_campaign_uuid: null } },
          { topic: 'campaign.row', data: { identity_count: 2 } },
        ],
      },
    },
  ],
  outputs: () => ['events', 'campaigns'],
  keyed: ({ settle, method: _method, ...families }, context) => {
    const weights = { ...families, threshold: CAMPAIGN_WEIGHTS.threshold }
    if (leastInfra(weights) === undefined) {
      context.log.warn({ node: context.node }, 'with these weights every pair has to be compared')
    }
    const book = new ClusterBook<Member, IdentityFeatures, CampaignSum>({
      kind: 'campaign',
      edges: (graph) => campaignEdges(graph, weights),
      mint: (member) => clusterUuid('campaign', member),
      newMember: () => ({
        as: 'member',
        parent: null,
        dirty: false,
        features: null,
        ...NOTHING_SHOWN,
      }),
      itemOf: ({ features }) => features ?? undefined,
      newSum: () => new CampaignSum(),
    })

    function settled(time: number, engine: Book) {
      const news = book.settle(engine, time)
      // One port for all: between two of them their order would be lost.
      const told = (topic: string, data: Draft['data']) => to('events', { topic, time, data })
      const assigned = (campaign_uuid: string, identity_uuid: string) => ({
        campaign_uuid,
        identity_uuid,
        prior_campaign_uuid: null,
      })
      const member = (campaign: string, id: string) =>
        told('identity.campaign.assigned', assigned(campaign, id))
      const made = [
        ...news.formed.flatMap(({ parent, members }) => [
          told('campaign.formed', {
            campaign_uuid: parent,
            ...namedMembers(members, { list: 'identity_uuids', count: 'identity_count' }),
          }),
          ...members.map((id) => member(parent, id)),
        ]),
        ...news.linked.flatMap(({ parent, member: id }) => [
          told('campaign.identity.assigned', assigned(parent, id)),
          member(parent, id),
        ]),
        ...mergeNews('campaign', news).map(({ topic, data }) => told(topic, data)),
      ]
      const rows = book.rows(engine, news, time, (uuid) => rowOf(uuid, book))
      for (const { row, members, updated } of rows) {
        const data = { ...row, members, updated_at: isoTime(updated) }
        made.push(to('campaigns', { topic: 'campaign.row', time, data }))
      }
      return made
    }

    return {
      key({ data, time }) {
        if (!hasIsoForm(time)) {
          throw new EngineError('EVENT_TIME', 'the event time is outside the years 1 to 9999')
        }
        return book.keyOf(data.identity_uuid)
      },
      init: (key) => book.init(key),
      restored: (states) => book.restored(states as Iterable<[string, Member | ParentState]>),
      dropped: (key) => book.dropped(key),
      isExtra: (key) => book.isParent(key),
      step(state, { data, time }, timers) {
        if (state.as !== 'member') return undefined
        const { identity_uuid, merged_into_uuid, features, campaign_id } = data
        const { first_seen_at = null, last_seen_at = null, observation_count = 1 } = data
        const { ja3_hashes = null, hassh_hashes = null } = data
        const member = {
          // What is part of another identity is told with that one; one of nobody is no evidence.
          features: merged_into_uuid === null && observation_count > 0 ? sorted(features) : null,
          first_seen_at,
          last_seen_at,
          ja3_hashes,
          hassh_hashes,
        }
        const isKnown = JSON.stringify({ ...state, ...member }) === JSON.stringify(state)
        if (isKnown && !book.disagrees(identity_uuid, campaign_id)) {
          context.explain?.('it says nothing new of the identity')
          return undefined
        }
        Object.assign(state, member)
        book.changed(identity_uuid, campaign_id)
        context.explain?.(`news of the identity, settled within ${settle / 1000} s`)
        if (settle === 0) return settled(time, timers)
        timers.at((Math.floor(timers.now() / settle) + 1) * settle)
        return undefined
      },
      onTimer: (_state, time, _key, timers) => settled(time, timers),
    }
  },
})

const NOTHING_SHOWN: Shown = {
  first_seen_at: null,
  last_seen_at: null,
  ja3_hashes: null,
  hassh_hashes: null,
}

/** Sets come sorted from our own; from elsewhere they need not, and are compared as sorted ones. */
const sorted = (features: IdentityFeatures): IdentityFeatures => ({
  ...features,
  tooling_cohort: stringSet(features.tooling_cohort),
  payload_hashes: stringSet(features.payload_hashes),
  c2_endpoints: stringSet(features.c2_endpoints),
  decky_set: stringSet(features.decky_set),
  session_windows: disjoint(features.session_windows),
})

/** What is stored of a campaign. */
function rowOf(uuid: string, book: ClusterBook<Member, IdentityFeatures, CampaignSum>) {
  const parent = book.parent(uuid)
  if (!parent || parent.created === null) return undefined
  const { own, all } = book.sumsOf(uuid)
  const sum = parent.merged_into === null ? all : own
  const { count, first = null, last = null } = sum.span
  const lists = sum.lists()
  const listed = (values: readonly string[]) => (values.length > 0 ? values : null)
  return {
    campaign_uuid: uuid,
    schema_version: 1,
    merged_into_uuid: parent.merged_into,
    first_seen_at: first,
    last_seen_at: last,
    created_at: isoTime(parent.created),
    identity_count: count,
    ja3_hashes: listed(lists.ja3),
    hassh_hashes: listed(lists.hassh),
    payload_simhashes: listed(lists.payloads),
    c2_endpoints: listed(lists.endpoints),
    left_out: lists.left_out,
  }
}

/** An identity for the examples. */
function identity(time: number, identity_uuid: string) {
  const features = {
    asn_cohort: [],
    tooling_cohort: [],
    payload_hashes: [],
    c2_endpoints: ['c2.example:443'],
    decky_set: [],
    session_windows: [],
    first_on: {},
    last_on: {},
  }
  return { time, data: { identity_uuid, merged_into_uuid: null, features } }
}
