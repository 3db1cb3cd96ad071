import { describe, expect, it } from 'vitest'
import {
  highTierDecides,
  IDENTITY_WEIGHTS,
  identityWeight,
  tierScores,
} from '../../../protocols/clustering/identity_similarity.ts'
import { makeObservation, type Sightings } from '../../../protocols/clustering/observation.ts'
import { randomObservation } from './corpora.ts'
import { seeded } from './random.ts'

const compared = (a: Sightings, b: Sightings) => {
  const [one, other] = [makeObservation('a', a), makeObservation('b', b)]
  const scores = tierScores(one, other)
  expect(tierScores(other, one)).toEqual(scores)
  const { high, medium, low, very_low } = scores
  return { tiers: [high, medium, low, very_low], weight: identityWeight(one, other) }
}
const C2 = { c2_endpoints: ['c'] }

describe('two addresses', () => {
  // spec/clustering.md section 11, 1 to 6
  it.each<[string, Sightings, Sightings, number[], number]>([
    ['equal in JA3', { ja3: 'x', hassh: 'h1' }, { ja3: 'x', hassh: 'h2' }, [1, 0, 0, 0], 1],
    ['with nothing to compare', { ja3: 'x', ...C2 }, { hassh: 'h', ...C2 }, [1, 0, 0, 0], 1],
    ['vetoed', { ja3: 'x', hassh: 'h', ...C2 }, { ja3: 'y', ...C2 }, [0, 0, 0, 0], 0],
    [
      'alike in all that is weak',
      {
        asn: 7,
        credentials: [['root', '1']],
        commands_by_phase: { discovery: ['ls', 'ls', 'id'] },
      },
      { asn: 7, credentials: [['root', '1']], commands_by_phase: { discovery: ['id', 'ls'] } },
      [0, 1, 1, 1],
      0.85,
    ],
    [
      'a little alike',
      {
        credentials: [
          ['root', '1'],
          ['root', '2'],
          ['admin', 'a'],
        ],
        commands_by_phase: { discovery: ['whoami', 'id', 'ps'], execution: ['x'] },
      },
      {
        credentials: [
          ['root', '1'],
          ['admin', 'b'],
        ],
        commands_by_phase: { discovery: ['id', 'w'], execution: ['x', 'y'] },
      },
      [0, 0.5, 0.25, 0],
      0.35,
    ],
    ['of no network', { asn: null }, { asn: null }, [0, 0, 0, 0], 0],
    ['of network 0', { asn: 0 }, { asn: 0 }, [0, 0, 0, 1], 0.05],
  ])('%s', (_name, a, b, tiers, weight) => {
    const result = compared(a, b)
    expect(result.tiers).toEqual(tiers)
    expect(result.weight).toBeCloseTo(weight, 12)
  })

  // section 3.3
  it.each<[Sightings, Sightings, number]>([
    [{ ja3: 'x', hassh: 'h', ...C2 }, { ja3: 'x', hassh: 'i', ...C2 }, 1],
    [{ ja3: 'x', hassh: 'h', ...C2 }, { ja3: 'y', hassh: 'h', ...C2 }, 1],
    [{ ja3: 'x', hassh: 'h', ...C2 }, { ja3: 'y', hassh: 'i', ...C2 }, 0],
    [{ ja3: 'x', ...C2 }, { ja3: 'y', hassh: 'i', ...C2 }, 0],
    [{ hassh: 'h', ...C2 }, { ja3: 'y', hassh: 'i', ...C2 }, 0],
    [{ ...C2 }, { ja3: 'y', hassh: 'i', ...C2 }, 1],
    [{}, {}, 0],
  ])('with %j and %j agree to %d', (a, b, high) => {
    expect(compared(a, b).tiers[0]).toBe(high)
  })

  it('that share a hash with an endpoint share nothing', () => {
    expect(compared({ payload_hashes: ['v'] }, { c2_endpoints: ['v'] }).weight).toBe(0)
  })

  it('weigh the same from either side', () => {
    const random = seeded(1)
    for (let round = 0; round < 2000; round++) {
      const [a, b] = [randomObservation(random, 'a', 4), randomObservation(random, 'b', 4)]
      expect(identityWeight(a, b)).toBe(identityWeight(b, a))
    }
  })

  it('are compared by nothing that has to do with time', () => {
    const fields = Object.keys(makeObservation('a', {}))
    expect(fields).toHaveLength(8)
    expect(
      fields.filter((name) => /(^|_)(time|seen|start|started|end|date|stamp|at)(_|$)/.test(name)),
    ).toEqual([])
  })
})

describe('the weights', () => {
  it('let the high tier decide, unless the weak ones add up to an edge', () => {
    expect(highTierDecides(IDENTITY_WEIGHTS)).toBe(true)
    expect(highTierDecides({ ...IDENTITY_WEIGHTS, low: 0.35 })).toBe(false)
    expect(highTierDecides({ ...IDENTITY_WEIGHTS, high: 0.9 })).toBe(false)
    expect(highTierDecides({ ...IDENTITY_WEIGHTS, low: -0.2 })).toBe(false)
  })
})
