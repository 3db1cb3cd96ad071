/** Reads a source a little ahead, so that the next pulls are written down while the last is synced. */
import type { Chunk } from '../define.ts'

/** bytes and pulls that may wait to be written, at most */
const MOST_BYTES = 4 * 1024 * 1024
const MOST_CHUNKS = 32

interface Ahead<T> {
  readonly written: Promise<T>
  readonly bytes: number
}

export class ReadAhead<P, T> {
  readonly #source: AsyncIterable<Chunk<P>>
  readonly #write: (chunk: Chunk<P>) => Ahead<T>
  readonly #queue: Ahead<T>[] = []
  #bytes = 0
  #ended = false
  #failure: { readonly error: unknown } | undefined
  #wakes: (() => void)[] = []

  /** @param write starts writing a chunk down; what it comes to is handed on in the same order */
  constructor(source: AsyncIterable<Chunk<P>>, write: (chunk: Chunk<P>) => Ahead<T>) {
    this.#source = source
    this.#write = write
  }

  /** What was written down, in the order it was read. A failure of the source comes last. */
  async *chunks(): AsyncGenerator<T> {
    void this.#pull()
    for (;;) {
      const oldest = this.#queue[0]
      if (oldest) {
        const written = await oldest.written
        this.#queue.shift()
        this.#bytes -= oldest.bytes
        this.#wake()
        yield written
      } else if (this.#ended) {
        if (this.#failure) throw this.#failure.error
        return
      } else await this.#change()
    }
  }

  async #pull(): Promise<void> {
    try {
      for await (const chunk of this.#source) {
        const ahead = this.#write(chunk)
        // A failure is kept until its turn: nobody may have asked yet.
        ahead.written.catch((error: unknown) => {
          this.#failure ??= { error }
        })
        this.#queue.push(ahead)
        this.#bytes += ahead.bytes
        this.#wake()
        while (this.#bytes > MOST_BYTES || this.#queue.length >= MOST_CHUNKS) await this.#change()
      }
    } catch (error) {
      this.#failure = { error }
    } finally {
      this.#ended = true
      this.#wake()
    }
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakes.push(resolve))
  }

  #wake(): void {
    const wakes = this.#wakes
    this.#wakes = []
    for (const wake of wakes) wake()
  }
}
