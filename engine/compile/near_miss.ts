/** Finds the word somebody probably meant. */

/** Longer words are no slips of the finger, and comparing them costs its square. */
const LONGEST_WORD = 64

/**
 * Edits between two words: insertions, deletions, replacements and swaps of neighbours
 * (optimal string alignment, i.e. Damerau-Levenshtein without editing a swapped pair again).
 */
export function editDistance(one: string, other: string): number {
  let before: number[] = []
  let above = Array.from({ length: other.length + 1 }, (_, column) => column)
  for (let row = 1; row <= one.length; row++) {
    const current = [row]
    for (let column = 1; column <= other.length; column++) {
      const same = one[row - 1] === other[column - 1]
      let edits = Math.min(
        (above[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (above[column - 1] ?? 0) + (same ? 0 : 1),
      )
      if (row > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1]) {
        edits = Math.min(edits, (before[column - 2] ?? 0) + 1)
      }
      current.push(edits)
    }
    before = above
    above = current
  }
  return above[other.length] ?? 0
}

/**
 * @returns the candidate fewest edits away (the first of several), or undefined where every one is
 *   more than a third of its letters off
 */
export function nearMiss(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > LONGEST_WORD) return undefined
  const typed = word.toLowerCase()
  let best: string | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const allowed = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3))
    if (Math.abs(candidate.length - word.length) > allowed) continue
    const edits = editDistance(typed, candidate.toLowerCase())
    if (edits > allowed || edits >= fewest) continue
    best = candidate
    fewest = edits
  }
  return best
}

/** Names past this many help nobody. */
const MOST_LISTED = 30

/** `a, b, c`, of very many the first. */
export function listOf(names: readonly string[]): string {
  const listed = names.slice(0, MOST_LISTED).join(', ')
  return names.length > MOST_LISTED ? `${listed}, …` : listed
}

/** `did you mean "x"? ` where there is a near miss, else nothing; goes before a list of choices. */
export function suggestion(word: string, candidates: Iterable<string>): string {
  const meant = nearMiss(word, candidates)
  return meant === undefined ? '' : `did you mean "${meant}"? `
}
