/** Over which stretch of time the events of a replay are counted. */

/** Buckets of a run, at most: about what a screen can show and a hand can point at. */
export const BUCKETS = 240

/** Times looked at; more would not tell the stretch better. */
const SAMPLES = 20_000
/** Share of the times at either end that is not trusted. */
const TAIL = 0.005
/** The ends of what a Date holds, ms. */
const LAST_TIME = 8.64e15
/** Far-off times may make the stretch so much longer before they are left out. */
const STRETCH = 2

export interface Span {
  /** ms */
  readonly from: number
  /** ms of a bucket, whole */
  readonly step: number
  readonly buckets: number
}

/** Collects times without holding all of them: every nth, and the ends. */
export class SpanFinder {
  #every = 1
  #seen = 0
  #samples: number[] = []
  #least = Number.POSITIVE_INFINITY
  #most = Number.NEGATIVE_INFINITY

  add(time: number): void {
    if (!(Math.abs(time) <= LAST_TIME)) return
    if (time < this.#least) this.#least = time
    if (time > this.#most) this.#most = time
    if (this.#seen++ % this.#every !== 0) return
    this.#samples.push(time)
    if (this.#samples.length < SAMPLES) return
    this.#samples = this.#samples.filter((_, index) => index % 2 === 0)
    this.#every *= 2
  }

  /** One clock that is years off must not press all the others into one bucket. */
  span(): Span {
    if (this.#samples.length === 0) return { from: 0, step: 1, buckets: 1 }
    const sorted = Float64Array.from(this.#samples).sort()
    const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))] as number
    const [low, high] = [at(TAIL), at(1 - TAIL)]
    const isTight = this.#most - this.#least <= STRETCH * Math.max(high - low, 1)
    const [first, until] = isTight ? [this.#least, this.#most] : [low, high]
    const from = Math.floor(first)
    const step = Math.max(Math.ceil((until - from) / BUCKETS), 1)
    return { from, step, buckets: Math.min(Math.floor((until - from) / step) + 1, BUCKETS) }
  }
}

/** @returns from 0 to `buckets` - 1; for no time at all 0 */
export function bucketOf(time: number, { from, step, buckets }: Span): number {
  const bucket = Math.floor((time - from) / step)
  return Number.isNaN(bucket) ? 0 : Math.min(Math.max(bucket, 0), buckets - 1)
}

export const isOutside = (time: number, { from, step, buckets }: Span): boolean =>
  !(time >= from && time <= from + step * buckets)
