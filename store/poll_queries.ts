/** Queries that follow a growing table by the id of its rows, and the events their rows are. */
import type { Data, Draft, Reject } from '../engine/index.ts'
import { formatSeconds } from '../protocols/iso_time.ts'
import { quote } from '../protocols/quote.ts'
import type { Database, Row } from './database.ts'

/** A row that could be read: its id, and the event it is or why it is none. */
export interface PolledRow {
  readonly id: number
  readonly item: Draft | Reject
}

interface PollQuery {
  readonly table: string
  readonly columns: readonly string[]
  toDraft(row: Row): Draft
}

const text = (value: unknown): string => String(value ?? '')
const millis = (micros: unknown): number => Number(micros) / 1000

/** A record as `parse_syslog` makes it, with the id it had when it was written. */
const logs: PollQuery = {
  table: 'logs',
  columns: [
    'event_id',
    'timestamp',
    'decky',
    'service',
    'event_type',
    'attacker_ip',
    'fields',
    'msg',
    'raw_line',
    'source_worker',
  ],
  toDraft(row) {
    const { service, event_type } = row
    const data: Data = {
      timestamp: formatSeconds(Number(row.timestamp)),
      decky: row.decky,
      service,
      event_type,
      attacker_ip: row.attacker_ip,
      fields: JSON.parse(text(row.fields)),
      msg: text(row.msg),
      raw_line: row.raw_line,
      kind: service === 'mutator' && event_type === 'decky_mutated' ? 'mutation' : 'attacker',
      ...(row.source_worker != null && { source_worker: row.source_worker }),
    }
    return { id: text(row.event_id), topic: 'system.log', time: millis(row.timestamp), data }
  },
}

/** A credential as it stands when it is read; later attempts change its row and are not told. */
const credentials: PollQuery = {
  table: 'credentials',
  columns: [
    'attacker_ip',
    'decky_name',
    'service',
    'principal',
    'secret_kind',
    'secret_sha256',
    'outcome',
    'attempt_count',
    'first_seen',
  ],
  toDraft({ decky_name, first_seen, attempt_count, id: _id, ...rest }) {
    const data = { ...rest, decky: decky_name, attempt_count: Number(attempt_count) }
    return { topic: 'credential.stored', time: millis(first_seen), data }
  },
}

const bounties: PollQuery = {
  table: 'bounty',
  columns: ['timestamp', 'decky', 'service', 'attacker_ip', 'bounty_type', 'payload'],
  toDraft({ timestamp, payload, id: _id, ...rest }) {
    const data = { ...rest, payload: JSON.parse(text(payload)) }
    return { topic: 'bounty.stored', time: millis(timestamp), data }
  },
}

const QUERIES = {
  logs_after_id: logs,
  credentials_after_id: credentials,
  bounties_after_id: bounties,
} as const

export type PollQueryName = keyof typeof QUERIES

/** What `query:` of a db_poll source may say. */
export const pollQueryNames = Object.keys(QUERIES) as PollQueryName[]

/**
 * Rows behind a cursor, by id. On MySQL and MariaDB the read waits for rows that another writer has
 * inserted and not yet committed, since their ids are lower than those that come after them; SQLite
 * has one writer at a time.
 * @param after id of the last row that was read
 * @param limit rows, at most
 * @throws {UnavailableError} `DATABASE_UNAVAILABLE`
 */
export async function pollRows(
  database: Database,
  name: PollQueryName,
  after: number,
  limit: number,
): Promise<readonly PolledRow[]> {
  const query: PollQuery = QUERIES[name]
  const wait = database.dialect === 'mysql' ? 'lock in share mode' : ''
  const sql = `select id, ${query.columns.join(', ')} from ${query.table}
    where id > ? order by id limit ${Math.trunc(limit)} ${wait}`
  const rows = await database.select(sql, [after])
  return rows.map((row) => ({ id: Number(row.id), item: itemOf(query, row) }))
}

/** A row that somebody else wrote may hold anything. */
function itemOf(query: PollQuery, row: Row): Draft | Reject {
  try {
    return query.toDraft(row)
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof RangeError)) throw error
    const message = `row ${Number(row.id)} of ${query.table} cannot be read: ${quote(error.message)}`
    const data = { table: query.table, id: Number(row.id) }
    return { failure: { code: 'BAD_ROW', message }, draft: { topic: 'row', time: 0, data } }
  }
}
