/** Gathers one message from the pieces it arrives in, and never holds more than its head. */
import { wholeCharactersEnd } from './utf8_text.ts'

const CR = 13
const SMALLEST = 1024
/** A bigger buffer is given back once its message is complete: most messages are small. */
const KEPT_BETWEEN_MESSAGES = 16 * 1024

export interface Gathered {
  readonly text: string
  /** The message was longer than the bound; `text` is its head. */
  readonly truncated: boolean
}

export class BoundedBytes {
  readonly #limit: number
  #bytes = Buffer.alloc(0)
  #kept = 0
  #seen = 0

  /** @param limit bytes of a message that are kept, a trailing CR not counted */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes of the message so far, those beyond the bound included. */
  get seen(): number {
    return this.#seen
  }

  /** Copies `chunk[start..end)`, as far as the bound allows. */
  append(chunk: Buffer, start: number, end: number): void {
    this.#seen += end - start
    // One byte more than the limit is kept, since it may be the CR of a line that just fits.
    const room = this.#limit + 1 - this.#kept
    const taken = Math.min(room, end - start)
    if (taken <= 0) return
    this.#reserve(this.#kept + taken)
    chunk.copy(this.#bytes, this.#kept, start, start + taken)
    this.#kept += taken
  }

  // Doubling keeps a message that comes byte by byte linear in its length.
  #reserve(length: number): void {
    if (length <= this.#bytes.length) return
    const doubled = Math.max(SMALLEST, this.#bytes.length * 2, length)
    const bytes = Buffer.allocUnsafeSlow(Math.min(doubled, this.#limit + 1))
    this.#bytes.copy(bytes, 0, 0, this.#kept)
    this.#bytes = bytes
  }

  /** Ends the message, less one trailing CR, and gets ready for the next. */
  finish(): Gathered {
    const whole = this.#seen === this.#kept
    const end = whole && this.#bytes[this.#kept - 1] === CR ? this.#kept - 1 : this.#kept
    const truncated = !whole || end > this.#limit
    const cut = truncated ? wholeCharactersEnd(this.#bytes, Math.min(end, this.#limit)) : end
    const text = this.#bytes.toString('utf8', 0, cut)
    this.#kept = 0
    this.#seen = 0
    if (this.#bytes.length > KEPT_BETWEEN_MESSAGES) this.#bytes = Buffer.alloc(0)
    return { text, truncated }
  }
}
