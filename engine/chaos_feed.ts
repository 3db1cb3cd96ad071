/** Captures as sources that can be read again from any point, always in the same common order. */
import { type AnySource, type Chunk, defineSource } from './define.ts'
import type { FeedBatch } from './feed_order.ts'

/** How many items of a capture have been delivered. */
interface FeedPosition {
  readonly given: number
}

export interface FeedOptions {
  /** what all of them give, from the start, in the order of `replay` */
  readonly batches: AsyncGenerator<FeedBatch>
  /** Called before each batch that is delivered, with its number from the start of the captures. */
  readonly onBatch: (index: number) => Promise<void>
}

/**
 * Takes the sources in turns. A reader that comes back for more
 * has handed on what it got, and only then is it another's turn: so which input comes first does not
 * depend on chance, nor on where an earlier run was killed. A journal comes back at once, having
 * written it down, and keeps to that order itself.
 */
export class CaptureFeeds {
  readonly #onBatch: FeedOptions['onBatch']
  readonly #order: AsyncGenerator<FeedBatch>
  #current: Promise<IteratorResult<FeedBatch>> | undefined
  #index = 0
  #waiting: (() => void)[] = []

  constructor({ batches, onBatch }: FeedOptions) {
    this.#order = batches
    this.#onBatch = onBatch
  }

  /** The source with its input replaced by what is for `feed`; time alone no longer drives it. */
  source(component: AnySource, feed: number): AnySource {
    const read = (position: FeedPosition | undefined, signal: AbortSignal) =>
      this.#read(feed, position?.given ?? 0, signal)
    const { ticks: _, ...rest } = component
    return defineSource({
      ...rest,
      replayable: true,
      internal: false,
      read: (_config, position: FeedPosition | undefined, { signal }) => read(position, signal),
    })
  }

  async *#read(
    feed: number,
    given: number,
    signal: AbortSignal,
  ): AsyncGenerator<Chunk<FeedPosition>> {
    const wake = () => this.#wake()
    signal.addEventListener('abort', wake)
    let passed = 0
    for (;;) {
      const batch = await this.#turnOf(feed, signal)
      if (!batch) break
      // Silences are left out: every run ends with the last timer all the same.
      const count = batch.isTime ? 0 : batch.items.length
      passed += count
      const fresh = Math.min(passed - given, count)
      if (fresh > 0) {
        await this.#onBatch(this.#index)
        yield { events: batch.items.slice(-fresh), position: { given: passed } }
      }
      this.#index += 1
      this.#current = undefined
      this.#wake()
    }
    signal.removeEventListener('abort', wake)
  }

  async #turnOf(feed: number, signal: AbortSignal): Promise<FeedBatch | undefined> {
    while (!signal.aborted) {
      this.#current ??= this.#order.next()
      const { done, value } = await this.#current
      if (done) return undefined
      if (value.feed === feed) return value
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    return undefined
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
