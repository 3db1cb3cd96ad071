/** What a sink is to write of one batch, put together in a buffer that can be handed over. */

export class GrowingBytes {
  #bytes = Buffer.alloc(0)
  #length = 0
  /** how much the batch before has come to */
  #last = 0

  /** Where the next bytes may be put. */
  get room(): Buffer {
    if (this.#bytes.length === 0) this.#bytes = Buffer.allocUnsafeSlow(this.#last)
    return this.#bytes.subarray(this.#length)
  }

  /** @param bytes in the front of the last `room`, or anywhere else */
  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length
    const isThere =
      bytes.buffer === this.#bytes.buffer &&
      bytes.byteOffset === this.#bytes.byteOffset + this.#length
    if (!isThere) {
      if (length > this.#bytes.length) this.#grow(length)
      this.#bytes.set(bytes, this.#length)
    }
    this.#length = length
  }

  #grow(needed: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2))
    this.#bytes.copy(bytes, 0, 0, this.#length)
    this.#bytes = bytes
  }

  /** Hands over what there is, in a buffer that nobody else has, and starts anew. */
  take(): Uint8Array<ArrayBuffer> {
    const length = this.#length
    if (length === 0) return new Uint8Array(0)
    const { buffer } = this.#bytes
    this.#bytes = Buffer.alloc(0)
    this.#length = 0
    // Room to spare, since what does not surely fit is put elsewhere first.
    this.#last = Math.ceil(length * 1.25)
    return new Uint8Array(buffer as ArrayBuffer, 0, length)
  }
}
