/** What a replay said, by time: an SQLite file of its own in the folder of the run. */
import BetterSqlite, { type Database } from 'better-sqlite3'

/** Where events pass: a port of a node, what a sink took, or the dead letters of a pipeline. */
export interface ReplayPlace {
  readonly pipeline: string
  /** `''` for dead letters */
  readonly node: string
  /** `''` is the only output of most nodes, `errors` the error port; of a sink `''` */
  readonly port: string
  readonly kind: 'port' | 'sink' | 'dead_letters'
  /** events, all of them */
  readonly count: number
  /** events in each bucket; what lies outside of the span is in the first or the last */
  readonly counts: readonly number[]
}

/** What a sink was given under one topic. */
interface ReplayTopic {
  readonly pipeline: string
  readonly node: string
  readonly topic: string
  readonly count: number
  readonly counts: readonly number[]
}

/** How a pipeline was wired when it was replayed. */
export interface ReplayWiring {
  readonly name: string
  readonly nodes: readonly {
    readonly id: string
    readonly section: string
    readonly type: string
    /** `node` or `node.port` */
    readonly inputs: readonly string[]
  }[]
}

export interface ReplayTimeline {
  /** event time at which the first bucket begins, ms */
  readonly from: number
  /** ms of a bucket */
  readonly step: number
  readonly buckets: number
  /** events that lie outside of the span, by some clock that was far off */
  readonly outside: number
  /** whether there are more events than can be listed; all are counted */
  readonly cut: boolean
  readonly places: readonly ReplayPlace[]
  readonly topics: readonly ReplayTopic[]
  readonly pipelines: readonly ReplayWiring[]
}

/** One event at one place. */
export interface IndexedEvent {
  /** index in `places` */
  readonly place: number
  /** ms */
  readonly time: number
  /** 32 hex digits */
  readonly id: string
  /** 16 hex digits, of what the event holds */
  readonly digest: string
}

/** Where the text of an event stands, a line of JSON. */
export interface IndexedText {
  readonly digest: string
  /** index in `files` */
  readonly file: number
  readonly at: number
  readonly length: number
}

/** An event as a list shows it. */
export interface FoundEvent {
  readonly time: number
  readonly id: string
  /** below the folder of the run; null: no file holds what this event was here */
  readonly file: string | null
  readonly at: number
  readonly length: number
}

const TABLES = `
  create table meta (timeline text not null);
  create table files (no integer primary key, name text not null);
  create table events (place int, time real, seq int, id blob, digest blob,
    primary key (place, time, seq)) without rowid;
  create table texts (digest blob primary key, file int, at int, length int) without rowid;
`

export interface ReplayIndexWriter {
  event(event: IndexedEvent, seq: number): void
  /** The first of each digest counts. @returns whether it was the first */
  text(text: IndexedText): boolean
  finish(timeline: ReplayTimeline, files: readonly string[]): void
}

/** @param path of a file that is not there yet; without `finish` there is nothing to be read */
export function writeReplayIndex(path: string): ReplayIndexWriter {
  const db = new BetterSqlite(path)
  // It can be made again from what it is made of, so no power cut is worth waiting for.
  db.pragma('journal_mode = off')
  db.pragma('synchronous = off')
  db.exec(TABLES)
  db.exec('begin')
  const addEvent = db.prepare('insert or ignore into events values (?, ?, ?, ?, ?)')
  const addText = db.prepare('insert or ignore into texts values (?, ?, ?, ?)')
  return {
    event({ place, time, id, digest }, seq) {
      addEvent.run(place, time, seq, Buffer.from(id, 'hex'), Buffer.from(digest, 'hex'))
    },
    text({ digest, file, at, length }) {
      return addText.run(Buffer.from(digest, 'hex'), file, at, length).changes > 0
    },
    finish(timeline, files) {
      const addFile = db.prepare('insert into files values (?, ?)')
      files.forEach((name, no) => void addFile.run(no, name))
      db.prepare('insert into meta values (?)').run(JSON.stringify(timeline))
      db.exec('commit')
      db.close()
    },
  }
}

export interface EventWindow {
  readonly place: number
  /** ms, from then on */
  readonly from: number
  /** ms, before then */
  readonly until: number
  readonly newestFirst: boolean
  readonly limit: number
  readonly offset: number
}

/** Reads one finished index; many lists may be asked of it, one after the other. */
export class ReplayIndex {
  readonly #db: Database

  /** @throws {SqliteError} where there is no such file */
  constructor(path: string) {
    this.#db = new BetterSqlite(path, { readonly: true, fileMustExist: true })
  }

  timeline(): ReplayTimeline {
    const { timeline } = this.#db.prepare('select timeline from meta').get() as { timeline: string }
    return JSON.parse(timeline) as ReplayTimeline
  }

  events({ place, from, until, newestFirst, limit, offset }: EventWindow): {
    readonly total: number
    readonly events: readonly FoundEvent[]
  } {
    const { total } = this.#db
      .prepare('select count(*) as total from events where place = ? and time >= ? and time < ?')
      .get(place, from, until) as { total: number }
    const order = newestFirst ? 'time desc, seq desc' : 'time, seq'
    const rows = this.#db
      .prepare(
        `select e.time, lower(hex(e.id)) as id, f.name as file, t.at, t.length from (
           select time, seq, id, digest from events where place = ? and time >= ? and time < ?
           order by ${order} limit ? offset ?
         ) e left join texts t on t.digest = e.digest left join files f on f.no = t.file
         order by ${order}`,
      )
      .all(place, from, until, limit, offset) as FoundEvent[]
    return { total, events: rows }
  }

  close(): void {
    this.#db.close()
  }
}
