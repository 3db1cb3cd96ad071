/** Where a journalled source stands, as a checkpoint keeps it. */

/** Position of a journalled source in a checkpoint. */
export interface JournalPosition {
  readonly journal: {
    /** sequence of the next item that has not entered the graph */
    readonly next: number
    /** how many items the source had given by then */
    readonly given: number
    /** where the source itself resumes once the journal has been read */
    readonly position: unknown
  }
}

/**
 * Where a source resumes that is not journalled (any more).
 * @param position as the last checkpoint has it
 */
export const barePosition = (position: unknown): unknown =>
  isJournalPosition(position) ? (position.journal.position ?? undefined) : position

function isJournalPosition(position: unknown): position is JournalPosition {
  if (typeof position !== 'object' || position === null || !('journal' in position)) return false
  const { journal } = position
  return typeof journal === 'object' && journal !== null && 'next' in journal
}

/**
 * Where a source starts in the journal. One that is journalled from now on has nothing in it,
 * whatever is there: it starts at the end, Infinity.
 * @param position as the last checkpoint has it
 * @param given items the source had given by then
 */
export function startOf(position: unknown, given: number): JournalPosition['journal'] {
  if (isJournalPosition(position)) return position.journal
  return { next: position === undefined ? 0 : Number.POSITIVE_INFINITY, given, position }
}
