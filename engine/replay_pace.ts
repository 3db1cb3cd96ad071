/** Replays at the pace of the events. */
import { pause, stopwatch } from './clock.ts'
import { cut, type FeedBatch } from './feed_order.ts'

/** A silence is waited out for this long at most, ms: a forged date may lie a century ahead. */
const LONGEST_WAIT = 60_000
/** ms; shorter waits are not worth a timer */
const SLACK = 5

/** Host time at which an event is due; host time and event time in ms. */
class Schedule {
  readonly #factor: number
  #start = stopwatch()
  #first: number | undefined

  constructor(factor: number) {
    this.#factor = factor
  }

  /** @returns ms from now; a longer wait than the longest moves all that follows forward */
  wait(time: number): number {
    this.#first ??= time
    const wait = this.#start + (time - this.#first) / this.#factor - stopwatch()
    if (wait > LONGEST_WAIT) this.#start -= wait - LONGEST_WAIT
    return Math.min(wait, LONGEST_WAIT)
  }
}

/**
 * The same events in the same order, each when its turn has come.
 * @param factor how much faster than it happened, e.g. 10
 * @param signal ends all waiting
 */
export async function* paced(
  batches: AsyncIterable<FeedBatch>,
  factor: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<FeedBatch> {
  const schedule = new Schedule(factor)
  for await (const batch of batches) {
    const { items, times } = batch
    for (let start = 0; start < items.length; ) {
      const wait = schedule.wait(times[start] as number)
      if (wait > SLACK) await pause(wait, signal)
      let end = start + 1
      while (end < items.length && schedule.wait(times[end] as number) <= SLACK) end += 1
      yield cut(batch, start, end)
      start = end
    }
  }
}
