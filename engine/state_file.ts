/** One pipeline's durable memory: positions, keyed state, timers and dead letters, in one SQLite file. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import {
  countLetters,
  type DeadLetter,
  deleteLetters,
  type LetterSelection,
  lettersAfter,
} from './dead_letters.ts'
import { EngineError } from './errors.ts'
import type { Event } from './event.ts'
import { failpoint } from './failpoint.ts'
import type { SavedKey, StateChanges } from './keyed_state.ts'

/** Where a source resumes, and how many events it has delivered so far. */
export interface SavedPosition {
  readonly position: unknown
  readonly sequence: number
}

/** Everything a checkpoint writes, at once or not at all. */
export interface Checkpoint {
  readonly positions: ReadonlyMap<string, SavedPosition>
  /** how far sinks that resume have been written */
  readonly sinkPositions?: ReadonlyMap<string, unknown>
  /** ms, by keyed node */
  readonly watermarks: ReadonlyMap<string, number>
  readonly changes: ReadonlyMap<string, StateChanges>
  /** dead letters whose replay this checkpoint holds the effect of: they go with it */
  readonly doneLetters?: readonly number[]
}

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS position (
    source TEXT PRIMARY KEY, type TEXT NOT NULL, position TEXT NOT NULL, sequence INTEGER NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS watermark (
    node TEXT PRIMARY KEY, type TEXT NOT NULL, time REAL NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS keyed (
    node TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL,
    touched REAL NOT NULL, stamp INTEGER NOT NULL, timers TEXT NOT NULL,
    PRIMARY KEY (node, key)
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS dead_letter (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    node TEXT NOT NULL, event_id TEXT NOT NULL, time REAL NOT NULL,
    code TEXT NOT NULL, message TEXT NOT NULL, event TEXT NOT NULL,
    UNIQUE (node, event_id, code)
  );
`

/** What most keys have; a million of them share it. */
const NO_TIMERS: readonly number[] = []

/**
 * For state by the million: pages that a checkpoint changes stay in memory until it ends (KiB), and go
 * from the log to their place once for several of them (pages), after which the log is cut (bytes).
 */
const BOUNDS = [
  'cache_size = -65536',
  'wal_autocheckpoint = 16384',
  'journal_size_limit = 67108864',
]

/** Raised with the tables; an older file of another layout is refused, not guessed at. */
const LAYOUT = 1

export class StateFile {
  readonly #db: Database.Database
  readonly #lock: Database.Database
  readonly #deadLetterLimit: number
  readonly #types: ReadonlyMap<string, string>

  /**
   * Opens or makes `<dir>/<pipeline>.sqlite` and locks it for this process.
   * @param types type of each node, so that state of another component is not taken for its own
   * @throws {EngineError} `STATE_LOCKED` when another process runs the pipeline,
   *   `STATE_LAYOUT` when the file is not one of ours, `STATE_DIR` when it cannot be made or
   *   written, `STATE_DAMAGED` when SQLite cannot read it
   */
  constructor(
    dir: string,
    pipeline: string,
    options: { types: ReadonlyMap<string, string>; deadLetterLimit: number },
  ) {
    this.#types = options.types
    this.#deadLetterLimit = options.deadLetterLimit
    try {
      mkdirSync(dir, { recursive: true, mode: 0o750 })
    } catch (cause) {
      throw new EngineError('STATE_DIR', `cannot make the state directory ${dir}`, { cause })
    }
    this.#lock = lock(join(dir, `${pipeline}.lock`), pipeline)
    try {
      this.#db = openTables(join(dir, `${pipeline}.sqlite`))
    } catch (error) {
      this.#lock.close()
      throw error
    }
  }

  /** The same 16 hex characters for as long as the file lives; `make` mints them the first time. */
  epoch(make: () => string): string {
    const insert = this.#db.prepare(`INSERT OR IGNORE INTO meta VALUES ('epoch', ?)`)
    insert.run(make())
    const row = this.#db.prepare(`SELECT value FROM meta WHERE key = 'epoch'`).get()
    return (row as { value: string }).value
  }

  positions(): Map<string, SavedPosition> {
    const rows = this.#db.prepare('SELECT * FROM position').all() as {
      source: string
      type: string
      position: string
      sequence: number
    }[]
    return new Map(
      rows
        .filter(({ source, type }) => this.#types.get(source) === type)
        .map((row) => [row.source, { position: JSON.parse(row.position), sequence: row.sequence }]),
    )
  }

  /**
   * Keeps where a sink stood when it was opened, beside the checkpoint: nothing of what follows it
   * has been written by then.
   */
  saveSinkPosition(sink: string, position: unknown): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO position VALUES (?, ?, ?, 0)')
      .run(sink, this.#types.get(sink), JSON.stringify(position))
  }

  /** Keyed state of one node, with the watermark it was saved at; undefined if there is none. */
  keyed(node: string): { keys: SavedKey[]; watermark: number } | undefined {
    const saved = this.#db.prepare('SELECT type, time FROM watermark WHERE node = ?').get(node) as
      | { type: string; time: number }
      | undefined
    if (!saved || saved.type !== this.#types.get(node)) return undefined
    const rows = this.#db
      .prepare('SELECT key, state, touched, stamp, timers FROM keyed WHERE node = ?')
      .iterate(node) as IterableIterator<
      Record<string, string> & { touched: number; stamp: number }
    >
    const keys: SavedKey[] = []
    for (const { key, state, touched, stamp, timers } of rows) {
      keys.push({
        key: key as string,
        state: state as string,
        touched,
        stamp,
        timers: timers === '[]' ? NO_TIMERS : JSON.parse(timers as string),
      })
    }
    return { keys, watermark: saved.time }
  }

  /** Writes a checkpoint in one transaction. */
  save({ positions, sinkPositions, watermarks, changes, doneLetters = [] }: Checkpoint): void {
    const savePosition = this.#db.prepare('INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?)')
    const saveWatermark = this.#db.prepare('INSERT OR REPLACE INTO watermark VALUES (?, ?, ?)')
    const saveKey = this.#db.prepare('INSERT OR REPLACE INTO keyed VALUES (?, ?, ?, ?, ?, ?)')
    const dropKey = this.#db.prepare('DELETE FROM keyed WHERE node = ? AND key = ?')
    this.#db.transaction(() => {
      if (doneLetters.length > 0) deleteLetters(this.#db, { ids: doneLetters })
      for (const [source, { position, sequence }] of positions) {
        const type = this.#types.get(source)
        savePosition.run(source, type, JSON.stringify(position ?? null), sequence)
      }
      for (const [sink, position] of sinkPositions ?? []) this.saveSinkPosition(sink, position)
      for (const [node, time] of watermarks) {
        saveWatermark.run(node, this.#types.get(node), Math.max(time, -Number.MAX_VALUE))
      }
      for (const [node, { saved, removed }] of changes) {
        for (const key of removed.toSorted()) dropKey.run(node, key)
        for (const { key, state, touched, stamp, timers } of inOrder(saved)) {
          const times = timers.length === 0 ? '[]' : JSON.stringify(timers)
          saveKey.run(node, key, state, Math.max(touched, -Number.MAX_VALUE), stamp, times)
        }
      }
      failpoint('checkpoint.before_commit')
    })()
    failpoint('checkpoint.after_commit')
  }

  /** Forgets what is kept for nodes that are no longer of the same type, or no longer there. */
  forgetStrangers(): string[] {
    const rows = this.#db.prepare('SELECT node, type FROM watermark').all() as {
      node: string
      type: string
    }[]
    const strangers = rows.filter(({ node, type }) => this.#types.get(node) !== type)
    for (const { node } of strangers) {
      this.#db.prepare('DELETE FROM keyed WHERE node = ?').run(node)
      this.#db.prepare('DELETE FROM watermark WHERE node = ?').run(node)
    }
    return strangers.map(({ node }) => node)
  }

  /**
   * Keeps error events; one that is there already is not kept twice.
   * @returns how many of the oldest went to keep within the limit
   */
  addDeadLetters(events: readonly Event[]): number {
    const insert = this.#db.prepare(
      `INSERT OR IGNORE INTO dead_letter (node, event_id, time, code, message, event)
       VALUES (?, ?, ?, ?, ?, ?)`,
    )
    const trim = this.#db.prepare(
      'DELETE FROM dead_letter WHERE id <= (SELECT MAX(id) FROM dead_letter) - ?',
    )
    const gone = this.#db.transaction(() => {
      for (const { id, time, data } of events) {
        const { node, code, message, event } = data
        insert.run(node, id, time, code, message, JSON.stringify(event))
      }
      failpoint('dead_letters.before')
      return trim.run(this.#deadLetterLimit).changes
    })()
    failpoint('dead_letters.after')
    return gone
  }

  /** See `lettersAfter`. */
  letters(selection: LetterSelection, after: number, limit: number): DeadLetter[] {
    return lettersAfter(this.#db, selection, after, limit)
  }

  /** See `countLetters`. */
  countLetters(selection: LetterSelection): { count: number; last: number } {
    return countLetters(this.#db, selection)
  }

  close(): void {
    this.#db.close()
    this.#lock.close()
  }
}

/** As they are in the table, so that each of its pages is looked for and written once. */
const inOrder = (saved: readonly SavedKey[]): readonly SavedKey[] =>
  saved.toSorted((a, b) => (a.key < b.key ? -1 : 1))

/** Whether a write failed for a reason that may go away: no space left, a busy or flaky disk. */
export const isPassing = (error: unknown): boolean =>
  error instanceof Database.SqliteError && /^SQLITE_(FULL|IOERR|BUSY)/.test(error.code)

/**
 * Node has no file locks; a transaction that stays open on a SQLite file of its own is one that the
 * operating system takes back when the process dies.
 */
function openTables(path: string): Database.Database {
  return withFile(path, () => {
    const db = new Database(path)
    try {
      // Positions never overtake the dead letters and the state they stand for, since all are in
      // this one file; losing the last checkpoints at a power cut only means reading input again.
      db.pragma('journal_mode = WAL')
      db.pragma('synchronous = NORMAL')
      for (const bound of BOUNDS) db.pragma(bound)
      const layout = db.pragma('user_version', { simple: true })
      if (layout !== 0 && layout !== LAYOUT) {
        throw new EngineError('STATE_LAYOUT', `${path} has layout ${layout}`)
      }
      db.exec(SCHEMA)
      db.pragma(`user_version = ${LAYOUT}`)
      return db
    } catch (error) {
      db.close()
      throw error
    }
  })
}

/** SQLite's own errors do not name the file they are about. */
function withFile<T>(path: string, open: () => T): T {
  try {
    return open()
  } catch (cause) {
    if (!(cause instanceof Database.SqliteError)) throw cause
    const damaged = /^SQLITE_(NOTADB|CORRUPT)/.test(cause.code)
    throw damaged
      ? new EngineError('STATE_DAMAGED', `${path}: ${cause.message}; move it away`, { cause })
      : new EngineError('STATE_DIR', `cannot use ${path}: ${cause.message}`, { cause })
  }
}

function lock(path: string, pipeline: string): Database.Database {
  return withFile(path, () => {
    const file = new Database(path, { timeout: 0 })
    try {
      file.exec('BEGIN EXCLUSIVE')
    } catch (cause) {
      file.close()
      const busy = cause instanceof Database.SqliteError && cause.code.startsWith('SQLITE_BUSY')
      if (!busy) throw cause
      const message = `another process is running pipeline ${pipeline} on this state directory`
      throw new EngineError('STATE_LOCKED', message, { cause })
    }
    return file
  })
}
