import { expect, it } from 'vitest'
import { CoveredTime } from '../../../protocols/clustering/covered_time.ts'
import { disjoint, type Interval } from '../../../protocols/clustering/identity_features.ts'
import { byNumber, SortedCounts } from '../../../protocols/clustering/sorted_counts.ts'
import { seeded } from './random.ts'

it('keeps keys in order and counts them, however many there are', () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = seeded(seed)
    const set = new SortedCounts(byNumber)
    const plain = new Map<number, number>()
    const [range, most] = [random.pick([5, 300, 5000]), random.pick([50, 4000])]
    for (let step = 0; step < 2 * most; step++) {
      // Grows, then shrinks.
      const removes = random.chance(step < most ? 0.2 : 0.8)
      const key = removes && plain.size > 0 ? random.pick([...plain.keys()]) : random.below(range)
      const count = (plain.get(key) ?? 0) + (removes && plain.has(key) ? -1 : 1)
      set.change(key, count - (plain.get(key) ?? 0))
      if (count === 0) plain.delete(key)
      else plain.set(key, count)
      if (step % 97 > 0) continue
      const keys = [...plain.keys()].sort(byNumber)
      expect(set.size).toBe(keys.length)
      expect([set.first, set.last]).toEqual([keys[0], keys.at(-1)])
      expect(set.take(256)).toEqual(keys.slice(0, 256))
      expect(set.pieces.flatMap((piece) => piece.counts)).toEqual(keys.map((k) => plain.get(k)))
    }
    // So that what has shrunk is not held in very many pieces.
    expect(set.pieces.length).toBeLessThan(3 + set.size / 64)
  }
})

it('unites intervals that come and go, and lists the latest', () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = seeded(seed)
    const covered = new CoveredTime()
    const plain: Interval[] = []
    const [range, longest] = [random.pick([30, 3000, 100_000]), random.pick([3, 40])]
    for (let step = 0; step < 1500; step++) {
      if (plain.length > 0 && random.chance(step < 800 ? 0.2 : 0.7)) {
        const [[start, end]] = plain.splice(random.below(plain.length), 1) as [Interval]
        covered.change(start, end, -1)
      } else {
        const start = random.below(range)
        const end = start + random.below(longest) - 1
        plain.push([start, end])
        covered.change(start, end, 1)
      }
      if (step % 53 > 0) continue
      const expected = disjoint(plain)
      for (const limit of [1, 7, 256, 1e6]) {
        const left_out = Math.max(expected.length - limit, 0)
        expect(covered.latest(limit), `seed ${seed}`).toEqual({
          intervals: expected.slice(left_out),
          left_out,
        })
      }
    }
  }
})
