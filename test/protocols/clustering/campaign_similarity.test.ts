import { describe, expect, it } from 'vitest'
import {
  CAMPAIGN_WEIGHTS,
  campaignWeight,
  familyScores,
  leastInfra,
} from '../../../protocols/clustering/campaign_similarity.ts'
import {
  disjoint,
  type IdentityFeatures,
  uniteMembers,
} from '../../../protocols/clustering/identity_features.ts'
import type { Phase } from '../../../protocols/clustering/ukc_phase.ts'
import { randomIdentity } from './corpora.ts'
import { seeded } from './random.ts'

const NOBODY = uniteMembers([])
const identity = (fields: Partial<IdentityFeatures>): IdentityFeatures => ({ ...NOBODY, ...fields })
const infra = (payload_hashes: string[], c2_endpoints: string[]) =>
  identity({ payload_hashes, c2_endpoints })
const seconds = (from: number, until: number): [number, number][] => [[from * 1000, until * 1000]]
const weightOf = (a: IdentityFeatures, b: IdentityFeatures) => {
  expect(campaignWeight(b, a)).toBe(campaignWeight(a, b))
  return campaignWeight(a, b)
}

/** 90 days later. */
function shifted(features: IdentityFeatures): IdentityFeatures {
  const by = 90 * 86_400_000
  const later = (on: IdentityFeatures['first_on']) =>
    Object.fromEntries(
      Object.entries(on).map(([decky, { phase, time }]) => [decky, { phase, time: time + by }]),
    )
  return {
    ...features,
    session_windows: features.session_windows.map(([start, end]) => [start + by, end + by]),
    first_on: later(features.first_on),
    last_on: later(features.last_on),
  }
}

// spec/clustering.md section 11, 21
describe('a handoff', () => {
  const left = identity({ last_on: { d: { phase: 'persistence', time: 1_000_000 } } })
  it.each<[number, Phase, string, number]>([
    [87_400, 'discovery', 'd', 1],
    [87_400.001, 'discovery', 'd', 0],
    [1000, 'discovery', 'd', 1],
    [999, 'discovery', 'd', 0],
    [2000, 'lateral_movement', 'd', 1],
    [2000, 'execution', 'd', 0],
    [2000, 'discovery', 'e', 0],
  ])('at %d s, by %s on %s, scores %d', (at, phase, decky, score) => {
    const taken = identity({ first_on: { [decky]: { phase, time: Math.round(at * 1000) } } })
    for (const [a, b] of [
      [left, taken],
      [shifted(left), shifted(taken)],
    ] as const) {
      expect(familyScores(a, b).handoff).toBe(score)
      expect(familyScores(b, a).handoff).toBe(score)
      expect(weightOf(a, b)).toBe(score)
    }
  })
})

// 22 to 25
describe('shared infrastructure', () => {
  const windows = (features: IdentityFeatures, from: number, until: number) =>
    identity({ ...features, session_windows: seconds(from, until) })
  const [one, other] = [infra(['p1', 'p2'], ['c1']), infra(['p1'], ['c1'])]

  it('of two thirds is no edge with half the time and a decky in common', () => {
    const a = { ...windows(one, 0, 600), asn_cohort: [64500], decky_set: ['d1'] }
    const b = { ...windows(other, 300, 900), asn_cohort: [64501], decky_set: ['d1'] }
    const scores = familyScores(a, b)
    expect(scores).toMatchObject({ handoff: 0, infra: 2 / 3, temporal: 0.5, cohort: 1 / 3 })
    expect(weightOf(a, b)).toBeCloseTo(0.9, 12)
    expect(campaignWeight(shifted(a), shifted(b))).toBe(campaignWeight(a, b))
  })

  it('of two thirds is an edge with all the time in common', () => {
    expect(weightOf(windows(one, 0, 600), windows(other, 0, 600))).toBeCloseTo(1.0667, 4)
  })

  it('of a third is none, whatever else there is', () => {
    const [a, b] = [infra(['p1'], ['c1']), infra(['p2'], ['c1'])].map((features) => ({
      ...windows(features, 0, 60),
      asn_cohort: [64500],
    })) as [IdentityFeatures, IdentityFeatures]
    expect(weightOf(a, b)).toBeCloseTo(0.8333, 4)
  })

  it('of a half alone is none, and with everything else is one', () => {
    const [a, b] = [infra([], ['c1']), infra([], ['c1', 'c2'])]
    expect(weightOf(a, b)).toBe(0.5)
    const rest = { asn_cohort: [1], session_windows: seconds(0, 1) }
    expect(weightOf({ ...a, ...rest }, { ...b, ...rest })).toBe(1)
  })

  it('is weighed in doubles, from left to right', () => {
    const tokens = Array.from({ length: 10 }, (_, index) => `p${index}`)
    const a = { ...infra(tokens, []), asn_cohort: [1], session_windows: seconds(0, 600) }
    const b = { ...infra(tokens.slice(3), []), asn_cohort: [1], session_windows: seconds(300, 900) }
    expect(weightOf(a, b)).toBe(0.9999999999999999)
  })

  it('takes time from the shorter of the two', () => {
    const a = windows(infra(['1', '2', '3', '4'], ['5']), 0, 100)
    const b = windows(infra(['1', '2', '3', '4'], []), 50, 1000)
    expect(familyScores(a, b)).toMatchObject({ infra: 0.8, temporal: 0.5 })
    expect(weightOf(a, b)).toBe(1)
  })

  it('is none between a hash and an endpoint that read alike', () => {
    expect(weightOf(infra(['x'], []), infra([], ['x']))).toBe(0)
  })
})

describe('what is weak', () => {
  it('is no edge', () => {
    const a = identity({ asn_cohort: [1], decky_set: ['d'], session_windows: seconds(0, 9) })
    expect(weightOf(a, a)).toBe(0.5)
    expect(weightOf(NOBODY, NOBODY)).toBe(0)
  })

  it('keeps networks, tools and deckies apart', () => {
    const a = identity({ asn_cohort: [9, 10], tooling_cohort: ['10'], decky_set: ['9'] })
    const b = identity({ asn_cohort: [10, 9], tooling_cohort: ['9'], decky_set: ['10'] })
    expect(familyScores(a, b).cohort).toBe(2 / 6)
  })
})

it('weighs two identities the same from either side and at any time', () => {
  const random = seeded(2)
  for (let round = 0; round < 2000; round++) {
    const [a, b] = [randomIdentity(random, 3), randomIdentity(random, 3)]
    expect(campaignWeight(shifted(a), shifted(b))).toBe(weightOf(a, b))
  }
})

it('unites windows that touch or lie in each other, whatever their order', () => {
  expect(disjoint([])).toEqual([])
  const windows: [number, number][] = [
    [5, 9],
    [0, 3],
    [3, 4],
    [6, 7],
    [20, 20],
    [9, 12],
    [30, 29],
  ]
  expect(disjoint(windows)).toEqual([
    [0, 4],
    [5, 12],
  ])
})

it('knows the least that two sets have to share', () => {
  expect(leastInfra(CAMPAIGN_WEIGHTS)).toBe(0.5)
  expect(leastInfra({ ...CAMPAIGN_WEIGHTS, temporal: 0.9 })).toBeUndefined()
  expect(leastInfra({ ...CAMPAIGN_WEIGHTS, handoff: 0.9 })).toBeUndefined()
})
