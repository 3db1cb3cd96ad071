/** Pairs of addresses that are one identity by the weights. */
import {
  IDENTITY_WEIGHTS,
  identityWeight,
  tierScores,
} from '../../protocols/clustering/identity_similarity.ts'
import type { Observation } from '../../protocols/clustering/observation.ts'
import type { SharedKind, SharedValue } from '../../protocols/clustering/shared_values.ts'
import type { Database } from '../database.ts'
import type { EdgeExplained } from './identity_explanation.ts'
import { loadAddresses, type MemberAddress } from './members.ts'

/** Holders of one value among whom a partner is looked for. */
const MAX_PARTNERS = 64

/** For each address of a value the earliest it is one with, so that the pairs show what joins all. */
export function partners(
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
export async function edgesOf(
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
