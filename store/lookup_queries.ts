/** Queries that look something up by a key, in rows that an index finds and never in too many. */
import type { Json } from '../engine/index.ts'
import type { Database, Row } from './database.ts'

/** A table, by an index that is prescribed: a planner that guesses may read it from end to end. */
type By = (table: string, index: string) => string

interface LookupQuery {
  /** One row for a key: a list of expressions, each with one `?` for the key. */
  columns(by: By): readonly string[]
  /** @returns undefined where nothing is known of the key */
  toAnswer(row: Row): Json | undefined
}

/** An attacker can have any number of rows, and what is looked up waits for each that is counted. */
const MOST_COUNTED = 10_000
/** Keys in one statement: SQLite takes 500 selects in one, and MariaDB plans each by itself. */
const KEYS_PER_STATEMENT = 50

const millis = (micros: unknown): number => Number(micros) / 1000

const attackerLogs: LookupQuery = {
  columns(by) {
    const own = `${by('logs', 'ix_logs_attacker_ip')} where attacker_ip = ?`
    // By id, so by the order in which they were written: else the time of every row had to be read.
    const at = (order: string) => `(select timestamp from ${own} order by id ${order} limit 1)`
    const count = `(select count(*) from (select 1 from ${own} limit ${MOST_COUNTED}) found)`
    return [count, at('asc'), at('desc')]
  },
  toAnswer({ c0: count, c1: first, c2: last }) {
    if (first == null || last == null) return undefined
    return { count: Number(count), first_seen: millis(first), last_seen: millis(last) }
  },
}

const attackerCredentials: LookupQuery = {
  columns(by) {
    const own = `${by('credentials', 'ix_credentials_attacker_ip')} where attacker_ip = ?`
    const tried = (column: string) =>
      `(select count(distinct ${column}) from
        (select ${column} from ${own} order by id limit ${MOST_COUNTED}) found)`
    return [tried('principal'), tried('secret_sha256')]
  },
  toAnswer({ c0: principals, c1: secrets }) {
    // Every credential has a secret: none of them, no row.
    if (Number(secrets) === 0) return undefined
    return { principals: Number(principals), secrets: Number(secrets) }
  },
}

const QUERIES = {
  attacker_logs: attackerLogs,
  attacker_credentials: attackerCredentials,
} as const

export type LookupQueryName = keyof typeof QUERIES

/** What `query:` of a db_lookup operator may say. */
export const lookupQueryNames = Object.keys(QUERIES) as LookupQueryName[]

/**
 * Looks keys up as the rows stand now, whoever is writing.
 * @returns what is known, by key; a key that nothing is known of is left out
 * @throws {UnavailableError} `DATABASE_UNAVAILABLE`
 */
export async function lookUp(
  database: Database,
  name: LookupQueryName,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Json>> {
  const query: LookupQuery = QUERIES[name]
  const columns = query.columns((table, index) =>
    database.dialect === 'mysql'
      ? `${table} force index (${index})`
      : `${table} indexed by ${index}`,
  )
  const found = new Map<string, Json>()
  const selected = columns.map((column, index) => `${column} as c${index}`).join(', ')
  for (let at = 0; at < keys.length; at += KEYS_PER_STATEMENT) {
    const some = keys.slice(at, at + KEYS_PER_STATEMENT)
    // By number: what a database gives back of a text need not be the text it was given.
    const selects = some.map((_, index) => `select ${index} as n, ${selected}`)
    const values = some.flatMap((key) => columns.map(() => key))
    for (const row of await database.select(selects.join(' union all '), values)) {
      const answer = query.toAnswer(row)
      if (answer !== undefined) found.set(some[Number(row.n)] as string, answer)
    }
  }
  return found
}
