/** Why some identities are taken for one operation. */
import {
  type CampaignPair,
  campaignPairs,
  type Handoff,
  type SameSet,
} from '../../protocols/clustering/campaign_pairs.ts'
import {
  CAMPAIGN_WEIGHTS,
  type FamilyScores,
} from '../../protocols/clustering/campaign_similarity.ts'
import { findCuts } from '../../protocols/clustering/graph_cuts.ts'
import type { PhaseAt } from '../../protocols/clustering/identity_features.ts'
import { type FactKind, phaseOn } from '../../protocols/record_facts.ts'
import type { Database, Row } from '../database.ts'
import { doubtsOf } from './explain_identity.ts'
import { type Bounds, Learner, type Listed, listed, type RecordsRead } from './learner.ts'
import { loadIdentities, type MemberIdentity, memberUuids } from './members.ts'
import { canonicalOf, mergedInto } from './merge_tree.ts'
import { type MergedCluster, piecesOf } from './pieces.ts'
import { type Behind, isoOf, isoOrNull } from './sightings.ts'
import { type Source, sourcesOf } from './sources.ts'

/** JSON. Every text in it may be an attacker's; times are ISO. */
export interface CampaignExplanation {
  readonly subject: 'campaign'
  readonly asked: string
  readonly uuid: string
  readonly first_seen: string | null
  readonly last_seen: string | null
  readonly formed: string
  readonly merged: Listed<MergedCluster>
  /** by first contact */
  readonly identities: Listed<IdentityMember>
  /** pairs that are an edge, those that hold the campaign together first */
  readonly edges: Listed<CampaignEdge>
  /** three identities or more with the same payloads and endpoints */
  readonly same: Listed<SameInfra>
  /** links without which the campaign falls apart; null: too much to compare everything */
  readonly bridges: number | null
  /** how many identities still hang together, the greatest piece first; null: likewise */
  readonly pieces: Listed<number> | null
  readonly doubts: readonly string[]
  readonly records: RecordsRead
}

export interface IdentityMember {
  readonly uuid: string
  readonly given: string
  readonly first_seen: string | null
  readonly last_seen: string | null
  readonly observations: number
  readonly deckies: number
  readonly payloads: number
  readonly c2_endpoints: number
  /** false: nothing joins it to the others any more, and a link is never taken back */
  readonly holds: boolean
}

export interface CampaignEdge {
  readonly a: string
  readonly b: string
  readonly scores: FamilyScores
  readonly weight: number
  readonly threshold: number
  /** without it the campaign falls apart, into as many identities on either side */
  readonly bridge: readonly [number, number] | null
  readonly handoffs: Listed<HandoffExplained>
  readonly shared: Listed<SharedInfra>
  /** ms for which both were at work */
  readonly overlap_ms: number
}

export interface HandoffExplained {
  readonly decky: string
  readonly from: string
  readonly to: string
  readonly left: Turn
  readonly taken: Turn
  readonly gap_ms: number
}

/** What one did last, or another first, on a decky. */
export interface Turn {
  readonly phase: string
  readonly time: string
  readonly ip: string | null
  readonly behind: Behind | null
}

export interface SharedInfra {
  readonly kind: 'payload' | 'c2'
  readonly value: string
  readonly holders: readonly Held[]
}

/** Whom it was first learnt of, and from what. */
export interface Held {
  readonly identity: string
  readonly ip: string | null
  readonly behind: Behind | null
}

export interface SameInfra {
  readonly holders: number
  /** how many identities are in each part without it; null: it does not fall apart */
  readonly without: readonly number[] | null
  readonly shared: Listed<SharedInfra>
}

/** Pairs that are compared. */
const MAX_PAIRS = 50_000
/** Values, handoffs and holders told of one edge. */
const MAX_PER_EDGE = 4

