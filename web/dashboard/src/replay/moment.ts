/** The moment that a replay is looked at: a bucket of its time line, up to and with which all counts. */
import type { Timeline } from '../api/replay_types.ts'

type Span = Pick<Timeline, 'from' | 'step' | 'buckets'>

/** @returns ms at which the bucket has ended; undefined for the last, which has all that came later */
export const endOf = (bucket: number, { from, step, buckets }: Span): number | undefined =>
  bucket >= buckets - 1 ? undefined : from + (bucket + 1) * step

/** ms that are shown for a bucket */
export const shownEnd = (bucket: number, { from, step }: Span): number => from + (bucket + 1) * step

/** @param text of the address, ms, so anybody's @returns the bucket that ends then; the last for none */
export function bucketAt(text: string, { from, step, buckets }: Span): number {
  const at = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY
  return Math.max(Math.min(Math.ceil((at - from) / step) - 1, buckets - 1), 0)
}

/** @returns how many there were up to and with each bucket */
export function sums(counts: readonly number[]): readonly number[] {
  let sum = 0
  return counts.map((count) => {
    sum += count
    return sum
  })
}
