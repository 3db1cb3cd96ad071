/** Queries on the dead letters of one pipeline, for whoever has its state file open. */
import type { Database } from 'better-sqlite3'
import type { Event } from './event.ts'

/** An event that a node could not handle, and why. */
export interface DeadLetter {
  readonly id: number
  /** the node that could not handle it */
  readonly node: string
  /** id of `event` */
  readonly eventId: string
  /** event time, ms */
  readonly time: number
  readonly code: string
  readonly message: string
  /** what came into the node; text, since it is checked only where it is used */
  readonly event: string
}

/** Which letters are meant: those that all of the given conditions hold for. */
export interface LetterSelection {
  readonly ids?: readonly number[] | undefined
  readonly node?: string | undefined
  readonly code?: string | undefined
}

const COLUMNS = 'id, node, event_id AS eventId, time, code, message, event'

/** Conditions as SQL; ids travel as one JSON parameter, so that their number does not matter. */
function where({ ids, node, code }: LetterSelection): { sql: string; values: unknown[] } {
  const conditions: [string, unknown][] = []
  if (ids) conditions.push(['id IN (SELECT value FROM json_each(?))', JSON.stringify(ids)])
  if (node !== undefined) conditions.push(['node = ?', node])
  if (code !== undefined) conditions.push(['code = ?', code])
  const sql = ['1', ...conditions.map(([condition]) => condition)].join(' AND ')
  return { sql, values: conditions.map(([, value]) => value) }
}

/**
 * Letters with ids after `after`, oldest first.
 * @param limit how many at most
 */
export function lettersAfter(
  db: Database,
  selection: LetterSelection,
  after: number,
  limit: number,
): DeadLetter[] {
  const { sql, values } = where(selection)
  return db
    .prepare(`SELECT ${COLUMNS} FROM dead_letter WHERE ${sql} AND id > ? ORDER BY id LIMIT ?`)
    .all(...values, after, limit) as DeadLetter[]
}

/** @returns how many letters there are, and the highest id among them (0 for none) */
export function countLetters(
  db: Database,
  selection: LetterSelection,
): { count: number; last: number } {
  const { sql, values } = where(selection)
  return db
    .prepare(`SELECT COUNT(*) AS count, COALESCE(MAX(id), 0) AS last FROM dead_letter WHERE ${sql}`)
    .get(...values) as { count: number; last: number }
}

/** @returns how many were there */
export function deleteLetters(db: Database, selection: LetterSelection): number {
  const { sql, values } = where(selection)
  return db.prepare(`DELETE FROM dead_letter WHERE ${sql}`).run(...values).changes
}

/** The event of a letter as the node got it; undefined where the letter is damaged. */
export function eventOf(letter: DeadLetter): Event | undefined {
  let read: Partial<Event> | null
  try {
    read = JSON.parse(letter.event)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  const { id, topic, time, data } = read ?? {}
  if (typeof id !== 'string' || typeof topic !== 'string' || typeof time !== 'number') {
    return undefined
  }
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return undefined
  return { id, topic, time, data }
}
