/** One pipeline's durable memory: positions, keyed state, timers and dead letters, in one SQLite file. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { EngineError } from './errors.ts'
import type { Event } from './event.ts'
import type { SavedKey, StateChanges } from './keyed_state.ts'

/** Where a source resumes, and how many events it has delivered so far. */
export interface SavedPosition {
  readonly position: unknown
  readonly sequence: number
}

/** Everything a checkpoint writes, at once or not at all. */
export interface Checkpoint {
  readonly positions: ReadonlyMap<string, SavedPosition>
  /** ms, by keyed node */
  readonly watermarks: ReadonlyMap<string, number>
  readonly changes: ReadonlyMap<string, StateChanges>
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
   *   `STATE_LAYOUT` when the file is not one of ours, `STATE_DIR` when it cannot be made
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
    this.#db = new Database(join(dir, `${pipeline}.sqlite`))
    // Positions never overtake the dead letters and the state they stand for, since all are in this
    // one file; losing the last checkpoints at a power cut only means reading some input again.
    this.#db.pragma('journal_mode = WAL')
    this.#db.pragma('synchronous = NORMAL')
    const layout = this.#db.pragma('user_version', { simple: true })
    if (layout !== 0 && layout !== LAYOUT) {
      throw new EngineError('STATE_LAYOUT', `${dir}/${pipeline}.sqlite has layout ${layout}`)
    }
    this.#db.exec(SCHEMA)
    this.#db.pragma(`user_version = ${LAYOUT}`)
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
      const saved = { key: key as string, state: state as string, touched, stamp }
      keys.push({ ...saved, timers: JSON.parse(timers as string) })
    }
    return { keys, watermark: saved.time }
  }

  /** Writes a checkpoint in one transaction. */
  save({ positions, watermarks, changes }: Checkpoint): void {
    const savePosition = this.#db.prepare('INSERT OR REPLACE INTO position VALUES (?, ?, ?, ?)')
    const saveWatermark = this.#db.prepare('INSERT OR REPLACE INTO watermark VALUES (?, ?, ?)')
    const saveKey = this.#db.prepare('INSERT OR REPLACE INTO keyed VALUES (?, ?, ?, ?, ?, ?)')
    const dropKey = this.#db.prepare('DELETE FROM keyed WHERE node = ? AND key = ?')
    this.#db.transaction(() => {
      for (const [source, { position, sequence }] of positions) {
        const type = this.#types.get(source)
        savePosition.run(source, type, JSON.stringify(position ?? null), sequence)
      }
      for (const [node, time] of watermarks) {
        saveWatermark.run(node, this.#types.get(node), Math.max(time, -Number.MAX_VALUE))
      }
      for (const [node, { saved, removed }] of changes) {
        for (const key of removed) dropKey.run(node, key)
        for (const { key, state, touched, stamp, timers } of saved) {
          saveKey.run(
            node,
            key,
            state,
            Math.max(touched, -Number.MAX_VALUE),
            stamp,
            JSON.stringify(timers),
          )
        }
      }
    })()
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
    return this.#db.transaction(() => {
      for (const { id, time, data } of events) {
        const { node, code, message, event } = data
        insert.run(node, id, time, code, message, JSON.stringify(event))
      }
      return trim.run(this.#deadLetterLimit).changes
    })()
  }

  deadLetterCount(): number {
    const row = this.#db.prepare('SELECT COUNT(*) AS n FROM dead_letter').get()
    return (row as { n: number }).n
  }

  close(): void {
    this.#db.close()
    this.#lock.close()
  }
}

/**
 * Node has no file locks; a transaction that stays open on a SQLite file of its own is one that the
 * operating system takes back when the process dies.
 */
function lock(path: string, pipeline: string): Database.Database {
  const file = new Database(path, { timeout: 0 })
  try {
    file.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    file.close()
    const message = `another process is running pipeline ${pipeline} on this state directory`
    throw new EngineError('STATE_LOCKED', message, { cause })
  }
  return file
}
