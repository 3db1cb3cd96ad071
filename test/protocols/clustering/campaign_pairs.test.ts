import { describe, expect, it } from 'vitest'
import { campaignPairs } from '../../../protocols/clustering/campaign_pairs.ts'
import { campaignWeight } from '../../../protocols/clustering/campaign_similarity.ts'
import { uniteMembers } from '../../../protocols/clustering/identity_features.ts'
import { randomIdentity } from './corpora.ts'
import { seeded } from './random.ts'

describe('the pairs of a campaign', () => {
  it('are those whose weight is an edge, and no others', () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = seeded(seed)
      const all = Array.from({ length: 20 }, () => randomIdentity(random, 1 + (seed % 6)))
      const { sets, pairs, complete } = campaignPairs(all, 1000)
      expect(complete).toBe(true)
      const found = new Set(pairs.map(({ a, b }) => `${a} ${b}`))
      for (const { holders } of sets) {
        for (const a of holders) for (const b of holders) if (a < b) found.add(`${a} ${b}`)
      }
      const edges = all.flatMap((one, a) =>
        all.flatMap((other, b) => (a < b && campaignWeight(one, other) >= 1 ? `${a} ${b}` : [])),
      )
      expect([...found].sort()).toEqual(edges.sort())
    }
  })

  it('say on which decky and when one took over from the other', () => {
    const on = (phase: 'persistence' | 'discovery', start: number, end: number) =>
      uniteMembers([{ sessions: [{ decky: 'web-01', phase, start, end }] }])
    const { pairs } = campaignPairs([on('discovery', 5000, 9000), on('persistence', 0, 4000)], 10)
    expect(pairs).toMatchObject([
      {
        a: 0,
        b: 1,
        scores: { handoff: 1, infra: 0 },
        handoffs: [
          {
            decky: 'web-01',
            from: 1,
            to: 0,
            left: { phase: 'persistence', time: 4000 },
            taken: { phase: 'discovery', time: 5000 },
          },
        ],
      },
    ])
  })

  it('are not compared beyond a number, and it is said', () => {
    const all = Array.from({ length: 50 }, (_, at) =>
      uniteMembers([{ c2_endpoints: ['c', `own ${at}`] }]),
    )
    expect(campaignPairs(all, 100).complete).toBe(false)
    const same = Array.from({ length: 100_000 }, () => uniteMembers([{ c2_endpoints: ['c'] }]))
    expect(campaignPairs(same, 100)).toMatchObject({ complete: true, pairs: [] })
  })
})
