/** Sets of strings as sorted arrays: JSON as they are, and compared in one pass. */

/** @returns the distinct strings in the order of their UTF-16 code units */
export function stringSet(strings: Iterable<string>): string[] {
  // As most are, and a Set of each would be most of what is made for an address.
  if (Array.isArray(strings) && strings.length < 2) return strings.slice()
  return [...new Set(strings)].sort()
}

/** @returns how many strings two sorted sets share */
export function sharedCount(a: readonly string[], b: readonly string[]): number {
  let shared = 0
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const one = a[i] as string
    const other = b[j] as string
    if (one === other) shared += 1
    if (one <= other) i += 1
    if (other <= one) j += 1
  }
  return shared
}

export function intersects(a: readonly string[], b: readonly string[]): boolean {
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const one = a[i] as string
    const other = b[j] as string
    if (one === other) return true
    if (one < other) i += 1
    else j += 1
  }
  return false
}

/** @returns |a ∩ b| / |a ∪ b| of two sorted sets; 0 where both are empty */
export function jaccard(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return 0
  const shared = sharedCount(a, b)
  return shared / (a.length + b.length - shared)
}
