/** Finds the row that a person means: by its UUID, by the beginning of it, or by an address. */
import { EngineError } from '../../engine/index.ts'
import { parseIp } from '../../protocols/ip_address.ts'
import { quote } from '../../protocols/quote.ts'
import type { Database, Row } from '../database.ts'

/** What can be explained. */
export type Subject = 'attacker' | 'identity' | 'campaign' | 'reuse'

const KEYS = {
  attacker: { table: 'attackers', key: 'uuid' },
  identity: { table: 'attacker_identities', key: 'uuid' },
  campaign: { table: 'campaigns', key: 'uuid' },
  reuse: { table: 'credential_reuse', key: 'id' },
} as const satisfies Record<Subject, { table: string; key: string }>

export const subjects = Object.keys(KEYS) as readonly Subject[]

/** Digits that a beginning has to have: of a million rows two begin alike once in 4000. */
const LEAST_DIGITS = 8
const MOST_SHOWN = 5

/**
 * @param text a UUID, with its dashes or without, in either case; at least 8 digits of the beginning
 *   of one; of an attacker also its address, of an identity also that of a member
 * @returns the row, with all its columns
 * @throws {EngineError} `EXPLAIN_ID` where it is none of these, `EXPLAIN_UNKNOWN` where there is no
 *   such row, `EXPLAIN_AMBIGUOUS` where there are several
 */
export async function findRow(database: Database, subject: Subject, text: string): Promise<Row> {
  const ip = parseIp(text)
  if (ip !== undefined && (subject === 'attacker' || subject === 'identity')) {
    return rowOfAddress(database, subject, ip)
  }
  const start = uuidStart(text)
  if (start === undefined) {
    const or = subject === 'attacker' || subject === 'identity' ? ', and no address' : ''
    throw new EngineError(
      'EXPLAIN_ID',
      `${quote(text)} is no UUID and no beginning of one (${LEAST_DIGITS} digits or more)${or}`,
    )
  }
  const rows = await rowsFrom(database, subject, start)
  const [row] = rows
  if (row && rows.length === 1) return row
  if (!row) {
    throw new EngineError(
      'EXPLAIN_UNKNOWN',
      `there is no ${NAMES[subject]} ${start}${await elsewhere(database, subject, start)}`,
    )
  }
  const shown = rows.slice(0, MOST_SHOWN).map((one) => `\n  ${String(one[KEYS[subject].key])}`)
  const more = rows.length > MOST_SHOWN ? '\n  …' : ''
  throw new EngineError(
    'EXPLAIN_AMBIGUOUS',
    `several begin with ${start}; which is it?${shown.join('')}${more}`,
  )
}

async function rowOfAddress(
  database: Database,
  subject: 'attacker' | 'identity',
  ip: string,
): Promise<Row> {
  const [attacker] = await database.select('select * from attackers where ip = ?', [ip])
  if (!attacker) {
    throw new EngineError('EXPLAIN_UNKNOWN', `there is no attacker with the address ${ip}`)
  }
  if (subject === 'attacker') return attacker
  const [identity] = await database.select('select * from attacker_identities where uuid = ?', [
    attacker.identity_id == null ? '' : String(attacker.identity_id),
  ])
  if (identity) return identity
  throw new EngineError('EXPLAIN_UNKNOWN', `${ip} has not been given an identity yet`)
}

const NAMES: Record<Subject, string> = {
  attacker: 'attacker',
  identity: 'identity',
  campaign: 'campaign',
  reuse: 'finding',
}

const rowsFrom = (database: Database, subject: Subject, start: string): Promise<readonly Row[]> => {
  const { table, key } = KEYS[subject]
  // `g` comes after every digit, and a dash before.
  return database.select(
    `select * from ${table} where ${key} >= ? and ${key} < ? order by ${key} limit ${MOST_SHOWN + 1}`,
    [start, `${start}g`],
  )
}

/** @returns how to ask where it is something else */
async function elsewhere(database: Database, subject: Subject, start: string): Promise<string> {
  for (const other of subjects) {
    if (other === subject) continue
    const [row] = await rowsFrom(database, other, start)
    if (row)
      return `, but a ${NAMES[other]}: decnet explain ${other} ${start}`.replace(
        /\ba (?=[ai])/,
        'an ',
      )
  }
  return ''
}

/** @returns dashes put where they belong; undefined where it is no beginning of a UUID */
function uuidStart(text: string): string | undefined {
  if (text.length > 36) return undefined
  const digits = text.toLowerCase().replaceAll('-', '')
  if (!/^[0-9a-f]{8,32}$/.test(digits)) return undefined
  const parts = [0, 8, 12, 16, 20].map((at, index, all) => digits.slice(at, all[index + 1]))
  const dashed = parts.filter((part) => part !== '').join('-')
  // Whoever types dashes elsewhere means something else.
  return !text.includes('-') || dashed.startsWith(text.toLowerCase().replace(/-$/, ''))
    ? dashed
    : undefined
}
