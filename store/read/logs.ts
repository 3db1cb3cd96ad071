/** Logs as the API shows them. */
import { formatSeconds } from '../../protocols/iso_time.ts'
import type { Database, Row } from '../database.ts'
import { searchLogs } from './log_search.ts'
import {
  allOf,
  countRows,
  iso,
  type Listing,
  listPage,
  type Page,
  text,
  textOrNull,
  type Where,
} from './page.ts'

export interface LogFilter {
  readonly search?: string | undefined
  /** µs since the Unix epoch, included */
  readonly from?: number | undefined
  /** µs since the Unix epoch, included */
  readonly until?: number | undefined
}

const COLUMNS =
  'id, timestamp, decky, service, event_type, attacker_ip, raw_line, fields, msg, trace_id, span_id'

export type LogRow = ReturnType<typeof logRow>

const whereOf = (database: Database, { search, from, until }: LogFilter): Where =>
  allOf(
    search === undefined ? undefined : searchLogs(search, database.dialect),
    from === undefined ? undefined : { sql: 'timestamp >= ?', values: [from] },
    until === undefined ? undefined : { sql: 'timestamp <= ?', values: [until] },
  )

/**
 * Newest first. @param known as `listPage` has it
 * @throws {UnavailableError} `DATABASE_UNAVAILABLE`, as all that follows
 */
export const listLogs = (
  database: Database,
  filter: LogFilter,
  page: Page,
  known?: number,
): Promise<Listing<LogRow>> =>
  listPage(
    database,
    {
      columns: COLUMNS,
      from: 'logs',
      where: whereOf(database, filter),
      order: 'timestamp desc, id desc',
      toRow: logRow,
    },
    page,
    known,
  )

export const countLogs = (database: Database): Promise<number> =>
  countRows(database, 'logs', { sql: '1 = 1', values: [] })

/** Rows behind an id, in the order they were written. */
export async function logsAfter(
  database: Database,
  after: number,
  filter: LogFilter,
  limit: number,
): Promise<readonly LogRow[]> {
  const where = allOf({ sql: 'id > ?', values: [after] }, whereOf(database, filter))
  const sql = `select ${COLUMNS} from logs where ${where.sql} order by id limit ${Math.trunc(limit)}`
  return (await database.select(sql, where.values)).map(logRow)
}

/** @returns the id of the newest row, 0 where there is none */
export async function lastLogId(database: Database): Promise<number> {
  const [row] = await database.select('select max(id) as id from logs')
  return Number(row?.id ?? 0)
}

export interface Bucket {
  /** `YYYY-MM-DD hh:mm:ss` in UTC: where it begins */
  readonly time: string
  readonly count: number
}

/** Buckets that are shown; more of them than any screen has columns. */
const MOST_BUCKETS = 10_000

/**
 * Logs over time: the newest buckets that are not empty, oldest first.
 * @param minutes of one bucket; they begin at multiples of it since the epoch
 */
export async function logHistogram(
  database: Database,
  filter: LogFilter,
  minutes: number,
): Promise<readonly Bucket[]> {
  const micros = Math.trunc(minutes) * 60_000_000
  const where = whereOf(database, filter)
  const rows = await database.select(
    `select floor_of.start as start, count(*) as n from
      (select timestamp - (timestamp % ${micros}) as start from logs where ${where.sql}) floor_of
     group by floor_of.start order by floor_of.start desc limit ${MOST_BUCKETS}`,
    where.values,
  )
  return rows
    .map(({ start, n }) => ({ time: formatSeconds(Number(start)), count: Number(n) }))
    .reverse()
}

export const logRow = (row: Row) => ({
  id: Number(row.id),
  timestamp: iso(row.timestamp),
  decky: text(row.decky),
  service: text(row.service),
  event_type: text(row.event_type),
  attacker_ip: text(row.attacker_ip),
  raw_line: text(row.raw_line),
  fields: text(row.fields),
  msg: textOrNull(row.msg),
  trace_id: textOrNull(row.trace_id),
  span_id: textOrNull(row.span_id),
})
