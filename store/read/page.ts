/** Pages of a table, and what all read models have in common. */
import { formatIsoMicros, isoMicros } from '../../protocols/iso_time.ts'
import type { Database, Row } from '../database.ts'
import type { Value } from '../insert.ts'

/** Which part of a list is wanted; the caller has checked both. */
export interface Page {
  /** 1 to 1000 */
  readonly limit: number
  /** 0 to 2^31 - 1 */
  readonly offset: number
}

export interface Listing<T> {
  /** rows there are, whatever the page */
  readonly total: number
  readonly data: readonly T[]
}

/** Conditions that all hold, with the values of their `?`. */
export interface Where {
  readonly sql: string
  readonly values: readonly Value[]
}

/** @param parts left out where undefined */
export function allOf(...parts: readonly (Where | undefined)[]): Where {
  const given = parts.filter((part) => part !== undefined)
  if (given.length === 0) return { sql: '1 = 1', values: [] }
  return {
    sql: given.map(({ sql }) => `(${sql})`).join(' and '),
    values: given.flatMap(({ values }) => values),
  }
}

/** @returns undefined where nothing is asked for */
export const equals = (column: string, value: string | undefined): Where | undefined =>
  value === undefined ? undefined : { sql: `${column} = ?`, values: [value] }

/** Whether one of `columns` holds `text` somewhere, in either case; `%` and `_` are only characters. */
export function contains(columns: readonly string[], text: string): Where {
  const pattern = `%${text.replace(/[!%_]/g, '!$&')}%`
  return {
    sql: columns.map((column) => `lower(${column}) like lower(?) escape '!'`).join(' or '),
    values: columns.map(() => pattern),
  }
}

interface ListQuery<T> {
  readonly columns: string
  readonly from: string
  readonly where: Where
  /** ends with the primary key, so that two pages never share a row */
  readonly order: string
  readonly toRow: (row: Row) => T
}

/**
 * @param known rows there are, where somebody has counted them a moment ago
 * @throws {UnavailableError} `DATABASE_UNAVAILABLE`
 */
export async function listPage<T>(
  database: Database,
  { columns, from, where, order, toRow }: ListQuery<T>,
  { limit, offset }: Page,
  known?: number,
): Promise<Listing<T>> {
  const total = known ?? (await countRows(database, from, where))
  if (total <= offset) return { total, data: [] }
  const sql = `select ${columns} from ${from} where ${where.sql} order by ${order}
    limit ${Math.trunc(limit)} offset ${Math.trunc(offset)}`
  const rows = await database.select(sql, where.values)
  return { total, data: rows.map(toRow) }
}

export async function countRows(database: Database, from: string, where: Where): Promise<number> {
  const sql = `select count(*) as n from ${from} where ${where.sql}`
  const [row] = await database.select(sql, where.values)
  return Number(row?.n ?? 0)
}

/** µs of a column as ISO 8601 in UTC. */
export const iso = (micros: unknown): string =>
  formatIsoMicros(Number(micros)).replace('+00:00', 'Z')
export const isoOrNull = (micros: unknown): string | null => (micros == null ? null : iso(micros))

export const text = (value: unknown): string => String(value ?? '')
export const textOrNull = (value: unknown): string | null => (value == null ? null : String(value))
export const numberOrNull = (value: unknown): number | null =>
  value == null ? null : Number(value)

/** What a column of JSON holds; undefined where somebody else has written what is none. */
function parsed(value: unknown): unknown {
  if (value == null) return undefined
  try {
    return JSON.parse(String(value))
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

export function list(value: unknown): readonly unknown[] {
  const read = parsed(value)
  return Array.isArray(read) ? read : []
}

export const texts = (value: unknown): readonly string[] =>
  list(value).filter((one) => typeof one === 'string')

export function object(value: unknown): Readonly<Record<string, unknown>> {
  const read = parsed(value)
  return typeof read === 'object' && read !== null && !Array.isArray(read)
    ? (read as Record<string, unknown>)
    : {}
}

/** @returns µs since the Unix epoch, or undefined where `text` is no instant of ISO 8601 */
export function readInstant(text: string): number | undefined {
  // A plus that a query did not escape has become a blank.
  const whole = text.replace(/(:\d{2}(?:\.\d+)?) (\d{2}:?\d{2})$/, '$1+$2')
  const micros = isoMicros(/^\d{4}-\d{2}-\d{2}$/.test(whole) ? `${whole}T00:00:00` : whole)
  return Number.isSafeInteger(micros) ? micros : undefined
}
