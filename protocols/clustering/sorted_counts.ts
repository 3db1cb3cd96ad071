/** A multiset kept in order, for sets of which the least, the greatest and the first few are asked. */

/** Distinct keys of a piece, at most: so many are moved by an insertion. */
const MOST_KEYS = 512

/** Some neighbouring keys, each with how often it is there (never 0). */
export interface Piece<K> {
  readonly keys: K[]
  readonly counts: number[]
  /** The least sum of counts from the start of the piece to one of its keys, and how often that is. */
  low: { readonly sum: number; readonly least: number; readonly times: number } | undefined
}

/** Costs O(log n) and a move within one piece for a change, whatever its size. */
export class SortedCounts<K> {
  readonly #compare: (a: K, b: K) => number
  readonly #pieces: Piece<K>[] = []
  #size = 0

  /** @param compare 0 only for keys that are the same */
  constructor(compare: (a: K, b: K) => number) {
    this.#compare = compare
  }

  /** Distinct keys. */
  get size(): number {
    return this.#size
  }

  get pieces(): readonly Piece<K>[] {
    return this.#pieces
  }

  /** Adds to how often a key is there; what comes to 0 is gone. */
  change(key: K, by: number): void {
    const pieces = this.#pieces
    const low = this.#pieceOf(key)
    const piece = pieces[low]
    if (!piece) {
      pieces.push({ keys: [key], counts: [by], low: undefined })
      this.#size += 1
      return
    }
    const at = this.#placeIn(piece.keys, key)
    piece.low = undefined
    if (at < piece.keys.length && this.#compare(piece.keys[at] as K, key) === 0) {
      const count = (piece.counts[at] as number) + by
      piece.counts[at] = count
      if (count === 0) this.#drop(piece, low, at)
      return
    }
    piece.keys.splice(at, 0, key)
    piece.counts.splice(at, 0, by)
    this.#size += 1
    if (piece.keys.length > MOST_KEYS) this.#halve(piece, low)
  }

  get first(): K | undefined {
    return this.#pieces[0]?.keys[0]
  }

  get last(): K | undefined {
    return this.#pieces.at(-1)?.keys.at(-1)
  }

  /** @returns the least keys, `limit` at most, in order */
  take(limit: number): K[] {
    const taken: K[] = []
    for (const { keys } of this.#pieces) {
      if (taken.length >= limit) break
      taken.push(...keys.slice(0, limit - taken.length))
    }
    return taken
  }

  /** @returns the greatest key that is less than `key`, which need not be there */
  before(key: K): K | undefined {
    const index = this.#pieceOf(key)
    const piece = this.#pieces[index]
    if (!piece) return undefined
    const at = this.#placeIn(piece.keys, key)
    return at > 0 ? piece.keys[at - 1] : this.#pieces[index - 1]?.keys.at(-1)
  }

  /** @returns the least key that is greater than `key`, which need not be there */
  after(key: K): K | undefined {
    const index = this.#pieceOf(key)
    const piece = this.#pieces[index]
    if (!piece) return undefined
    let at = this.#placeIn(piece.keys, key)
    if (at < piece.keys.length && this.#compare(piece.keys[at] as K, key) === 0) at += 1
    return at < piece.keys.length ? piece.keys[at] : this.#pieces[index + 1]?.keys[0]
  }

  /** The last piece that begins at or before the key; else the first. */
  #pieceOf(key: K): number {
    let low = 0
    let high = this.#pieces.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#compare(this.#pieces[middle]?.keys[0] as K, key) <= 0) low = middle
      else high = middle - 1
    }
    return low
  }

  #placeIn(keys: readonly K[], key: K): number {
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#compare(keys[middle] as K, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  #drop(piece: Piece<K>, index: number, at: number): void {
    piece.keys.splice(at, 1)
    piece.counts.splice(at, 1)
    this.#size -= 1
    if (piece.keys.length === 0) {
      this.#pieces.splice(index, 1)
      return
    }
    // Else many removals would leave very many pieces of one key each.
    const next = this.#pieces[index + 1]
    if (!next || piece.keys.length + next.keys.length > MOST_KEYS / 2) return
    piece.keys.push(...next.keys)
    piece.counts.push(...next.counts)
    this.#pieces.splice(index + 1, 1)
  }

  #halve(piece: Piece<K>, index: number): void {
    const half = piece.keys.length >> 1
    const keys = piece.keys.splice(half)
    const counts = piece.counts.splice(half)
    this.#pieces.splice(index + 1, 0, { keys, counts, low: undefined })
  }
}

export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
export const byNumber = (a: number, b: number): number => a - b
