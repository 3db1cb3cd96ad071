/**
 * What is asked of a connection to SQLite, and how it answers. Both are plain data, since the
 * connection that writes has a thread of its own; what is imported here is loaded there once more.
 */
import type BetterSqlite from 'better-sqlite3'
import type { Row } from './database.ts'
import type { Value } from './insert.ts'

export type Request =
  | 'begin'
  | 'commit'
  /** Does nothing where no transaction is open: SQLite ends one by itself when the disk is full. */
  | 'rollback'
  | { readonly insert: InsertTexts; readonly rows: readonly (readonly Value[])[] }
  | { readonly select: string; readonly values: readonly Value[] }
  /** Answered with one row: how many rows each has `changed`, in order. */
  | { readonly updates: readonly UpdateValues[]; readonly texts: readonly string[] }

/** Which of the texts, and its values: very many share one. */
export type UpdateValues = readonly [text: number, ...values: Value[]]

/** One insert as two statements: for `BLOCK_ROWS` rows, and for one. */
export interface InsertTexts {
  readonly block: string
  readonly single: string
}

/** Throws SQLite's errors, with their `code`, wherever the connection is. */
export type Ask = (request: Request) => Promise<readonly Row[]>

/** Measured: 8 rows a statement save a tenth over one, 32 to 128 a fifth. */
export const BLOCK_ROWS = 64

// Waiting for a lock inside SQLite stops the thread it runs on, so each wait is short; between two
// of them (`patiently`) the event loop runs.
export const BUSY_TIMEOUT_MS = 250

/**
 * `synchronous = full`: a batch is acknowledged once it is committed, and the position in the
 * engine's own file then moves past it. With `normal` a power cut could take back commits that the
 * position already counts on. WAL lets readers go on meanwhile.
 */
export function prepare(handle: BetterSqlite.Database): void {
  handle.pragma('journal_mode = wal')
  handle.pragma('synchronous = full')
  handle.pragma('foreign_keys = on')
}

/** @returns what does the work of an `Ask` on `handle`, on the spot */
export function answerer(handle: BetterSqlite.Database): (request: Request) => readonly Row[] {
  // As many as there are inserts in the code, for values are never part of a text.
  const prepared = new Map<string, BetterSqlite.Statement>()
  const inserting = (sql: string) => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const statement = handle.prepare(sql)
    prepared.set(sql, statement)
    return statement
  }
  return (request) => {
    if (request === 'begin') {
      // Immediate: a transaction that begins by reading could not become a writing one later.
      handle.exec('begin immediate')
    } else if (request === 'commit') handle.exec('commit')
    else if (request === 'rollback') {
      if (handle.inTransaction) handle.exec('rollback')
    } else if ('insert' in request) {
      // What was asked before SQLite ended the transaction must not be written without it.
      if (!handle.inTransaction) throw new Error('the transaction of this insert has ended')
      insertAll(request.insert, request.rows, inserting)
    } else if ('updates' in request) {
      if (!handle.inTransaction) throw new Error('the transaction of this update has ended')
      const statements = request.texts.map(inserting)
      const changed = request.updates.map(
        ([text, ...values]) => (statements[text] as BetterSqlite.Statement).run(values).changes,
      )
      return [{ changed }]
    } else return handle.prepare<Value[], Row>(request.select).all(...request.values)
    return []
  }
}

function insertAll(
  { block, single }: InsertTexts,
  rows: readonly (readonly Value[])[],
  inserting: (sql: string) => BetterSqlite.Statement,
): void {
  let done = 0
  for (; done + BLOCK_ROWS <= rows.length; done += BLOCK_ROWS) {
    inserting(block).run(rows.slice(done, done + BLOCK_ROWS).flat())
  }
  for (const row of rows.slice(done)) inserting(single).run(row)
}
