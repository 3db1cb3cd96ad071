/** Numbers by index, packed, for structures that hold millions of nodes. */

const SMALLEST = 64

/** 32-bit integers; an index never set holds `empty`. Indexes are dense: memory goes by the highest. */
export class IntColumn {
  readonly #empty: number
  #values: Int32Array<ArrayBuffer>

  constructor(empty: number) {
    this.#empty = empty
    this.#values = new Int32Array(SMALLEST).fill(empty)
  }

  get(index: number): number {
    return index < this.#values.length ? (this.#values[index] as number) : this.#empty
  }

  set(index: number, value: number): void {
    if (index >= this.#values.length) this.#grow(index)
    this.#values[index] = value
  }

  clear(): void {
    this.#values.fill(this.#empty)
  }

  #grow(index: number): void {
    const before = this.#values
    this.#values = new Int32Array(Math.max(index + 1, 2 * before.length)).fill(
      this.#empty,
      before.length,
    )
    this.#values.set(before)
  }
}
