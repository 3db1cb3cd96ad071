/** Lets those that were written down enter the graph one after another, whoever is ready first. */

export class Turns {
  readonly #over: AbortSignal
  /** of those that have not passed, in order; the first has its turn */
  readonly #waiting: (() => void)[] = []

  /** @param over when aborted, nobody waits any more, in order or not */
  constructor(over: AbortSignal) {
    this.#over = over
    over.addEventListener('abort', () => {
      for (const begin of this.#waiting) begin()
    })
  }

  /** @returns when all that took a turn before have passed */
  take(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    if (this.#waiting.length === 1 || this.#over.aborted) resolve()
    return promise
  }

  /** To be called by the one whose turn it is. */
  pass(): void {
    this.#waiting.shift()
    this.#waiting[0]?.()
  }
}
