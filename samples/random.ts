/** Seeded randomness: the same name gives the same numbers on every machine. */

/** A stream of choices. */
export interface Random {
  /** A whole number, 0 or more and less than `limit`. */
  below(limit: number): number
  /** A whole number, `low` to `high`, both possible. */
  between(low: number, high: number): number
  pick<T>(items: readonly T[]): T
  /** True in `percent` of 100 cases. */
  chance(percent: number): boolean
  /** Lower-case hex characters. */
  hex(length: number): string
  /** Microseconds around a mean of `ms`: between a third of it and five thirds. */
  gap(ms: number): number
}

/** One generator per actor, so that a change to one leaves the others as they were. */
export function random(name: string): Random {
  const next = mulberry32(fnv1a(name))
  const below = (limit: number) => Math.floor(next() * limit)
  return {
    below,
    between: (low, high) => low + below(high - low + 1),
    pick: (items) => items[below(items.length)] as (typeof items)[number],
    chance: (percent) => below(100) < percent,
    hex: (length) => Array.from({ length }, () => below(16).toString(16)).join(''),
    gap: (ms) => Math.floor(ms * 1000 * (1 / 3 + (next() * 4) / 3)),
  }
}

/** Tommy Ettinger's mulberry32: 32 bits of state, plenty for a sample. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
