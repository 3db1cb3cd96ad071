/** Chance that is the same every time. */

export interface Random {
  /** 0..n-1 */
  below(n: number): number
  chance(p: number): boolean
  pick<T>(list: readonly T[]): T
  shuffle<T>(list: readonly T[]): T[]
  /** Each with probability p. */
  some<T>(list: readonly T[], p: number): T[]
}

/** Mulberry32. */
export function seeded(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (n: number) => Math.floor(next() * n)
  return {
    below,
    chance: (p) => next() < p,
    pick: <T>(list: readonly T[]) => list[below(list.length)] as T,
    some: (list, p) => list.filter(() => next() < p),
    shuffle(list) {
      const shuffled = [...list]
      for (let at = shuffled.length - 1; at > 0; at--) {
        const other = below(at + 1)
        const kept = shuffled[at]
        shuffled[at] = shuffled[other] as (typeof shuffled)[number]
        shuffled[other] = kept as (typeof shuffled)[number]
      }
      return shuffled
    },
  }
}
