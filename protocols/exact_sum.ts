/** Sums of doubles that come out the same in any order. */

/** Doubles that add up to the exact sum, none of them overlapping another; the least first. */
export type Partials = number[]

/**
 * Adds a number without rounding (Shewchuk's algorithm). The partials are few: as many as it takes
 * to write the sum exactly, 40 at most.
 * @see J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic, 1997, section 2
 */
export function addExactly(partials: Partials, value: number): void {
  let x = value
  let kept = 0
  for (const partial of partials) {
    const [large, small] = Math.abs(x) < Math.abs(partial) ? [partial, x] : [x, partial]
    const sum = large + small
    const rest = small - (sum - large)
    if (rest !== 0) partials[kept++] = rest
    x = sum
  }
  partials.length = kept
  if (x !== 0) partials.push(x)
}

/** @returns the double nearest to the exact sum, ties to even */
export function exactSum(partials: Partials): number {
  let at = partials.length - 1
  if (at < 0) return 0
  let sum = partials[at--] as number
  let rest = 0
  while (at >= 0 && rest === 0) {
    const before = sum
    const next = partials[at--] as number
    sum = before + next
    rest = next - (sum - before)
  }
  // Halfway between two doubles: what is left decides, by its sign, which is nearer.
  const left = at >= 0 ? (partials[at] as number) : 0
  if ((rest < 0 && left < 0) || (rest > 0 && left > 0)) {
    const up = sum + rest * 2
    if (up - sum === rest * 2) sum = up
  }
  return sum
}
