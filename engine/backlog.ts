/** What waits before a node, and since when: counted per batch, so that events cost nothing. */
import type { Batch } from './batch.ts'
import { stopwatch } from './clock.ts'

export class Backlog {
  /** in the order they came, with the moment of the stopwatch, ms */
  readonly #since = new Map<Batch, number>()
  #events = 0

  /** Events that wait, those that are being worked on included. */
  get events(): number {
    return this.#events
  }

  /** How long the oldest of them has waited, ms; undefined where none does. */
  get oldest(): number | undefined {
    const [since] = this.#since.values()
    return since === undefined ? undefined : stopwatch() - since
  }

  /** @param count its events, where they are not in it */
  enter(batch: Batch, count = batch.events.length): void {
    if (count === 0) return
    this.#events += count
    this.#since.set(batch, stopwatch())
  }

  /** Takes out what has entered, with the same `count`. */
  leave(batch: Batch, count = batch.events.length): void {
    if (this.#since.delete(batch)) this.#events -= count
  }
}
