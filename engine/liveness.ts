/** Tells a pipeline that hangs from one that works, waits for input or tries again. */
import { stopwatch } from './clock.ts'
import type { PipelineRun } from './pipeline_run.ts'

type Watched = Pick<PipelineRun, 'wired' | 'isQuiet'>

/**
 * Time in which something must move while anything is in flight, ms: three times the longest pause
 * between two tries of a sink, so that a database which is down for a day is no hang.
 */
const PATIENCE_MS = 90_000

export class Liveness {
  readonly #run: Watched
  readonly #now: () => number
  #seen = -1
  #movedAt: number

  /** @param now monotonic, ms */
  constructor(run: Watched, now: () => number = stopwatch) {
    this.#run = run
    this.#now = now
    this.#movedAt = now()
  }

  /**
   * To be asked again and again: it compares with what it saw the last time.
   * @returns whether events are in flight and nothing has moved, failed or been tried for 90 s
   */
  get hangs(): boolean {
    const moved = this.#moved()
    const now = this.#now()
    if (this.#run.isQuiet || moved !== this.#seen) this.#movedAt = now
    this.#seen = moved
    return now - this.#movedAt >= PATIENCE_MS
  }

  /** A number that grows with whatever the pipeline gets done. */
  #moved(): number {
    const { flow, counters } = this.#run.wired
    let sum = flow.closed
    for (const node of counters.values()) {
      sum += node.in + node.out + node.filtered + node.errors + node.retries
    }
    return sum
  }
}
