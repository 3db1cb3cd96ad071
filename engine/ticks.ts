/** Events that time alone makes, in replay: put between captured events, by event time. */
import type { Ticks } from './define.ts'
import type { Draft } from './event.ts'
import { cut, type FeedBatch } from './feed_order.ts'
import type { Plan, PlanSource } from './plan.ts'

/**
 * Ticks between two captured events, at most; where there would be more, one stands for all. A
 * forged timestamp must not make a replay tick its way to the year 9999.
 */
const MOST_AT_ONCE = 10_000

/**
 * @param fed sources that get their events from elsewhere, a journal of them
 * @returns every other source of the plans that needs no capture because time alone drives it
 */
export function tickingSources(
  plans: readonly Plan[],
  fed: readonly PlanSource[],
): { plan: Plan; source: PlanSource; ticks: Ticks }[] {
  return plans.flatMap((plan) =>
    plan.nodes.flatMap((source) => {
      if (source.section !== 'sources' || fed.includes(source)) return []
      const ticks = source.component.ticks?.(source.config as never)
      return ticks ? [{ plan, source, ticks }] : []
    }),
  )
}

/** A source that ticks, and when it ticked last. */
interface Ticker {
  readonly feed: number
  readonly ticks: Ticks
  last: number
}

/**
 * Cuts batches where a tick is due before one of their items; a tick of the same time comes first.
 * No tick comes before the first event or after the last.
 * @param batches in order of event time
 * @param ticks of each source, numbered as feeds from `firstFeed` on
 * @param startTime event time at which the input begins, ms
 */
export async function* withTicks(
  batches: AsyncGenerator<FeedBatch>,
  ticks: readonly Ticks[],
  firstFeed: number,
  startTime: number,
): AsyncGenerator<FeedBatch> {
  const tickers = ticks.map((one, index): Ticker => {
    const last = Math.floor(startTime / one.period) * one.period
    return { feed: firstFeed + index, ticks: one, last }
  })
  if (tickers.length === 0) {
    yield* batches
    return
  }
  for await (const batch of batches) {
    const { items, times } = batch
    let start = 0
    const upTo = (end: number): FeedBatch[] => {
      if (end === start) return []
      const part = cut(batch, start, end)
      start = end
      return [part]
    }
    for (const [index, time] of times.entries()) {
      const due = dueBefore(tickers, time)
      if (due.length === 0) continue
      yield* upTo(index)
      yield* due
    }
    yield* upTo(items.length)
  }
}

/** What ticks up to `time`, in order; at one time in the order of the sources. */
function dueBefore(tickers: readonly Ticker[], time: number): FeedBatch[] {
  const due: { feed: number; draft: Draft }[] = []
  for (const ticker of tickers) {
    const { feed, ticks } = ticker
    const last = Math.floor(time / ticks.period) * ticks.period
    const count = Math.round((last - ticker.last) / ticks.period)
    if (count > MOST_AT_ONCE) due.push({ feed, draft: ticks.draft(last, count - 1) })
    else {
      for (let n = 1; n <= count; n++) {
        due.push({ feed, draft: ticks.draft(ticker.last + n * ticks.period, 0) })
      }
    }
    if (count > 0) ticker.last = last
  }
  due.sort((a, b) => a.draft.time - b.draft.time)
  return due.map(({ feed, draft }) => ({ feed, items: [draft], times: [draft.time], at: 0 }))
}
