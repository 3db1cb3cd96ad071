/** Counts over time, with a zero wherever the API leaves a bucket out. */
import { bucketSeconds } from './time.ts'

/** `at` is seconds since the Unix epoch. */
export interface TimeCount {
  readonly at: number
  readonly count: number
}

/** Bars that are drawn: more cannot be told apart, and a far-off time must not cost all memory. */
const MOST = 2000

/**
 * @param step seconds of a bucket; buckets begin at multiples of it
 * @returns every bucket of the stretch, oldest first; the newest where there are too many
 */
export function filled(
  counts: readonly TimeCount[],
  step: number,
  from?: number,
  until?: number,
): TimeCount[] {
  const first = from ?? counts[0]?.at
  const last = until ?? counts.at(-1)?.at
  if (first === undefined || last === undefined || last < first) return []
  const known = new Map(counts.map(({ at, count }) => [at, count]))
  const end = Math.floor(last / step) * step
  const begin = Math.max(Math.floor(first / step) * step, end - (MOST - 1) * step)
  const all: TimeCount[] = []
  for (let at = begin; at <= end; at += step) all.push({ at, count: known.get(at) ?? 0 })
  return all
}

export const fromBuckets = (
  buckets: readonly { readonly time: string; readonly count: number }[],
): TimeCount[] => buckets.map(({ time, count }) => ({ at: bucketSeconds(time), count }))

const STEPS = [1, 5, 15, 60, 240, 1440, 10_080, 43_200]
/** Bars of one chart, about. */
const BARS = 120

/** @param seconds of the whole stretch @returns minutes of a bucket that make about 120 bars of it */
export const stepFor = (seconds: number): number =>
  STEPS.find((minutes) => seconds / (minutes * 60) <= BARS) ?? 525_600