/** @param row of the table campaigns */
export async function explainCampaign(
  database: Database,
  row: Row,
  bounds: Bounds,
): Promise<CampaignExplanation> {
  const asked = String(row.uuid)
  const uuid = await canonicalOf(database, 'campaigns', asked)
  const [canonical = row] = await database.select('select * from campaigns where uuid = ?', [uuid])
  const merged = await mergedInto(database, 'campaigns', uuid)
  const given = await loadIdentities(database, await memberUuids(database, 'campaigns', merged))
  // What is part of another identity is compared with that one.
  const members = given.filter((member) => !member.merged)
  const { pairs, sets, complete } = campaignPairs(
    members.map(({ features }) => features),
    MAX_PAIRS,
  )
  const links: [number, number][] = pairs.map(({ a, b }) => [a, b])
  const weights = members.map(() => 1)
  const nodes = sets.map(({ holders }) => {
    const node = weights.push(0) - 1
    for (const holder of holders) links.push([holder, node])
    return node
  })
  const cuts = findCuts(weights, links)
  const pieces = piecesOf(
    members.map((member) => member.given),
    // What was not compared may join any two.
    (member) => (complete ? (cuts.pieces[member] as number) : 0),
    merged,
  )
  const mergedClusters = pieces.merged.map((one) => (complete ? one : { ...one, holds: null }))
  const bridge = (pair: number) => (complete ? (cuts.bridges.get(pair) ?? null) : null)
  const order = pairs
    .map((_, pair) => pair)
    .sort((a, b) => Number(bridge(b) !== null) - Number(bridge(a) !== null) || a - b)
    .slice(0, bounds.limit)
  const without = (set: number) => (complete && cuts.cutNodes.get(nodes[set] as number)) || null
  const shownSets = sets
    .map((_, set) => set)
    .sort((a, b) => Number(without(b) !== null) - Number(without(a) !== null) || a - b)
    .slice(0, bounds.limit)

  const evidence = await gather(
    database,
    members,
    order.map((pair) => pairs[pair] as CampaignPair),
    shownSets.map((set) => sets[set] as SameSet),
    bounds,
  )
  const seen = (member: MemberIdentity) => member.first_seen ?? Number.POSITIVE_INFINITY
  const sorted = members
    .map((member, index) => ({ member, holds: pieces.isMain[index] ?? true }))
    .sort((a, b) => seen(a.member) - seen(b.member) || (a.member.uuid < b.member.uuid ? -1 : 1))
  const doubts = doubtsOf(pieces.sizes, mergedClusters, evidence.records)
  const absorbed = given.length - members.length
  if (absorbed > 0) {
    const who = absorbed === 1 ? '1 of its identities has' : `${absorbed} of its identities have`
    doubts.push(`${who} become part of other identities, which may be of other campaigns`)
  }
  if (!complete)
    doubts.push(
      'there is too much to compare all of it: no bridges are told, and nothing of its pieces',
    )
  return {
    subject: 'campaign',
    asked,
    uuid,
    first_seen: isoOrNull(
      members
        .map(seen)
        .filter(Number.isFinite)
        .sort((a, b) => a - b)[0],
    ),
    last_seen: isoOrNull(
      members.flatMap(({ last_seen }) => last_seen ?? []).sort((a, b) => b - a)[0],
    ),
    formed: isoOf(canonical.created_at),
    merged: listed(mergedClusters, bounds.limit),
    identities: {
      total: members.length,
      shown: sorted.slice(0, bounds.limit).map(({ member, holds }) => memberOf(member, holds)),
    },
    edges: {
      total: pairs.length,
      shown: order.map((pair) => evidence.edge(pairs[pair] as CampaignPair, bridge(pair))),
    },
    same: {
      total: sets.length,
      shown: shownSets.map((set) => evidence.same(sets[set] as SameSet, without(set))),
    },
    bridges: complete ? cuts.bridges.size : null,
    pieces: complete ? listed(pieces.sizes, bounds.limit) : null,
    doubts,
    records: evidence.records,
  }
}

const memberOf = (member: MemberIdentity, holds: boolean): IdentityMember => ({
  uuid: member.uuid,
  given: member.given,
  first_seen: isoOrNull(member.first_seen),
  last_seen: isoOrNull(member.last_seen),
  observations: member.observation_count,
  deckies: member.features.decky_set.length,
  payloads: member.features.payload_hashes.length,
  c2_endpoints: member.features.c2_endpoints.length,
  holds,
})

