/** What addresses have in common: the evidence that makes them one identity, value by value. */
import type { Observation } from './observation.ts'

/** What the links between addresses hang on. */
export type Shared = Pick<Observation, 'ja3' | 'hassh' | 'payload_hashes' | 'c2_endpoints'>

export type SharedKind = 'ja3' | 'hassh' | 'payload' | 'c2'

export interface SharedValue {
  readonly kind: SharedKind
  readonly value: string
  /** indexes of the addresses that it makes one, two at least, in ascending order */
  readonly holders: readonly number[]
  /** how many others have it too and are kept apart from these by their fingerprints */
  readonly apart: number
  /** index of the only one without a fingerprint, by way of whom all others agree */
  readonly pivot: number | undefined
}

/**
 * A value links all who hold it; of a payload or an endpoint, all whom no fingerprint keeps apart:
 * whoever has none agrees with everybody, one with JA3 alone agrees with one with HASSH alone, and
 * any two agree who are equal in a fingerprint. A value may link several groups that are vetoed
 * against each other; each is listed.
 * @returns in the order of kind and value; the components of the graph of addresses and values are
 *   those of comparing every pair, where the high tier decides
 * @see spec/clustering.md sections 3.2 and 3.3
 */
export function sharedValues(observations: readonly Shared[]): SharedValue[] {
  const found: SharedValue[] = []
  const each = (kind: SharedKind, valuesOf: (of: Shared) => readonly string[]) => {
    const byValue = new Map<string, number[]>()
    observations.forEach((observation, index) => {
      for (const value of valuesOf(observation)) {
        const holders = byValue.get(value)
        if (holders) holders.push(index)
        else byValue.set(value, [index])
      }
    })
    const shared = [...byValue].filter(([, holders]) => holders.length > 1)
    for (const [value, holders] of shared.sort(([a], [b]) => (a < b ? -1 : 1))) {
      const isFingerprint = kind === 'ja3' || kind === 'hassh'
      const groups = isFingerprint
        ? [{ holders, pivot: undefined }]
        : agreeing(observations, holders)
      for (const group of groups) {
        if (group.holders.length < 2) continue
        found.push({ kind, value, ...group, apart: holders.length - group.holders.length })
      }
    }
  }
  each('ja3', ({ ja3 }) => (ja3 === null ? [] : [ja3]))
  each('hassh', ({ hassh }) => (hassh === null ? [] : [hassh]))
  each('payload', ({ payload_hashes }) => payload_hashes)
  each('c2', ({ c2_endpoints }) => c2_endpoints)
  return found
}

interface Group {
  readonly holders: readonly number[]
  readonly pivot: number | undefined
}

/** Parts the holders of one value into those who agree, if need be by way of others of them. */
function agreeing(observations: readonly Shared[], holders: readonly number[]): Group[] {
  const bare = holders.filter((index) => {
    const { ja3, hassh } = observations[index] as Shared
    return ja3 === null && hassh === null
  })
  if (bare.length > 1) return [{ holders, pivot: undefined }]
  const [pivot] = bare
  const others = pivot === undefined ? holders : holders.filter((index) => index !== pivot)
  const groups = agreeingByFingerprint(observations, others)
  if (pivot === undefined) return groups.map((group) => ({ holders: group, pivot: undefined }))
  return [{ holders, pivot: groups.length > 1 ? pivot : undefined }]
}

function agreeingByFingerprint(
  observations: readonly Shared[],
  holders: readonly number[],
): number[][] {
  const of = (index: number) => observations[index] as Shared
  const isOnlyJa3 = (index: number) => of(index).hassh === null
  const isOnlyHassh = (index: number) => of(index).ja3 === null
  const incomparable = holders.some(isOnlyJa3) && holders.some(isOnlyHassh)
  // Each fingerprint leads to the group it was first seen in, and that to the one it became part of.
  const into = new Map<string, string>()
  const rootOf = (key: string): string => {
    let root = key
    for (let up = into.get(root); up !== undefined && up !== root; up = into.get(root)) root = up
    for (let at = key; at !== root; ) {
      const up = into.get(at) ?? root
      into.set(at, root)
      at = up
    }
    return root
  }
  const keysOf = (index: number): string[] => {
    const { ja3, hassh } = of(index)
    const keys = [...(ja3 === null ? [] : [`j${ja3}`]), ...(hassh === null ? [] : [`h${hassh}`])]
    return incomparable && keys.length === 1 ? [...keys, INCOMPARABLE] : keys
  }
  for (const index of holders) {
    const [first = '', ...rest] = keysOf(index)
    for (const key of rest) into.set(rootOf(key), rootOf(first))
  }
  const groups = new Map<string, number[]>()
  for (const index of holders) {
    const root = rootOf(keysOf(index)[0] ?? '')
    const group = groups.get(root)
    if (group) group.push(index)
    else groups.set(root, [index])
  }
  return [...groups.values()]
}

/** No fingerprint: stands for all who have but one, of which there are both kinds. */
const INCOMPARABLE = '-'

/** The graph of addresses (first, as they are numbered) and of values that more than two hold. */
export interface SharedGraph {
  readonly weights: readonly number[]
  readonly links: readonly (readonly [number, number])[]
  /** by link: which value it stands for, and which address holds it; undefined: both ends do */
  readonly meaning: readonly { readonly value: number; readonly holder: number | undefined }[]
  /** by value: its node; undefined where two hold it, who are linked with each other */
  readonly nodes: readonly (number | undefined)[]
}

export function sharedGraph(count: number, values: readonly SharedValue[]): SharedGraph {
  const weights: number[] = Array.from({ length: count }, () => 1)
  const links: [number, number][] = []
  const meaning: { value: number; holder: number | undefined }[] = []
  const nodes = values.map(({ holders }, value) => {
    const [one, other] = holders
    if (holders.length === 2) {
      links.push([one as number, other as number])
      meaning.push({ value, holder: undefined })
      return undefined
    }
    const node = weights.push(0) - 1
    for (const holder of holders) {
      links.push([holder, node])
      meaning.push({ value, holder })
    }
    return node
  })
  return { weights, links, meaning, nodes }
}
