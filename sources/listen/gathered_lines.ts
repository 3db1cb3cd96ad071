/** Whole lines of one peer, as bytes, until the engine pulls them. Not a component. */
import type { LineBlock } from '../../engine/index.ts'
import type { LineRun } from '../../protocols/syslog_framing.ts'

/** Room to begin with, and beyond which only a single line goes that is longer. bytes */
const FIRST_BYTES = 64 * 1024
const MOST_BYTES = 256 * 1024

export class GatheredLines {
  readonly #fields: Readonly<Record<string, string>>
  readonly #most: number
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #length = 0
  readonly #ends: number[] = []
  readonly #receivedAt: number[] = []

  /** @param most lines, at most */
  constructor(fields: Readonly<Record<string, string>>, most: number) {
    this.#fields = fields
    this.#most = most
  }

  get count(): number {
    return this.#ends.length
  }

  /** bytes of the lines so far */
  get size(): number {
    return this.#length
  }

  isFor(fields: Readonly<Record<string, string>>): boolean {
    return fields === this.#fields
  }

  /** @returns whether there was room for it, as there is where nothing is yet */
  pushText(text: string, receivedAt: number): boolean {
    // A UTF-16 code unit takes three bytes at most.
    if (!this.#reserve(text.length * 3 + 1)) return false
    this.#length += this.#bytes.write(text, this.#length)
    this.#ends.push(this.#length)
    this.#receivedAt.push(receivedAt)
    this.#bytes[this.#length++] = 0
    return true
  }

  /**
   * Takes lines of a run in, as many as there is room for: one at least where nothing is yet.
   * @param first the first to take
   * @returns the first that was not taken
   */
  pushRun({ bytes, start, ends }: LineRun, first: number, receivedAt: number): number {
    const from = first === 0 ? start : (ends[first - 1] as number) + 1
    const shift = this.#length - from
    const last = Math.min(ends.length, first + this.#most - this.count)
    let next = first
    while (next < last) {
      const end = (ends[next] as number) + shift
      if (end >= MOST_BYTES && this.count > 0) break
      this.#ends.push(end)
      this.#receivedAt.push(receivedAt)
      next += 1
    }
    if (next === first) return first
    const to = (ends[next - 1] as number) + 1
    this.#grow(to + shift)
    bytes.copy(this.#bytes, this.#length, from, to)
    this.#length = to + shift
    return next
  }

  #reserve(length: number): boolean {
    const needed = this.#length + length
    if (this.count === this.#most || (needed > MOST_BYTES && this.count > 0)) return false
    this.#grow(needed)
    return true
  }

  #grow(needed: number): void {
    if (needed <= this.#bytes.length) return
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, MOST_BYTES))
    this.#bytes.copy(bytes, 0, 0, this.#length)
    this.#bytes = bytes
  }

  /** Hands over what there is; nothing may be pushed after. */
  take(): LineBlock {
    return {
      bytes: new Uint8Array(this.#bytes.buffer as ArrayBuffer, 0, this.#length),
      ends: new Uint32Array(this.#ends),
      receivedAt: new Float64Array(this.#receivedAt),
      fields: this.#fields,
    }
  }
}
