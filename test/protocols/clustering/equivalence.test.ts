import { describe, it } from 'vitest'
import { CAMPAIGN_WEIGHTS, leastInfra } from '../../../protocols/clustering/campaign_similarity.ts'
import { campaignLayer, checkCorpus, checkHistory, identityLayer } from './histories.ts'

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed)
/** Weights that no index is exact for: a cohort and time alone are an edge. */
const LOOSE = { ...CAMPAIGN_WEIGHTS, temporal: 0.7, cohort: 0.5 }

describe('the partition of a corpus, found by equal values', () => {
  it('is that of comparing every pair of addresses', () => {
    for (const seed of seeds(400)) checkCorpus(identityLayer(2 + (seed % 12)), seed, 30)
  })

  it('is that of comparing every pair of identities', () => {
    for (const seed of seeds(400)) checkCorpus(campaignLayer(1 + (seed % 6)), seed, 25)
  })
})

/** All tiers count, and the lower ones may be an edge alone. */
const WEAK = { high: 1, medium: 0.6, low: 0.4, very_low: 0.1, threshold: 1 }

describe('values that too many hold', () => {
  it('join nobody in a corpus, whatever order it comes in', () => {
    for (const seed of seeds(400)) {
      checkCorpus(identityLayer(1 + (seed % 8), { popular: 1 + (seed % 5) }), seed, 30)
    }
  })

  it('join again once there are fewer, at every step of a history', () => {
    for (const seed of seeds(400)) {
      checkHistory(identityLayer(1 + (seed % 6), { popular: 1 + (seed % 4) }), seed, 30)
    }
  })

  it('do so where every pair is compared', () => {
    for (const seed of seeds(100)) {
      const kind = identityLayer(1 + (seed % 6), { popular: 1 + (seed % 4), weights: WEAK })
      checkHistory(kind, seed, 30)
    }
  })
})

describe('a history of arrivals, changes and departures', () => {
  it('settles at every step as if everything had been compared again', () => {
    for (const seed of seeds(400)) checkHistory(identityLayer(2 + (seed % 8)), seed, 30)
  })

  it('does so among identities', () => {
    for (const seed of seeds(300)) checkHistory(campaignLayer(1 + (seed % 6)), seed, 30)
  })

  it('does so with weights that take comparing every pair', ({ expect }) => {
    expect(leastInfra(LOOSE)).toBeUndefined()
    for (const seed of seeds(100)) checkHistory(campaignLayer(1 + (seed % 6), LOOSE), seed, 30)
  })
})
