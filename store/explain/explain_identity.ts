/** Why some addresses are taken for one pair of hands. */
import { findCuts } from '../../protocols/clustering/graph_cuts.ts'
import {
  type SharedValue,
  sharedGraph,
  sharedValues,
} from '../../protocols/clustering/shared_values.ts'
import type { Database, Row } from '../database.ts'
import { edgesOf, partners } from './identity_edges.ts'
import type {
  IdentityExplanation,
  LinkExplained,
  ObservationExplained,
  SharedExplained,
} from './identity_explanation.ts'
import { type Bounds, Learner, listed } from './learner.ts'
import { loadAddresses, type MemberAddress, memberUuids } from './members.ts'
import { canonicalOf, mergedInto } from './merge_tree.ts'
import { doubtsOf, piecesOf } from './pieces.ts'
import { isoOf, isoOrNull } from './sightings.ts'

/** Links of one value that are told. */
const MAX_LINKS = 8

/** @param row of the table attacker_identities */
export async function explainIdentity(
  database: Database,
  row: Row,
  bounds: Bounds,
): Promise<IdentityExplanation> {
  const asked = String(row.uuid)
  const uuid = await canonicalOf(database, 'attacker_identities', asked)
  const [canonical = row] = await database.select(
    'select * from attacker_identities where uuid = ?',
    [uuid],
  )
  const merged = await mergedInto(database, 'attacker_identities', uuid)
  const uuids = await memberUuids(database, 'attacker_identities', merged)
  const members = await loadAddresses(database, uuids, { whole: false })
  const all = members.map(({ observation }) => observation)
  const values = sharedValues(all)
  const graph = sharedGraph(all.length, values)
  const cuts = findCuts(graph.weights, graph.links)
  const pieces = piecesOf(
    members.map(({ given }) => given),
    (member) => cuts.pieces[member] as number,
    merged,
  )

  const bridgesOf = new Map<number, Map<number | undefined, readonly [number, number]>>()
  for (const [link, sides] of cuts.bridges) {
    const { value, holder } = graph.meaning[link] as (typeof graph.meaning)[number]
    const known = bridgesOf.get(value) ?? new Map()
    bridgesOf.set(value, known.set(holder, sides))
  }
  const withoutOf = (value: number): readonly number[] | undefined => {
    const node = graph.nodes[value]
    return node === undefined ? bridgesOf.get(value)?.get(undefined) : cuts.cutNodes.get(node)
  }
  const order = values
    .map((_, value) => value)
    .sort(
      (a, b) =>
        Number(withoutOf(b) !== undefined) - Number(withoutOf(a) !== undefined) ||
        (values[b] as SharedValue).holders.length - (values[a] as SharedValue).holders.length ||
        a - b,
    )
  const bySeen = (a: number, b: number) =>
    (members[a] as MemberAddress).first_seen - (members[b] as MemberAddress).first_seen || a - b
  const chosen = order.slice(0, bounds.limit).map((value) => {
    const { holders } = values[value] as SharedValue
    const bridges = bridgesOf.get(value)
    const isBridge = (holder: number) => bridges?.has(holder) || bridges?.has(undefined) || false
    const sorted = [...holders].sort(
      (a, b) => Number(isBridge(b)) - Number(isBridge(a)) || bySeen(a, b),
    )
    return { value, bridges, holders: sorted.slice(0, Math.min(MAX_LINKS, bounds.limit)) }
  })

  const learner = new Learner()
  for (const { value, holders } of chosen) {
    const { kind, value: text } = values[value] as SharedValue
    for (const holder of holders) learner.want((members[holder] as MemberAddress).ip, kind, text)
  }
  const records = await learner.read(database, bounds)
  const shared = chosen.map(({ value, bridges, holders }): SharedExplained => {
    const { kind, value: text, holders: every, apart, pivot } = values[value] as SharedValue
    return {
      kind,
      value: text,
      holders: every.length,
      apart,
      by_way_of: pivot === undefined ? null : (members[pivot] as MemberAddress).ip,
      without: withoutOf(value) ?? null,
      links: {
        total: every.length,
        shown: holders
          .map((holder): LinkExplained => {
            const { uuid: address, ip } = members[holder] as MemberAddress
            const bridge = bridges?.get(holder) ?? bridges?.get(undefined) ?? null
            return { uuid: address, ip, bridge, behind: learner.of(ip, kind, text) }
          })
          .sort(bridgesFirst),
      },
    }
  })
  const pairs = partners(all, chosen, values, bySeen).map(([a, b]): [number, number] =>
    bySeen(a, b) <= 0 ? [a, b] : [b, a],
  )
  const observations = members.map((_, member) => member).sort(bySeen)
  return {
    subject: 'identity',
    asked,
    uuid,
    campaign: canonical.campaign_id == null ? null : String(canonical.campaign_id),
    first_seen: isoOrNull(least(members.map(({ first_seen }) => first_seen))),
    last_seen: isoOrNull(greatest(members.map(({ last_seen }) => last_seen))),
    formed: isoOf(canonical.created_at),
    merged: listed(pieces.merged, bounds.limit),
    observations: {
      total: members.length,
      shown: observations
        .slice(0, bounds.limit)
        .map((member) => observed(members[member] as MemberAddress, pieces.isMain[member] ?? true)),
    },
    shared: { total: values.length, shown: shared },
    edges: {
      total: pairs.length,
      shown: await edgesOf(database, members, pairs.slice(0, bounds.limit), values),
    },
    bridges: cuts.bridges.size,
    pieces: listed(pieces.sizes, bounds.limit),
    doubts: doubtsOf(pieces.sizes, pieces.merged, records),
    records,
  }
}

/** Then by when it was learnt; what nobody can tell any more comes last. */
function bridgesFirst(a: LinkExplained, b: LinkExplained): number {
  const since = ({ behind }: LinkExplained) => behind?.first.time ?? '~'
  const order = Number(b.bridge !== null) - Number(a.bridge !== null)
  return order || (since(a) < since(b) ? -1 : since(a) > since(b) ? 1 : 0)
}

const observed = (member: MemberAddress, holds: boolean): ObservationExplained => ({
  uuid: member.uuid,
  ip: member.ip,
  given: member.given,
  first_seen: isoOf(member.first_seen),
  last_seen: isoOf(member.last_seen),
  event_count: member.event_count,
  ja3: member.observation.ja3,
  hassh: member.observation.hassh,
  payloads: member.observation.payload_hashes.length,
  c2_endpoints: member.observation.c2_endpoints.length,
  holds,
})

const least = (numbers: readonly number[]): number | null =>
  numbers.length === 0 ? null : numbers.reduce((a, b) => Math.min(a, b))
const greatest = (numbers: readonly number[]): number | null =>
  numbers.length === 0 ? null : numbers.reduce((a, b) => Math.max(a, b))