/** Looks up what the edges that are told are made of. */
async function gather(
  database: Database,
  members: readonly MemberIdentity[],
  pairs: readonly CampaignPair[],
  sets: readonly SameSet[],
  bounds: Bounds,
) {
  const learner = new Learner()
  const most = Math.min(MAX_PER_EDGE, bounds.limit)
  const involved = new Set([
    ...pairs.flatMap(({ a, b }) => [a, b]),
    ...sets.flatMap(({ holders }) => holders.slice(0, most)),
  ])
  const sources = await sourcesOf(
    database,
    [...involved].map((member) => (members[member] as MemberIdentity).uuid),
  )
  const uuidOf = (member: number) => (members[member] as MemberIdentity).uuid
  const addressOf = (
    member: number,
    kind: FactKind,
    has: (source: Source) => boolean,
    value: string,
  ) => {
    const ip = sources.get(uuidOf(member))?.find(has)?.ip ?? null
    if (ip !== null) learner.want(ip, kind, value)
    return ip
  }
  const infra = ({ payload_hashes, c2_endpoints }: SameSet | CampaignPair) => [
    ...payload_hashes.map((value) => ({ kind: 'payload', value }) as const),
    ...c2_endpoints.map((value) => ({ kind: 'c2', value }) as const),
  ]
  const held = (member: number, kind: 'payload' | 'c2', value: string) => {
    const ip = addressOf(member, kind, (source) => source[kind].includes(value), value)
    return (): Held => ({
      identity: uuidOf(member),
      ip,
      behind: ip === null ? null : learner.of(ip, kind, value),
    })
  }
  const shared = (of: SameSet | CampaignPair, holders: readonly number[]) => {
    const all = infra(of)
    const shown = all.slice(0, most).map(({ kind, value }) => {
      const those = holders.slice(0, most).map((holder) => held(holder, kind, value))
      return (): SharedInfra => ({ kind, value, holders: those.map((tell) => tell()) })
    })
    return (): Listed<SharedInfra> => ({
      total: all.length,
      shown: shown.map((tell) => tell()),
    })
  }
  const turn = (member: number, decky: string, { phase, time }: PhaseAt, end: boolean) => {
    const value = phaseOn(phase, decky)
    const isTurn = ({ visits }: Source) =>
      visits.some((visit) => {
        const at = end ? visit.end : visit.start
        return visit.decky === decky && visit.phase === phase && at === time
      })
    const ip = addressOf(member, 'phase', isTurn, value)
    return (): Turn => ({
      phase,
      time: isoOf(time * 1000),
      ip,
      behind: ip === null ? null : learner.of(ip, 'phase', value),
    })
  }
  const handoff = ({ decky, from, to, left, taken }: Handoff) => {
    const tellLeft = turn(from, decky, left, true)
    const tellTaken = turn(to, decky, taken, false)
    return (): HandoffExplained => ({
      decky,
      from: uuidOf(from),
      to: uuidOf(to),
      left: tellLeft(),
      taken: tellTaken(),
      gap_ms: taken.time - left.time,
    })
  }
  const edges = new Map(
    pairs.map((pair) => [
      pair,
      {
        handoffs: pair.handoffs.slice(0, most).map(handoff),
        shared: shared(pair, [pair.a, pair.b]),
      },
    ]),
  )
  const same = new Map(sets.map((set) => [set, shared(set, set.holders)]))
  const records = await learner.read(database, bounds)
  return {
    records,
    edge(pair: CampaignPair, bridge: readonly [number, number] | null): CampaignEdge {
      const told = edges.get(pair)
      return {
        a: uuidOf(pair.a),
        b: uuidOf(pair.b),
        scores: pair.scores,
        weight: pair.weight,
        threshold: CAMPAIGN_WEIGHTS.threshold,
        bridge,
        handoffs: {
          total: pair.handoffs.length,
          shown: told?.handoffs.map((tell) => tell()) ?? [],
        },
        shared: told?.shared() ?? { total: 0, shown: [] },
        overlap_ms: pair.overlap_ms,
      }
    },
    same: (set: SameSet, without: readonly number[] | null): SameInfra => ({
      holders: set.holders.length,
      without,
      shared: same.get(set)?.() ?? { total: 0, shown: [] },
    }),
  }
}
