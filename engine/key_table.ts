/** A hash table of entries that know their key, for keys that come and go by the million. */
import { secret32 } from './clock.ts'

/** What a table can hold: `hash` is that of `key`, by the table it is in. */
export interface Hashed {
  readonly key: string
  readonly hash: number
}

const FEWEST_PLACES = 16

/**
 * Like a Map, without an order of its own, and three times as fast where each event brings a key and
 * drops one: a Map rebuilds itself over and over then, and looks at the text of a key wherever it
 * compares one. Open addressing with linear probing; half of the places at least stay free.
 */
export class KeyTable<T extends Hashed> {
  // Keys are written by attackers, who must not know which of them meet in one place.
  readonly #seed: readonly [number, number] = [secret32(), secret32()]
  #places: (T | undefined)[] = emptyPlaces(FEWEST_PLACES)
  /** of the entry at each place, so that most that differ need not be looked at */
  #hashes = new Int32Array(FEWEST_PLACES)
  #mask = FEWEST_PLACES - 1
  #size = 0

  get size(): number {
    return this.#size
  }

  hashOf(key: string): number {
    return halfSipHash(key, this.#seed[0], this.#seed[1])
  }

  find(key: string, hash: number): T | undefined {
    const places = this.#places
    const hashes = this.#hashes
    for (let at = hash & this.#mask; ; at = (at + 1) & this.#mask) {
      const entry = places[at]
      if (entry === undefined) return undefined
      if (hashes[at] === hash && entry.key === key) return entry
    }
  }

  /** @param entry of a key that is not there */
  add(entry: T): void {
    if (2 * (this.#size + 1) > this.#places.length) this.#grow()
    this.#put(entry)
    this.#size += 1
  }

  /** @param entry that is there */
  delete(entry: T): void {
    const places = this.#places
    const hashes = this.#hashes
    const mask = this.#mask
    let hole = entry.hash & mask
    while (places[hole] !== entry) hole = (hole + 1) & mask
    // What was pushed past the place that is free now moves up, or nobody would find it.
    for (let at = (hole + 1) & mask; places[at] !== undefined; at = (at + 1) & mask) {
      const wanted = (hashes[at] as number) & mask
      if (((at - wanted) & mask) < ((at - hole) & mask)) continue
      places[hole] = places[at]
      hashes[hole] = hashes[at] as number
      hole = at
    }
    places[hole] = undefined
    this.#size -= 1
  }

  #put(entry: T): void {
    let at = entry.hash & this.#mask
    while (this.#places[at] !== undefined) at = (at + 1) & this.#mask
    this.#places[at] = entry
    this.#hashes[at] = entry.hash
  }

  #grow(): void {
    const before = this.#places
    this.#places = emptyPlaces(2 * before.length)
    this.#hashes = new Int32Array(this.#places.length)
    this.#mask = this.#places.length - 1
    for (const entry of before) if (entry !== undefined) this.#put(entry)
  }
}

const emptyPlaces = <T>(count: number): (T | undefined)[] => new Array(count).fill(undefined)

/**
 * HalfSipHash-1-3 with a key of 64 bits (Aumasson and Bernstein, SipHash: a fast short-input PRF, 2012;
 * github.com/veorq/SipHash), over UTF-16 code units, two in a block.
 * @returns 32 bits, signed
 */
function halfSipHash(text: string, low: number, high: number): number {
  let a = low
  let b = high
  let c = low ^ 0x6c796765
  let d = high ^ 0x74656462
  const { length } = text
  // The last block holds what is left over and the length; three more rounds finish.
  const blocks = length >> 1
  for (let block = 0; block < blocks + 4; block++) {
    let word = 0
    if (block < blocks) {
      word = text.charCodeAt(2 * block) | (text.charCodeAt(2 * block + 1) << 16)
    } else if (block === blocks) {
      word = (length << 24) | ((length & 1) === 1 ? text.charCodeAt(length - 1) : 0)
    }
    d ^= word
    a = (a + b) | 0
    b = ((b << 5) | (b >>> 27)) ^ a
    a = (a << 16) | (a >>> 16)
    c = (c + d) | 0
    d = ((d << 8) | (d >>> 24)) ^ c
    a = (a + d) | 0
    d = ((d << 7) | (d >>> 25)) ^ a
    c = (c + b) | 0
    b = ((b << 13) | (b >>> 19)) ^ c
    c = (c << 16) | (c >>> 16)
    a ^= word
    if (block === blocks) c ^= 0xff
  }
  return b ^ d
}
