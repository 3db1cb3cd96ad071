import { describe, it } from 'vitest'
import {
  campaignLayer,
  checkCorpus,
  checkHistory,
  identityLayer,
} from '../protocols/clustering/histories.ts'

const CORPORA = Number(process.env.DECNET_LONG_CLUSTER_CORPORA ?? 2000)
const HISTORIES = Number(process.env.DECNET_LONG_CLUSTER_HISTORIES ?? 10_000)

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => 1_000_000 + seed)

describe('clustering by equal values', () => {
  it(`finds in ${CORPORA} corpora what comparing every pair finds`, () => {
    for (const seed of seeds(CORPORA)) {
      checkCorpus(identityLayer(2 + (seed % 20)), seed, 60)
      checkCorpus(identityLayer(2 + (seed % 20), { popular: 1 + (seed % 6) }), seed, 60)
      checkCorpus(campaignLayer(1 + (seed % 8)), seed, 40)
    }
  })

  it(`settles in ${HISTORIES} histories as if everything had been compared again`, () => {
    for (const seed of seeds(HISTORIES)) {
      checkHistory(identityLayer(2 + (seed % 10)), seed, 40)
      checkHistory(identityLayer(2 + (seed % 10), { popular: 1 + (seed % 5) }), seed, 40)
      checkHistory(campaignLayer(1 + (seed % 8)), seed, 30)
    }
  })
})
