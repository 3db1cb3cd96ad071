/** Puts several captures in one order: by event time, ties by the order they were given in. */
import type { Capture, CapturedItem } from './capture.ts'
import type { Reject } from './define.ts'
import type { Draft } from './event.ts'

/** A run of items from one capture that nothing of another capture belongs between. */
export interface FeedBatch {
  /** index of the target the items are for: that of the capture, unless it has its own */
  readonly feed: number
  readonly items: readonly (Draft | Reject)[]
  /** event time each item is merged by; it never runs backwards */
  readonly times: readonly number[]
  /** when each item arrived, ms, where its capture tells */
  readonly arrivals?: readonly number[]
  /** where in its capture the first item stands, see `CapturedItem`; undefined: in none */
  readonly at?: number
  /** no event: time goes on to that of its one item, see `CapturedItem` */
  readonly isTime?: boolean
}

/** The items `start` up to `end` of a batch, as a batch. */
export function cut(batch: FeedBatch, start: number, end: number): FeedBatch {
  const { items, times, arrivals } = batch
  return {
    ...batch,
    items: items.slice(start, end),
    times: times.slice(start, end),
    ...(arrivals && { arrivals: arrivals.slice(start, end) }),
  }
}

class Feed {
  readonly #chunks: AsyncGenerator<CapturedItem[]>
  #items: CapturedItem[] = []
  #at = 0

  constructor(capture: Capture) {
    this.#chunks = capture.items()
  }

  /** The next item, left in place, if it has been read. */
  get ready(): CapturedItem | undefined {
    return this.#items[this.#at]
  }

  /** The next item, left in place; undefined at the end. */
  async head(): Promise<CapturedItem | undefined> {
    while (this.#at >= this.#items.length) {
      const next = await this.#chunks.next()
      if (next.done) return undefined
      this.#items = next.value
      this.#at = 0
    }
    return this.#items[this.#at]
  }

  take(): void {
    this.#at += 1
  }
}

/** @param batchSize items per batch, at most; it changes where batches end, never their order */
export async function* inTimeOrder(
  captures: readonly Capture[],
  batchSize: number,
): AsyncGenerator<FeedBatch> {
  const feeds = captures.map((capture) => new Feed(capture))
  for (;;) {
    const heads = await Promise.all(feeds.map((feed) => feed.head()))
    const feed = earliest(heads)
    if (feed === undefined) return
    const rival = earliest(heads.map((head, index) => (index === feed ? undefined : head)))
    const rivalTime = rival === undefined ? undefined : heads[rival]?.time
    const goesFirst = (time: number) =>
      rivalTime === undefined || time < rivalTime || (time === rivalTime && feed < (rival ?? 0))
    const items: (Draft | Reject)[] = []
    const times: number[] = []
    const arrivals: number[] = []
    const targetOf = (item: CapturedItem) => item.target ?? captures[feed]?.target ?? feed
    const first = heads[feed] as CapturedItem
    const { at, isTime = false } = first
    const target = targetOf(first)
    const chosen = feeds[feed] as Feed
    let head: CapturedItem | undefined = first
    while (
      head &&
      items.length < batchSize &&
      (items.length === 0 || (goesFirst(head.time) && !isTime && !head.isTime)) &&
      targetOf(head) === target
    ) {
      items.push(head.item)
      times.push(head.time)
      if (head.arrival !== undefined) arrivals.push(head.arrival)
      chosen.take()
      head = chosen.ready ?? (await chosen.head())
    }
    const known = arrivals.length > 0 && { arrivals }
    yield { feed: target, items, times, at, isTime, ...known }
  }
}

function earliest(heads: readonly (CapturedItem | undefined)[]): number | undefined {
  let best: number | undefined
  heads.forEach((head, index) => {
    if (head && (best === undefined || head.time < (heads[best]?.time ?? 0))) best = index
  })
  return best
}
