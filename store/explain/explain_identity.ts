/** Why some addresses are taken for one pair of hands. */
import { findCuts } from '../../protocols/clustering/graph_cuts.ts'
import {
  IDENTITY_WEIGHTS,
  identityWeight,
  type TierScores,
  tierScores,
} from '../../protocols/clustering/identity_similarity.ts'
import type { Observation } from '../../protocols/clustering/observation.ts'
import {
  type SharedKind,
  type SharedValue,
  sharedGraph,
  sharedValues,
} from '../../protocols/clustering/shared_values.ts'
import type { Database, Row } from '../database.ts'
import { type Bounds, Learner, type Listed, listed, type RecordsRead } from './learner.ts'
import { loadAddresses, type MemberAddress, memberUuids } from './members.ts'
import { canonicalOf, mergedInto } from './merge_tree.ts'
import { type MergedCluster, piecesOf } from './pieces.ts'
import { type Behind, isoOf, isoOrNull } from './sightings.ts'

/** JSON. Every text in it may be an attacker's; times are ISO. */
export interface IdentityExplanation {
  readonly subject: 'identity'
  /** the one that was asked for, and the one that stands for it now */
  readonly asked: string
  readonly uuid: string
  readonly campaign: string | null
  readonly first_seen: string | null
  readonly last_seen: string | null
  readonly formed: string
  readonly merged: Listed<MergedCluster>
  /** by first contact */
  readonly observations: Listed<ObservationExplained>
  /** those that hold it together first, then by how many share them */
  readonly shared: Listed<SharedExplained>
  readonly edges: Listed<EdgeExplained>
  /** links without which the identity falls apart */
  readonly bridges: number
  /** how many addresses still hang together, the greatest piece first */
  readonly pieces: Listed<number>
  readonly doubts: readonly string[]
  readonly records: RecordsRead
}

export interface ObservationExplained {
  readonly uuid: string
  readonly ip: string
  readonly given: string
  readonly first_seen: string
  readonly last_seen: string
  readonly event_count: number
  readonly ja3: string | null
  readonly hassh: string | null
  readonly payloads: number
  readonly c2_endpoints: number
  /** false: nothing joins it to the others any more, and a link is never taken back */
  readonly holds: boolean
}

export interface SharedExplained {
  readonly kind: SharedKind
  readonly value: string
  readonly holders: number
  /** others of the identity who have it, and whom their fingerprints keep apart from these */
  readonly apart: number
  /** the only one without a fingerprint, by way of whom the others agree */
  readonly by_way_of: string | null
  /** how many addresses are in each part without this value; null: it does not fall apart */
  readonly without: readonly number[] | null
  readonly links: Listed<LinkExplained>
}

/** That an address has a value. */
export interface LinkExplained {
  readonly uuid: string
  readonly ip: string
  /** without it the identity falls apart, into as many addresses on either side */
  readonly bridge: readonly [number, number] | null
  /** since when that is known, and from what; null: no record that was read says so */
  readonly behind: Behind | null
}

/** Two addresses that are one by the weights. */
export interface EdgeExplained {
  readonly a: string
  readonly b: string
  readonly scores: TierScores
  readonly weight: number
  readonly threshold: number
  readonly by: readonly { readonly kind: SharedKind; readonly value: string }[]
}

/** Links of one value that are told. */
const MAX_LINKS = 8
/** Holders of one value among whom a partner is looked for. */
const MAX_PARTNERS = 64

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

/** For each address of a value the earliest it is one with, so that the pairs show what joins all. */
function partners(
  all: readonly Observation[],
  chosen: readonly { readonly value: number; readonly holders: readonly number[] }[],
  values: readonly SharedValue[],
  bySeen: (a: number, b: number) => number,
): [number, number][] {
  const pairs = new Map<string, [number, number]>()
  for (const { value, holders } of chosen) {
    const { holders: every, pivot } = values[value] as SharedValue
    const earliest = [...every].sort(bySeen).slice(0, MAX_PARTNERS)
    const others = pivot === undefined ? earliest : [pivot, ...earliest]
    for (const holder of holders) {
      const mine = all[holder] as Observation
      const partner = others.find(
        (other) =>
          other !== holder &&
          identityWeight(mine, all[other] as Observation) >= IDENTITY_WEIGHTS.threshold,
      )
      if (partner === undefined) continue
      const [a, b] = [Math.min(holder, partner), Math.max(holder, partner)]
      pairs.set(`${a} ${b}`, [a, b])
    }
  }
  return [...pairs.values()]
}

/** With logins and commands, which were left out where they make no difference. */
async function edgesOf(
  database: Database,
  members: readonly MemberAddress[],
  pairs: readonly (readonly [number, number])[],
  values: readonly SharedValue[],
): Promise<EdgeExplained[]> {
  const uuids = [...new Set(pairs.flat())].map((member) => (members[member] as MemberAddress).uuid)
  const whole = new Map(
    (await loadAddresses(database, uuids, { whole: true })).map((one) => [one.uuid, one]),
  )
  const inPairs = new Map<number, number[]>()
  pairs.forEach(([a, b], pair) => {
    for (const member of [a, b]) inPairs.set(member, [...(inPairs.get(member) ?? []), pair])
  })
  const by = pairs.map((): { kind: SharedKind; value: string }[] => [])
  for (const { kind, value, holders } of values) {
    const counts = new Map<number, number>()
    for (const holder of holders) {
      for (const pair of inPairs.get(holder) ?? []) counts.set(pair, (counts.get(pair) ?? 0) + 1)
    }
    for (const [pair, count] of counts) if (count === 2) by[pair]?.push({ kind, value })
  }
  return pairs.flatMap(([a, b], pair) => {
    const one = whole.get((members[a] as MemberAddress).uuid)
    const other = whole.get((members[b] as MemberAddress).uuid)
    if (!one || !other) return []
    return {
      a: one.ip,
      b: other.ip,
      scores: tierScores(one.observation, other.observation),
      weight: identityWeight(one.observation, other.observation),
      threshold: IDENTITY_WEIGHTS.threshold,
      by: by[pair] ?? [],
    }
  })
}

/** What is not, or no longer, borne by evidence. */
export function doubtsOf(
  sizes: readonly number[],
  merged: readonly MergedCluster[],
  records: RecordsRead,
): string[] {
  const doubts: string[] = []
  if (sizes.length === 0) doubts.push('it has no members of its own')
  const [main = 0, ...others] = sizes
  const apart = others.reduce((sum, size) => sum + size, 0)
  if (apart > 0) {
    doubts.push(
      `${apart} of ${main + apart} members share nothing with the rest any more; ` +
        'a member that was once linked is never taken back',
    )
  }
  const unborne = merged.filter(({ holds }) => holds === false)
  if (unborne.length > 0) {
    doubts.push(
      `evidence no longer bears the merge of ${unborne.length} of ${merged.length}; ` +
        'the clusterer undoes it when it next settles',
    )
  }
  if (records.gone.length > 0) {
    doubts.push(`the log records of ${records.gone.length} addresses are gone`)
  }
  return doubts
}

const least = (numbers: readonly number[]): number | null =>
  numbers.length === 0 ? null : numbers.reduce((a, b) => Math.min(a, b))
const greatest = (numbers: readonly number[]): number | null =>
  numbers.length === 0 ? null : numbers.reduce((a, b) => Math.max(a, b))
