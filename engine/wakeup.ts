/** Wakes a source that waits; a ring while it is at work is kept until it waits again. */
import { pause } from './clock.ts'

export class Wakeup {
  readonly #signal: AbortSignal
  #rung = false
  #waiting: AbortController | undefined

  /** @param signal aborted when nothing is worth waiting for any more */
  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  ring(): void {
    this.#rung = true
    this.#waiting?.abort()
  }

  /**
   * Waits `ms` of host time, or less: until a ring, one since the last wait included.
   * @param settle ms to wait on after a ring; rings meanwhile are one with it
   */
  async wait(ms: number, settle = 0): Promise<void> {
    if (!this.#rung && !this.#signal.aborted) {
      const waiting = new AbortController()
      const stop = () => waiting.abort()
      this.#waiting = waiting
      this.#signal.addEventListener('abort', stop, { once: true })
      await pause(ms, waiting.signal)
      this.#signal.removeEventListener('abort', stop)
      this.#waiting = undefined
    }
    if (this.#rung && settle > 0) await pause(settle, this.#signal)
    this.#rung = false
  }
}
