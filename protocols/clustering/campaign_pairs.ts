/** Which identities of a campaign belong together, and by what: pair by pair. */
import {
  CAMPAIGN_WEIGHTS,
  campaignWeight,
  type FamilyScores,
  familyScores,
  HANDOFF_WINDOW,
  isHandoff,
  overlapOf,
} from './campaign_similarity.ts'
import type { IdentityFeatures, PhaseAt } from './identity_features.ts'
import { HANDS_OVER, TAKES_OVER } from './ukc_phase.ts'

/** Indexes are those of the list of identities. */
export interface CampaignPairs {
  /** three or more with the same payloads and endpoints, and there are some */
  readonly sets: readonly SameSet[]
  /** two who are an edge by the weights, if by more than a set that three or more have */
  readonly pairs: readonly CampaignPair[]
  /** false: there were more to compare than `most` */
  readonly complete: boolean
}

export interface SameSet {
  readonly payload_hashes: readonly string[]
  readonly c2_endpoints: readonly string[]
  /** ascending */
  readonly holders: readonly number[]
}

export interface CampaignPair {
  readonly a: number
  readonly b: number
  readonly scores: FamilyScores
  readonly weight: number
  readonly handoffs: readonly Handoff[]
  readonly payload_hashes: readonly string[]
  readonly c2_endpoints: readonly string[]
  /** for which both were at work */
  readonly overlap_ms: number
}

/** Times are ms. */
export interface Handoff {
  readonly decky: string
  readonly from: number
  readonly to: number
  readonly left: PhaseAt
  readonly taken: PhaseAt
}

/**
 * Compares, by the default weights, all who could be an edge: who share infrastructure, or of whom
 * one was on a decky within a day after the other had left it.
 * @param most pairs that are compared
 */
export function campaignPairs(
  identities: readonly IdentityFeatures[],
  most: number,
): CampaignPairs {
  const bySet = new Map<string, number[]>()
  const setOf = identities.map((features, index) => {
    const key = JSON.stringify([features.payload_hashes, features.c2_endpoints])
    const holders = bySet.get(key)
    if (holders) holders.push(index)
    else bySet.set(key, [index])
    return key
  })
  const sets: SameSet[] = []
  for (const holders of bySet.values()) {
    const { payload_hashes, c2_endpoints } = identities[holders[0] as number] as IdentityFeatures
    if (holders.length < 3 || payload_hashes.length + c2_endpoints.length === 0) continue
    sets.push({ payload_hashes, c2_endpoints, holders })
  }
  const chosen = new Chosen(identities.length, most)
  for (const [out, taken] of handoffCandidates(identities)) if (!chosen.add(out, taken)) break
  for (const [a, b] of infraCandidates(identities, setOf)) if (!chosen.add(a, b)) break
  const told = new Set(sets.flatMap(({ holders }) => holders.map((holder) => setOf[holder])))
  const pairs = chosen.pairs().flatMap(([a, b]) => {
    const pair = pairOf(identities, a, b)
    const isTold = setOf[a] === setOf[b] && told.has(setOf[a])
    return pair && !(isTold && pair.handoffs.length === 0) ? [pair] : []
  })
  return { sets, pairs, complete: !chosen.isFull }
}

function pairOf(
  identities: readonly IdentityFeatures[],
  a: number,
  b: number,
): CampaignPair | undefined {
  const [one, other] = [identities[a] as IdentityFeatures, identities[b] as IdentityFeatures]
  const weight = campaignWeight(one, other)
  if (weight < CAMPAIGN_WEIGHTS.threshold) return undefined
  const common = (mine: readonly string[], theirs: readonly string[]) => {
    const set = new Set(theirs)
    return mine.filter((value) => set.has(value))
  }
  return {
    a,
    b,
    scores: familyScores(one, other),
    weight,
    handoffs: [...handoffs(identities, a, b), ...handoffs(identities, b, a)],
    payload_hashes: common(one.payload_hashes, other.payload_hashes),
    c2_endpoints: common(one.c2_endpoints, other.c2_endpoints),
    overlap_ms: overlapOf(one.session_windows, other.session_windows),
  }
}

