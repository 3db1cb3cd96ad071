/** Sends batches through the lanes, past the graph of the first thread. */
import type { Batch } from '../batch.ts'
import type { Bypass, NumberedLines } from '../inlet.ts'
import type { PlanSink } from '../plan.ts'
import { DEAD_LETTERS, type Wired } from '../wire.ts'
import { addCounts, type LaneOutput } from './lane.ts'
import type { LanePool } from './lane_pool.ts'

/** A batch of fewer events is done before it would have been handed over. */
const LEAST_EVENTS = 32

/**
 * Each batch takes its place in the queues of the sinks when it is handed over, so what comes back
 * is written in the order of the input, batches that were not handed over included.
 */
export class LaneGate implements Bypass {
  readonly #pool: LanePool
  readonly #wired: Wired
  readonly #sinks: readonly string[]
  #done: Promise<unknown> = Promise.resolve()

  constructor(pool: LanePool, wired: Wired, sinks: readonly PlanSink[]) {
    this.#pool = pool
    this.#wired = wired
    this.#sinks = sinks.map(({ id }) => id)
  }

  /**
   * Takes over a root batch, unless it is small, no lane is ready yet, or somebody looks at the
   * graph, which would see nothing of it.
   * @returns whether it did; then it holds the token until all is written
   */
  take(batch: Batch): boolean {
    const { events, root } = batch
    if (!this.takesLines(events.length)) return false
    this.#follow(batch, events.length, this.#pool.run(root.source, events))
    return true
  }

  /** As `take`, before anything has been made of the lines. */
  takesLines(count: number): boolean {
    return count >= LEAST_EVENTS && this.#pool.isReady && !this.#wired.listeners.areActive
  }

  takeLines(batch: Batch, lines: NumberedLines): void {
    this.#follow(batch, lines.ends.length, this.#pool.runLines(batch.root.source, lines))
  }

  #follow(batch: Batch, count: number, output: Promise<LaneOutput | undefined>): void {
    batch.token.retain(this.#sinks.length + 1)
    for (const id of this.#sinks) {
      this.#wired.sinks.get(id)?.pushEncoded(
        batch,
        count,
        output.then((made) => made && (made.sinks[id] ?? new Uint8Array())),
      )
    }
    this.#done = Promise.all([output, this.#done]).then(([made]) => this.#finish(batch, made))
  }

  #finish(batch: Batch, made: LaneOutput | undefined): void {
    if (!made) {
      batch.token.settle('failed')
      return
    }
    addCounts(made.counts, this.#wired)
    const inlet = this.#wired.inlets.get(batch.root.source)
    if (inlet) inlet.watermark = Math.max(inlet.watermark, made.watermark)
    const { deadLetters } = made
    if (deadLetters.length === 0) batch.token.settle('delivered')
    else this.#wired.sinks.get(DEAD_LETTERS)?.push(batch.with(deadLetters))
  }
}
