/** How alike two addresses are: the pairwise definition that the identity clusterer answers to. */
import type { IsPopular, ValueKind } from './identity_edges.ts'
import type { Observation } from './observation.ts'
import { intersects, jaccard } from './string_set.ts'

/** Each in 0..1. */
export interface TierScores {
  /** a tool or what it brings along: fingerprints, payloads, C2 endpoints */
  readonly high: number
  /** commands of one phase */
  readonly medium: number
  /** credentials */
  readonly low: number
  /** the network */
  readonly very_low: number
}

export interface IdentityWeights extends TierScores {
  /** The weight from which on two addresses are the same hands. */
  readonly threshold: number
}

/** @see spec/clustering.md section 3.2 */
export const IDENTITY_WEIGHTS: IdentityWeights = {
  high: 1,
  medium: 0.6,
  low: 0.2,
  very_low: 0.05,
  threshold: 1,
}

/**
 * Symmetric.
 * @param isPopular values that are no sign of the same hands; a fingerprint that differs still is one
 *   of others
 */
export const tierScores = (a: Observation, b: Observation, isPopular?: IsPopular): TierScores => ({
  high: highScore(a, b, isPopular),
  medium: commandScore(a.commands_by_phase, b.commands_by_phase),
  low: jaccard(a.credentials, b.credentials),
  very_low: a.asn !== null && a.asn === b.asn ? 1 : 0,
})

/** @returns the sum of the scores, each by its weight, in the order of the tiers */
export function identityWeight(
  a: Observation,
  b: Observation,
  weights: IdentityWeights = IDENTITY_WEIGHTS,
  isPopular?: IsPopular,
): number {
  const { high, medium, low, very_low } = tierScores(a, b, isPopular)
  return (
    weights.high * high + weights.medium * medium + weights.low * low + weights.very_low * very_low
  )
}

/**
 * Whether the high tier alone decides, so that looking up equal values finds every edge and no other.
 * Where it does not, every pair has to be looked at.
 */
export const highTierDecides = (weights: IdentityWeights): boolean =>
  weights.high >= weights.threshold &&
  weights.medium + weights.low + weights.very_low < weights.threshold &&
  [weights.medium, weights.low, weights.very_low].every((weight) => weight >= 0)

function highScore(a: Observation, b: Observation, isPopular: IsPopular): number {
  const sameJa3 = a.ja3 !== null && a.ja3 === b.ja3
  const sameHassh = a.hassh !== null && a.hassh === b.hassh
  if (sameJa3 && !isPopular?.('ja3', a.ja3 as string)) return 1
  if (sameHassh && !isPopular?.('hassh', a.hassh as string)) return 1
  if (!sameJa3 && !sameHassh) {
    // None of the comparable ones is equal, so one is enough for a veto: who shares a payload but no
    // tool is a colleague, which is for the campaign layer to say.
    if (a.ja3 !== null && b.ja3 !== null) return 0
    if (a.hassh !== null && b.hassh !== null) return 0
  }
  const telling = (kind: ValueKind, values: readonly string[]) =>
    isPopular ? values.filter((value) => !isPopular(kind, value)) : values
  if (intersects(telling('payload', a.payload_hashes), b.payload_hashes)) return 1
  return intersects(telling('endpoint', a.c2_endpoints), b.c2_endpoints) ? 1 : 0
}

function commandScore(a: Observation['commands_by_phase'], b: Observation['commands_by_phase']) {
  let best = 0
  for (const [phase, commands] of Object.entries(a)) {
    const others = Object.hasOwn(b, phase) ? b[phase] : undefined
    if (others) best = Math.max(best, jaccard(commands, others))
  }
  return best
}