function handoffs(identities: readonly IdentityFeatures[], from: number, to: number): Handoff[] {
  const { last_on } = identities[from] as IdentityFeatures
  const { first_on } = identities[to] as IdentityFeatures
  return Object.entries(last_on).flatMap(([decky, left]) => {
    const taken = Object.hasOwn(first_on, decky) ? first_on[decky] : undefined
    return taken && isHandoff(left, taken) ? [{ decky, from, to, left, taken }] : []
  })
}

/** Two who share much come up once for each thing: so often on average, at most. */
const MOST_ASKED = 50

/** Pairs without repeats, up to a number. */
class Chosen {
  readonly #count: number
  readonly #most: number
  readonly #keys = new Set<number>()
  #asked = 0
  isFull = false

  constructor(count: number, most: number) {
    this.#count = count
    this.#most = most
  }

  /** @returns false where there is no room */
  add(a: number, b: number): boolean {
    if (a === b) return true
    const key = Math.min(a, b) * this.#count + Math.max(a, b)
    this.#asked += 1
    if (this.#keys.has(key) && this.#asked < MOST_ASKED * this.#most) return true
    if (this.#keys.size >= this.#most || this.#asked >= MOST_ASKED * this.#most) {
      this.isFull = true
      return false
    }
    this.#keys.add(key)
    return true
  }

  pairs(): [number, number][] {
    const sorted = [...this.#keys].sort((a, b) => a - b)
    return sorted.map((key) => [Math.floor(key / this.#count), key % this.#count])
  }
}

type Moment = readonly [time: number, identity: number]

function* handoffCandidates(identities: readonly IdentityFeatures[]): Generator<[number, number]> {
  const deckies = new Map<string, { outs: Moment[]; ins: Moment[] }>()
  const on = (decky: string) => {
    let row = deckies.get(decky)
    if (!row) {
      row = { outs: [], ins: [] }
      deckies.set(decky, row)
    }
    return row
  }
  identities.forEach(({ first_on, last_on }, index) => {
    for (const [decky, { phase, time }] of Object.entries(last_on)) {
      if (HANDS_OVER.has(phase)) on(decky).outs.push([time, index])
    }
    for (const [decky, { phase, time }] of Object.entries(first_on)) {
      if (TAKES_OVER.has(phase)) on(decky).ins.push([time, index])
    }
  })
  for (const { outs, ins } of deckies.values()) {
    const byTime = (a: Moment, b: Moment) => a[0] - b[0]
    outs.sort(byTime)
    ins.sort(byTime)
    let start = 0
    for (const [left, from] of outs) {
      while ((ins[start]?.[0] ?? left) < left) start += 1
      for (let at = start; at < ins.length; at++) {
        const [taken, to] = ins[at] as Moment
        if (taken - left > HANDOFF_WINDOW) break
        yield [from, to]
      }
    }
  }
}

/** @param setOf what each has, as a key; those who have the same are told of elsewhere, but for two */
function* infraCandidates(
  identities: readonly IdentityFeatures[],
  setOf: readonly string[],
): Generator<[number, number]> {
  const tokens = new Map<string, Map<string, number[]>>()
  identities.forEach(({ payload_hashes, c2_endpoints }, index) => {
    const own = [...payload_hashes.map((hash) => `p${hash}`), ...c2_endpoints.map((c) => `c${c}`)]
    const set = setOf[index] as string
    for (const token of own) {
      const sets = tokens.get(token) ?? new Map<string, number[]>()
      tokens.set(token, sets)
      const holders = sets.get(set)
      if (holders) holders.push(index)
      else sets.set(set, [index])
    }
  })
  for (const sets of tokens.values()) {
    const groups = [...sets.values()]
    for (const [at, group] of groups.entries()) {
      if (group.length === 2) yield group as [number, number]
      for (const other of groups.slice(at + 1)) {
        for (const a of group) for (const b of other) yield [a, b]
      }
    }
  }
}
