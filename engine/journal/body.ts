/** Bytes of a frame before they are compressed, gathered in memory that the next frame uses again. */

const LEAST = 64 * 1024
/** bytes that are kept for the next frame, at most: a frame beyond is rare and gives its own back */
const MOST_KEPT = 8 * 1024 * 1024
/** bytes that a UTF-16 code unit comes to in UTF-8, at most */
const MOST_PER_UNIT = 3

export class Body {
  #memory = Buffer.allocUnsafeSlow(LEAST)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** What has been written; valid until the next write. */
  get bytes(): Buffer {
    return this.#memory.subarray(0, this.#length)
  }

  /** Bytes of memory it holds, in use or not. */
  get held(): number {
    return this.#memory.length
  }

  /** Writes a text as UTF-8. @returns how many bytes that took */
  text(text: string): number {
    const most = text.length * MOST_PER_UNIT
    if (most > this.#memory.length - this.#length) this.#makeRoom(Buffer.byteLength(text))
    const written = this.#memory.write(text, this.#length)
    this.#length += written
    return written
  }

  /** Leaves `count` bytes out, to be written later. @returns where they are */
  skip(count: number): number {
    this.#makeRoom(count)
    const at = this.#length
    this.#length += count
    return at
  }

  /** Takes back what was written from `length` on. */
  cut(length: number): void {
    this.#length = length
  }

  clear(): void {
    this.#length = 0
    if (this.#memory.length > MOST_KEPT) this.#memory = Buffer.allocUnsafeSlow(LEAST)
  }

  #makeRoom(count: number): void {
    const needed = this.#length + count
    if (needed <= this.#memory.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#memory.length))
    this.#memory.copy(larger, 0, 0, this.#length)
    this.#memory = larger
  }
}
