/** Reads the log records of an address, the oldest and the newest where there are too many. */
import type { RecordData } from '../../protocols/record_data.ts'
import type { Database, Row } from '../database.ts'

export interface StoredRecord extends RecordData {
  readonly event_id: string
  /** ms */
  readonly time: number
}

/** How much of an address was read. */
export interface Reading {
  readonly read: number
  /** false: there are more, between the oldest and the newest that were read */
  readonly complete: boolean
}

/** Rows in one statement: some kilobytes each at most, and the lines themselves are left out. */
const PAGE = 1000
const COLUMNS = 'id, event_id, timestamp, decky, service, event_type, attacker_ip, fields, msg'

/**
 * Hands over the records of an address in the order in which they were written. Found by an index
 * that is prescribed, for a planner may prefer to read the table.
 * @param most records read
 */
export async function readRecords(
  database: Database,
  attackerIp: string,
  most: number,
  take: (record: StoredRecord) => void,
): Promise<Reading> {
  const own =
    database.dialect === 'mysql'
      ? 'logs force index (ix_logs_attacker_ip)'
      : 'logs indexed by ix_logs_attacker_ip'
  let read = 0
  let last = 0
  const page = async (size: number): Promise<number> => {
    const rows = await database.select(
      `select ${COLUMNS} from ${own} where attacker_ip = ? and id > ? order by id limit ${size}`,
      [attackerIp, last],
    )
    for (const row of rows) take(recordOf(row))
    last = Number(rows.at(-1)?.id ?? last)
    read += rows.length
    return rows.length
  }
  const upTo = async (count: number): Promise<boolean> => {
    while (read < count) {
      const size = Math.min(PAGE, count - read)
      if ((await page(size)) < size) return true
    }
    return false
  }
  if (await upTo(Math.ceil(most / 2))) return { read, complete: true }
  const rest = most - read
  if (rest === 0) return { read, complete: false }
  const [newest] = await database.select(
    `select id from ${own} where attacker_ip = ? and id > ? order by id desc limit 1 offset ${rest - 1}`,
    [attackerIp, last],
  )
  const before = last
  if (newest !== undefined) last = Number(newest.id) - 1
  const [between] = await database.select(
    `select id from ${own} where attacker_ip = ? and id > ? and id <= ? order by id limit 1`,
    [attackerIp, before, last],
  )
  await upTo(most)
  return { read, complete: between === undefined }
}

const text = (value: unknown): string => String(value ?? '')

function recordOf(row: Row): StoredRecord {
  return {
    event_id: text(row.event_id),
    time: Number(row.timestamp) / 1000,
    decky: text(row.decky),
    service: text(row.service),
    event_type: text(row.event_type),
    attacker_ip: text(row.attacker_ip),
    fields: fieldsOf(row.fields),
    msg: row.msg === null ? null : text(row.msg),
  }
}

/** A row that something else has written may hold anything. */
function fieldsOf(json: unknown): RecordData['fields'] {
  try {
    const value: unknown = JSON.parse(text(json))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as RecordData['fields'])
      : {}
  } catch (error) {
    if (error instanceof SyntaxError) return {}
    throw error
  }
}
