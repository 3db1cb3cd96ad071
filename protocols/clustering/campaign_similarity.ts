/** How alike two identities are: the pairwise definition that the campaign clusterer answers to. */
import type { IdentityFeatures, Interval, PhaseAt } from './identity_features.ts'
import { sharedCount, stringSet } from './string_set.ts'
import { HANDS_OVER, TAKES_OVER } from './ukc_phase.ts'

/** Each in 0..1. */
export interface FamilyScores {
  /** one took over a decky that the other had left open, within a day */
  readonly handoff: number
  /** payloads and C2 endpoints in common */
  readonly infra: number
  /** at work at the same time */
  readonly temporal: number
  /** networks, tools and deckies in common */
  readonly cohort: number
}

export interface CampaignWeights extends FamilyScores {
  /** The weight from which on two identities are one campaign. */
  readonly threshold: number
}

/** @see spec/clustering.md section 5.2 */
export const CAMPAIGN_WEIGHTS: CampaignWeights = {
  handoff: 1,
  infra: 1,
  temporal: 0.4,
  cohort: 0.1,
  threshold: 1,
}

/** Time from the end of one to the beginning of the other for which a handoff is one, ms. */
export const HANDOFF_WINDOW = 86_400_000

/** Symmetric. */
export const familyScores = (a: IdentityFeatures, b: IdentityFeatures): FamilyScores => ({
  handoff: handsOver(a, b) || handsOver(b, a) ? 1 : 0,
  infra: infraScore(a, b),
  temporal: overlapScore(a.session_windows, b.session_windows),
  cohort: cohortScore(a, b),
})

/** @returns the sum of the scores, each by its weight, in the order of the families */
export function campaignWeight(
  a: IdentityFeatures,
  b: IdentityFeatures,
  weights: CampaignWeights = CAMPAIGN_WEIGHTS,
): number {
  const { handoff, infra, temporal, cohort } = familyScores(a, b)
  return (
    weights.handoff * handoff +
    weights.infra * infra +
    weights.temporal * temporal +
    weights.cohort * cohort
  )
}

/**
 * @returns the infra score without which there is no edge but by a handoff; undefined where weights
 *   are such that neither is needed or the one is not enough, so that every pair has to be looked at
 */
export function leastInfra(weights: CampaignWeights): number | undefined {
  const { handoff, infra, temporal, cohort, threshold } = weights
  if (handoff < threshold || infra < threshold || temporal < 0 || cohort < 0) return undefined
  const least = (threshold - temporal - cohort) / infra
  return least > 0 ? least : undefined
}

/** Whether `a` left a decky open that `b` took over. */
const handsOver = (a: IdentityFeatures, b: IdentityFeatures): boolean =>
  Object.entries(a.last_on).some(([decky, left]) => isHandoff(left, takenOn(b, decky)))

const takenOn = ({ first_on }: IdentityFeatures, decky: string): PhaseAt | undefined =>
  Object.hasOwn(first_on, decky) ? first_on[decky] : undefined

/**
 * @param left the last that one did on a decky
 * @param taken the first that another did there; undefined: nothing
 */
export function isHandoff(left: PhaseAt, taken: PhaseAt | undefined): boolean {
  if (!taken || !HANDS_OVER.has(left.phase) || !TAKES_OVER.has(taken.phase)) return false
  const gap = taken.time - left.time
  return gap >= 0 && gap <= HANDOFF_WINDOW
}

/** The two kinds are kept apart: a hash that reads like an endpoint is no match. */
function infraScore(a: IdentityFeatures, b: IdentityFeatures): number {
  const shared =
    sharedCount(a.payload_hashes, b.payload_hashes) + sharedCount(a.c2_endpoints, b.c2_endpoints)
  const all = infraSize(a) + infraSize(b) - shared
  return all === 0 ? 0 : shared / all
}
const infraSize = ({ payload_hashes, c2_endpoints }: IdentityFeatures): number =>
  payload_hashes.length + c2_endpoints.length

function overlapScore(a: readonly Interval[], b: readonly Interval[]): number {
  const least = Math.min(totalOf(a), totalOf(b))
  return least > 0 ? Math.min(overlapOf(a, b) / least, 1) : 0
}

/** @returns ms that are in both; each by time, and disjoint */
export function overlapOf(a: readonly Interval[], b: readonly Interval[]): number {
  let overlap = 0
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const [start, end] = a[i] as Interval
    const [from, until] = b[j] as Interval
    overlap += Math.max(Math.min(end, until) - Math.max(start, from), 0)
    if (end <= until) i += 1
    else j += 1
  }
  return overlap
}
const totalOf = (windows: readonly Interval[]): number =>
  windows.reduce((total, [start, end]) => total + (end - start), 0)

function cohortScore(a: IdentityFeatures, b: IdentityFeatures): number {
  // As texts, for the order of numbers is not that of strings.
  const shared =
    sharedCount(asnTexts(a), asnTexts(b)) +
    sharedCount(a.tooling_cohort, b.tooling_cohort) +
    sharedCount(a.decky_set, b.decky_set)
  const all = cohortSize(a) + cohortSize(b) - shared
  return all === 0 ? 0 : shared / all
}
const asnTexts = ({ asn_cohort }: IdentityFeatures): string[] => stringSet(asn_cohort.map(String))
const cohortSize = (of: IdentityFeatures): number =>
  of.asn_cohort.length + of.tooling_cohort.length + of.decky_set.length
