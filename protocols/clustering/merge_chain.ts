/** Soft merges: a row that says which other row it has become part of. */

/** Pointers followed, at most: chains are one long, and what is longer comes from elsewhere. */
const MAX_HOPS = 8

/**
 * @param pointerOf `merged_into_uuid` of a row; null where it has none, undefined where there is no
 *   such row
 * @returns the row that stands for `uuid`: the end of its chain, or where eight steps lead. A pointer
 *   to itself or to a missing row is not followed, and a circle ends with the steps.
 * @see spec/clustering.md section 4.2
 */
export function resolveChain(
  uuid: string,
  pointerOf: (uuid: string) => string | null | undefined,
): string {
  let at = uuid
  for (let hop = 0; hop < MAX_HOPS; hop++) {
    const next = pointerOf(at)
    if (next === null || next === undefined || next === at) break
    if (pointerOf(next) === undefined) break
    at = next
  }
  return at
}
