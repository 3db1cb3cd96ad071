/** Why some identities are taken for one operation. */
import {
  type CampaignPair,
  campaignPairs,
  type SameSet,
} from '../../protocols/clustering/campaign_pairs.ts'
import { findCuts } from '../../protocols/clustering/graph_cuts.ts'
import type { Database, Row } from '../database.ts'
import { gather } from './campaign_evidence.ts'
import type { CampaignExplanation, IdentityMember } from './campaign_explanation.ts'
import { type Bounds, listed } from './learner.ts'
import { loadIdentities, type MemberIdentity, memberUuids } from './members.ts'
import { canonicalOf, mergedInto } from './merge_tree.ts'
import { doubtsOf, piecesOf } from './pieces.ts'
import { isoOf, isoOrNull } from './sightings.ts'

/** Pairs that are compared. */
const MAX_PAIRS = 50_000

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
