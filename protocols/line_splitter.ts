/** Splits a stream of bytes into lines: bounded, wherever the pieces are cut. */
import { BoundedBytes } from './bounded_bytes.ts'

const LF = 10
const CR = 13
const EMPTY = Buffer.alloc(0)

export interface SplitLine {
  /** Without its LF or CR LF; bytes that are no UTF-8 are U+FFFD. */
  readonly text: string
  /** Where the line starts in the stream, in bytes. */
  readonly offset: number
  /** Where the next one starts. */
  readonly end: number
  /** The line was longer than the bound; `text` is its head. */
  readonly truncated: boolean
}

/**
 * Pulled: `push` one chunk, `take` its lines until there are no more, push the next. What is left
 * of a line is copied, at most `maxLine` bytes of it, so a chunk's buffer may be used again.
 * @example
 * const splitter = new LineSplitter({ maxLine: 1024 })
 * splitter.push(Buffer.from('a\r\nb'))
 * splitter.take() // { text: 'a', offset: 0, end: 3, truncated: false }
 * splitter.take() // undefined
 * splitter.end() // { text: 'b', offset: 3, end: 4, truncated: false }
 */
export class LineSplitter {
  readonly #maxLine: number
  readonly #held: BoundedBytes
  #chunk: Buffer = EMPTY
  #at = 0
  #offset: number

  /** @param options `maxLine` in bytes, line end not counted; `offset` of the first byte pushed */
  constructor(options: { maxLine: number; offset?: number }) {
    this.#maxLine = options.maxLine
    this.#held = new BoundedBytes(options.maxLine)
    this.#offset = options.offset ?? 0
  }

  /** @throws {Error} while lines of the last chunk have not been taken: a bug of the caller */
  push(chunk: Buffer): void {
    if (this.#at < this.#chunk.length) throw new Error('push before the last chunk was taken')
    this.#chunk = chunk
    this.#at = 0
  }

  /** @returns the next complete line, or undefined where the chunk has no more */
  take(): SplitLine | undefined {
    const chunk = this.#chunk
    const start = this.#at
    if (start >= chunk.length) return undefined
    const newline = chunk.indexOf(LF, start)
    if (newline < 0) {
      this.#held.append(chunk, start, chunk.length)
      this.#chunk = EMPTY
      this.#at = 0
      return undefined
    }
    this.#at = newline + 1
    if (this.#held.seen > 0 || newline - start > this.#maxLine) {
      this.#held.append(chunk, start, newline)
      return this.#finish(1)
    }
    const stop = newline > start && chunk[newline - 1] === CR ? newline - 1 : newline
    const offset = this.#offset
    this.#offset = offset + newline + 1 - start
    return {
      text: chunk.toString('utf8', start, stop),
      offset,
      end: this.#offset,
      truncated: false,
    }
  }

  /** @returns the last line, where the stream ends without a line end */
  end(): SplitLine | undefined {
    return this.#held.seen > 0 ? this.#finish(0) : undefined
  }

  #finish(lineEnd: number): SplitLine {
    const offset = this.#offset
    this.#offset = offset + this.#held.seen + lineEnd
    const { text, truncated } = this.#held.finish()
    return { text, offset, end: this.#offset, truncated }
  }
}
