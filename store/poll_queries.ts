/** Queries that follow a growing table by the id of its rows, and the events their rows are. */
import type { Data, Draft, Reject } from '../engine/index.ts'
import { formatSeconds } from '../protocols/iso_time.ts'
import { quote } from '../protocols/quote.ts'
import { ATTACKER_COLUMNS, attackerOfRow, IDENTITY_COLUMNS, identityOfRow } from './cluster_feed.ts'
import type { Database, Row } from './database.ts'

/** A row that was found: its id, and the event it is or why it is none; undefined: it has gone. */
export interface PolledRow {
  readonly id: number
  readonly item: Draft | Reject | undefined
}

interface PollQuery {
  readonly table: string
  readonly columns: readonly string[]
  /** Where the rows themselves are, if the table followed only names them, by `uuid`. */
  readonly of?: { readonly table: string; readonly columns: readonly string[] }
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

const attackers: PollQuery = {
  table: 'attacker_changes',
  columns: ['uuid'],
  of: { table: 'attackers', columns: ATTACKER_COLUMNS },
  toDraft: attackerOfRow,
}

const identities: PollQuery = {
  table: 'identity_changes',
  columns: ['uuid'],
  of: { table: 'attacker_identities', columns: IDENTITY_COLUMNS },
  toDraft: identityOfRow,
}

const QUERIES = {
  logs_after_id: logs,
  credentials_after_id: credentials,
  bounties_after_id: bounties,
  attackers_after_change: attackers,
  identities_after_change: identities,
} as const

export type PollQueryName = keyof typeof QUERIES

/** What `query:` of a db_poll source may say. */
export const pollQueryNames = Object.keys(QUERIES) as PollQueryName[]

/** Rows that are named are read in statements of so many. */
const NAMED = 200

/**
 * Rows behind a cursor, by id. Of a table of changes that is their order, and what is read of each row
 * is how it stands now. On MySQL and MariaDB the read waits for rows that another writer has
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
  const found = await database.select(sql, [after])
  const { of } = query
  if (!of) return found.map((row) => ({ id: Number(row.id), item: itemOf(query, row) }))
  // Not in one statement with the changes: what waits for writers must not hold what they still need.
  const rows = await rowsNamed(
    database,
    of,
    found.map(({ uuid }) => text(uuid)),
  )
  return found.map(({ id, uuid }) => {
    const row = rows.get(text(uuid))
    return { id: Number(id), item: row && itemOf(query, { ...row, id }) }
  })
}

/**
 * A database that was restored from a backup counts its rows from an earlier one again, and rows behind
 * a later cursor are a long time in coming. What has changed may be read twice, so it is read from the
 * start; records may not, and those that were written before anybody looked cannot be told from those
 * that were read.
 * @param after id of the last row that was read, with none behind it
 * @returns the cursor to go on from: lower where the rows read last are no longer there
 * @throws {UnavailableError} `DATABASE_UNAVAILABLE`
 */
export async function cursorOf(
  database: Database,
  name: PollQueryName,
  after: number,
): Promise<number> {
  const { table, of }: PollQuery = QUERIES[name]
  const [row] = await database.select(`select max(id) as last from ${table}`)
  const last = Number(row?.last ?? 0)
  if (last >= after) return after
  return of ? 0 : last
}

async function rowsNamed(
  database: Database,
  { table, columns }: NonNullable<PollQuery['of']>,
  uuids: readonly string[],
): Promise<ReadonlyMap<string, Row>> {
  const rows = new Map<string, Row>()
  for (let at = 0; at < uuids.length; at += NAMED) {
    const some = uuids.slice(at, at + NAMED)
    const marks = some.map(() => '?').join(', ')
    const sql = `select ${columns.join(', ')} from ${table} where uuid in (${marks})`
    for (const row of await database.select(sql, some)) rows.set(text(row.uuid), row)
  }
  return rows
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
