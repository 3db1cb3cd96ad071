/** The order of TCP options as letters, the way our own events and the coarse OS table spell it. */

const LETTERS = new Map([
  [0, 'E'],
  [1, 'N'],
  [2, 'M'],
  [3, 'W'],
  [4, 'S'],
  [5, 'S'],
  [8, 'T'],
  // Alternate checksums (RFC 1146) and the user timeout (RFC 5482).
  [14, 'A'],
  [15, 'A'],
  [28, 'U'],
])
const LETTER_OF_KIND = Array.from({ length: 256 }, (_, kind) => LETTERS.get(kind) ?? '?')

/**
 * @param kinds in wire order, kind 0 once at most
 * @returns e.g. `M,S,T,N,W`; empty without options
 */
export function optionsSig(kinds: ArrayLike<number>, kindCount = kinds.length): string {
  let letters = ''
  for (let at = 0; at < kindCount; at++) {
    const letter = LETTER_OF_KIND[kinds[at] ?? 0] ?? '?'
    letters += at === 0 ? letter : `,${letter}`
  }
  return letters
}
