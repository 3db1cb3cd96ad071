/** Statistics of the pauses between an attacker's events, in memory that does not grow with them. */

/**
 * Moments of one attacker. The newest are kept as they are, so that one that comes late finds its
 * place; pauses before them are folded. JSON; times in ms, pauses in seconds.
 */
export type Intervals = {
  count: number
  first: number
  last: number
  /** by time */
  recent: number[]
  /** folded pauses: their number, mean, sum of squared differences from it, least, greatest */
  folded: number
  mean: number
  squares: number
  least: number
  greatest: number
  /** folded pauses in order, as long as they are few */
  sorted: number[]
  /** number of folded pauses by `bucketOf`, once they are many */
  buckets: Record<string, number>
}

/** Seconds, 3 decimals; `cv` 4 decimals, null where the mean is 0; all null under two events. */
export interface IntervalStats {
  readonly event_count: number
  readonly duration_s: number
  readonly mean_iat_s: number | null
  readonly median_iat_s: number | null
  readonly stdev_iat_s: number | null
  readonly min_iat_s: number | null
  readonly max_iat_s: number | null
  readonly cv: number | null
}

/** Moments that are kept as they are: so many places may an event come late. */
const RECENT = 64
/** Folded pauses that are kept one by one: up to here the median is exact. */
const SORTED = 256
/** Of many pauses the median is known to one percent: a bucket is two percent wide. */
const BUCKET = Math.log(1.02)
const ZERO = 'zero'

export const newIntervals = (): Intervals => ({
  count: 0,
  first: 0,
  last: 0,
  recent: [],
  folded: 0,
  mean: 0,
  squares: 0,
  least: 0,
  greatest: 0,
  sorted: [],
  buckets: {},
})

/** @returns false where the moment came too late to part a pause in two; it is counted all the same */
export function addMoment(intervals: Intervals, time: number): boolean {
  intervals.first = intervals.count === 0 ? time : Math.min(intervals.first, time)
  intervals.last = intervals.count === 0 ? time : Math.max(intervals.last, time)
  intervals.count += 1
  const { recent } = intervals
  if (intervals.folded > 0 && time < (recent[0] as number)) return false
  let at = recent.length
  while (at > 0 && (recent[at - 1] as number) > time) at -= 1
  recent.splice(at, 0, time)
  if (recent.length > RECENT) {
    const oldest = recent.shift() as number
    fold(intervals, ((recent[0] as number) - oldest) / 1000)
  }
  return true
}

type Moments = Pick<Intervals, 'folded' | 'mean' | 'squares' | 'least' | 'greatest'>

/** Welford's update, which loses nothing where pauses are long and nearly equal. */
function addPause(to: Moments, pause: number): void {
  to.folded += 1
  const before = pause - to.mean
  to.mean += before / to.folded
  to.squares += before * (pause - to.mean)
  to.least = to.folded === 1 ? pause : Math.min(to.least, pause)
  to.greatest = to.folded === 1 ? pause : Math.max(to.greatest, pause)
}

function fold(intervals: Intervals, pause: number): void {
  addPause(intervals, pause)
  const { sorted, buckets } = intervals
  if (intervals.folded > SORTED) {
    for (const one of [...sorted, pause]) buckets[bucketOf(one)] = (buckets[bucketOf(one)] ?? 0) + 1
    intervals.sorted = []
    return
  }
  let at = sorted.length
  while (at > 0 && (sorted[at - 1] as number) > pause) at -= 1
  sorted.splice(at, 0, pause)
}

const bucketOf = (pause: number): string =>
  pause > 0 ? String(Math.round(Math.log(pause) / BUCKET)) : ZERO

/** The middle of a bucket. */
const pauseOf = (bucket: string): number =>
  bucket === ZERO ? 0 : Math.exp(Number(bucket) * BUCKET)

/** @see spec/ingest-and-profile.md section 3.4 */
export function describeIntervals(intervals: Intervals): IntervalStats {
  const { count, first, last, recent } = intervals
  const pauses = recent.slice(1).map((time, index) => (time - (recent[index] as number)) / 1000)
  const all: Moments = { ...intervals }
  for (const pause of pauses) addPause(all, pause)
  const event_count = count
  const duration_s = rounded((last - first) / 1000, 3)
  if (all.folded === 0) {
    const none = { mean_iat_s: null, median_iat_s: null, stdev_iat_s: null }
    return { event_count, duration_s, ...none, min_iat_s: null, max_iat_s: null, cv: null }
  }
  const stdev = Math.sqrt(Math.max(all.squares, 0) / all.folded)
  return {
    event_count,
    duration_s,
    mean_iat_s: rounded(all.mean, 3),
    median_iat_s: rounded(medianOf(intervals, pauses), 3),
    stdev_iat_s: rounded(stdev, 3),
    min_iat_s: rounded(all.least, 3),
    max_iat_s: rounded(all.greatest, 3),
    cv: all.mean === 0 ? null : rounded(stdev / all.mean, 4),
  }
}

function medianOf({ sorted, buckets, folded }: Intervals, pauses: readonly number[]): number {
  const weighted = [...sorted, ...pauses].map((pause) => ({ pause, weight: 1 }))
  for (const [bucket, weight] of Object.entries(buckets)) {
    weighted.push({ pause: pauseOf(bucket), weight })
  }
  weighted.sort((a, b) => a.pause - b.pause)
  const total = folded + pauses.length
  return (nth(weighted, (total - 1) >> 1) + nth(weighted, total >> 1)) / 2
}

function nth(weighted: readonly { pause: number; weight: number }[], place: number): number {
  let passed = 0
  for (const { pause, weight } of weighted) {
    passed += weight
    if (passed > place) return pause
  }
  return weighted.at(-1)?.pause ?? 0
}

/** @returns `value` with so many decimals, halves away from zero for what is no negative */
export const rounded = (value: number, decimals: number): number => {
  const scale = 10 ** decimals
  return Math.round(value * scale) / scale
}
