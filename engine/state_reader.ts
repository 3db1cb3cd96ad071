/** Looks into a pipeline's saved state, also while the pipeline runs; changes nothing but letters. */
import { existsSync, statSync } from 'node:fs'
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

/** Where a source resumes, as it is kept. */
export interface PositionRow {
  readonly source: string
  readonly type: string
  /** JSON text */
  readonly position: string
  /** events delivered so far */
  readonly sequence: number
}

/** Keyed state of one node as a whole. */
export interface NodeStateRow {
  readonly node: string
  readonly type: string
  /** event time the node has reached, ms */
  readonly watermark: number
  readonly keys: number
  /** characters of keys and states */
  readonly size: number
}

/** One key of a node, as it is kept. */
export interface KeyRow {
  readonly key: string
  /** JSON text */
  readonly state: string
  /** event time of the last use, ms */
  readonly touched: number
  readonly stamp: number
  /** JSON text: event times, ms */
  readonly timers: string
}

/** Bytes on disk, and what takes them. */
export interface StateSize {
  readonly file: number
  /** the write-ahead log beside it */
  readonly wal: number
  /** inside the file, for later use */
  readonly free: number
  readonly letters: number
  /** characters of the letters' events */
  readonly lettersSize: number
  readonly nodes: readonly NodeStateRow[]
}

export class StateReader {
  readonly #db: Database.Database
  readonly #path: string

  /**
   * @param write only for dropping dead letters
   * @throws {EngineError} `NO_STATE` when the pipeline has never run here, `STATE_UNREADABLE`
   */
  constructor(dir: string, pipeline: string, { write = false } = {}) {
    this.#path = join(dir, `${pipeline}.sqlite`)
    if (!existsSync(this.#path)) {
      throw new EngineError('NO_STATE', `pipeline ${pipeline} has no state in ${dir}`)
    }
    try {
      this.#db = new Database(this.#path, { readonly: !write, fileMustExist: true })
      // One moment for all that is read: the pipeline may write its next checkpoint meanwhile.
      if (!write) this.#db.exec('BEGIN')
      // Also the first read of the file: one that is no database is found out here.
      this.#db.prepare('SELECT 1 FROM dead_letter LIMIT 1').get()
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      throw new EngineError('STATE_UNREADABLE', `cannot read ${this.#path}: ${code}`, { cause })
    }
  }

  positions(): PositionRow[] {
    return this.#db
      .prepare('SELECT source, type, position, sequence FROM position ORDER BY source')
      .all() as PositionRow[]
  }

  nodes(): NodeStateRow[] {
    return this.#db
      .prepare(
        `SELECT w.node, w.type, w.time AS watermark, COUNT(k.key) AS keys,
           COALESCE(SUM(LENGTH(k.key) + LENGTH(k.state)), 0) AS size
         FROM watermark w LEFT JOIN keyed k ON k.node = w.node GROUP BY w.node ORDER BY w.node`,
      )
      .all() as NodeStateRow[]
  }

  /** Keys of a node, the last used first. */
  keys(node: string, limit: number): KeyRow[] {
    return this.#db
      .prepare(
        `SELECT key, state, touched, stamp, timers FROM keyed WHERE node = ?
         ORDER BY stamp DESC, key LIMIT ?`,
      )
      .all(node, limit) as KeyRow[]
  }

  /** Every key of every node, one at a time. */
  everyKey(): IterableIterator<KeyRow & { readonly node: string }> {
    return this.#db
      .prepare('SELECT node, key, state, touched, stamp, timers FROM keyed')
      .iterate() as IterableIterator<KeyRow & { readonly node: string }>
  }

  key(node: string, key: string): KeyRow | undefined {
    return this.#db
      .prepare('SELECT key, state, touched, stamp, timers FROM keyed WHERE node = ? AND key = ?')
      .get(node, key) as KeyRow | undefined
  }

  size(): StateSize {
    const pragma = (name: string) => Number(this.#db.pragma(name, { simple: true }))
    const wal = `${this.#path}-wal`
    const letters = this.#db
      .prepare(
        `SELECT COUNT(*) AS letters, COALESCE(SUM(LENGTH(event)), 0) AS lettersSize
         FROM dead_letter`,
      )
      .get() as { letters: number; lettersSize: number }
    return {
      file: statSync(this.#path).size,
      wal: existsSync(wal) ? statSync(wal).size : 0,
      free: pragma('freelist_count') * pragma('page_size'),
      ...letters,
      nodes: this.nodes(),
    }
  }

  /** What SQLite finds wrong with the file; empty when nothing is. */
  integrity(limit: number): string[] {
    const rows = this.#db.pragma(`integrity_check(${limit})`) as { integrity_check: string }[]
    return rows.map((row) => row.integrity_check).filter((text) => text !== 'ok')
  }

  /** See `lettersAfter`. */
  letters(selection: LetterSelection, limit: number): DeadLetter[] {
    return lettersAfter(this.#db, selection, 0, limit)
  }

  /** @returns how many letters there are */
  countLetters(selection: LetterSelection): number {
    return countLetters(this.#db, selection).count
  }

  /** @returns how many were there */
  dropLetters(selection: LetterSelection): number {
    return deleteLetters(this.#db, selection)
  }

  close(): void {
    this.#db.close()
  }
}
