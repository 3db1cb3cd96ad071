/** Hands what a crash has left in a journal to its sources, in the order of the journal. */
import type { StoredEntry } from './reader.ts'

export class CatchUp {
  readonly #entries: AsyncGenerator<StoredEntry>
  readonly #over: AbortSignal
  #next: Promise<StoredEntry | undefined> | undefined
  #waiting: (() => void)[] = []

  /**
   * @param entries each for one of the sources that ask
   * @param over when aborted, nothing more is handed out
   */
  constructor(entries: AsyncGenerator<StoredEntry>, over: AbortSignal) {
    this.#entries = entries
    this.#over = over
    over.addEventListener('abort', () => this.#wake())
  }

  /** The entries of one source. It comes back for more when the last one has entered the graph. */
  async *of(source: string): AsyncGenerator<StoredEntry> {
    while (!this.#over.aborted) {
      this.#next ??= this.#take()
      const asked = this.#next
      const entry = await asked
      if (!entry) return
      // While this one waited, the entry may have entered.
      if (asked !== this.#next) continue
      if (entry.source !== source) await this.#change()
      else {
        yield entry
        this.#next = undefined
        this.#wake()
      }
    }
  }

  async #take(): Promise<StoredEntry | undefined> {
    const { done, value } = await this.#entries.next()
    return done ? undefined : value
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }
}
