import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { BUCKETS, bucketOf, isOutside, SpanFinder } from '../../../cli/replays/timeline_span.ts'

const spanOf = (times: Iterable<number>) => {
  const finder = new SpanFinder()
  for (const time of times) finder.add(time)
  return finder.span()
}

it('reaches from the first event to the last', () => {
  const span = spanOf([5000, 1000, 3000])
  expect(span).toEqual({ from: 1000, step: 17, buckets: 236 })
  expect([bucketOf(1000, span), bucketOf(3000, span), bucketOf(5000, span)]).toEqual([0, 117, 235])
})

it('is not thrown off by a clock that is years off', () => {
  const night = Array.from({ length: 50_000 }, (_, n) => 1_772_355_600_000 + n * 100)
  const span = spanOf([0, ...night, 4e12])
  expect(span.from).toBeGreaterThan(1_772_355_600_000)
  expect(span.step * span.buckets).toBeLessThan(5_000_000)
  expect([
    isOutside(0, span),
    isOutside(4e12, span),
    isOutside(night[25_000] as number, span),
  ]).toEqual([true, true, false])
  expect([bucketOf(0, span), bucketOf(4e12, span)]).toEqual([0, span.buckets - 1])
})

it('is something whatever the times are', () => {
  fc.assert(
    fc.property(fc.array(fc.double()), fc.double(), (times, other) => {
      const span = spanOf(times)
      expect(span.step).toBeGreaterThan(0)
      expect(span.buckets >= 1 && span.buckets <= BUCKETS).toBe(true)
      const bucket = bucketOf(other, span)
      expect(bucket >= 0 && bucket < span.buckets && Number.isInteger(bucket)).toBe(true)
    }),
  )
})
