/** What has changed of a table, for those who follow it. */
import type { Statements } from './database.ts'
import type { Insert } from './insert.ts'

/** By the table whose rows are followed. */
const FEEDS = {
  attackers: { table: 'attacker_changes', columns: ['uuid'], replaces: true },
  attacker_identities: { table: 'identity_changes', columns: ['uuid'], replaces: true },
} as const satisfies Readonly<Record<string, Insert>>

/**
 * Puts rows at the end of what has changed. To be called in the transaction that writes them, after
 * that, so that whoever sees the change sees the row.
 */
export function noteChanges(
  statements: Statements,
  table: keyof typeof FEEDS,
  uuids: Iterable<string>,
): Promise<void> {
  const last = new Set<string>()
  for (const uuid of uuids) {
    // Taken out first, so that the order is that of one row at a time, however many are written at once.
    last.delete(uuid)
    last.add(uuid)
  }
  return statements.insert(
    FEEDS[table],
    [...last].map((uuid) => [uuid]),
  )
}
