/** What repositories do inside a transaction of MySQL or MariaDB. */
import type { Row, Statements } from './database.ts'
import { StoreError } from './errors.ts'
import { chunks, insertSql, type Value } from './insert.ts'
import type { Connection } from './mysql_database.ts'
import { isRowRefused } from './mysql_errors.ts'

const MOST_ROWS = 256
/** UTF-16 code units in one statement: at most 12 MiB of the 16 MiB a server takes by default. */
const STATEMENT_BUDGET = 4 * 2 ** 20

/**
 * Values travel beside the statement and never inside it, so no text of an attacker's is ever
 * escaped, whatever the server's SQL mode says about backslashes.
 */
export function mysqlStatements(connection: Connection): Statements {
  return {
    dialect: 'mysql',
    async insert(insert, rows) {
      for (const chunk of chunks(rows, MOST_ROWS, STATEMENT_BUDGET)) {
        await run(connection, insertSql(insert, 'mysql', chunk.length), chunk.flat())
      }
    },
    async select(sql, values = []) {
      const [rows] = await connection.execute(sql, [...values])
      return rows as unknown as readonly Row[]
    },
    update: (sql, values) => changedBy(connection, sql, values),
    async updateAll(updates) {
      const changed: number[] = []
      for (const { sql, values } of updates) changed.push(await changedBy(connection, sql, values))
      return changed
    },
  }
}

async function changedBy(
  connection: Connection,
  sql: string,
  values: readonly Value[],
): Promise<number> {
  const result = await run(connection, sql, [...values])
  return Number((result as { affectedRows?: unknown }).affectedRows)
}

async function run(connection: Connection, sql: string, values: Value[]): Promise<unknown> {
  try {
    const [result] = await connection.execute(sql, values)
    return result
  } catch (error) {
    if (!isRowRefused(error)) throw error
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'a value'
    throw new StoreError('ROW_REFUSED', `the database refused a row: ${why}`, { cause: error })
  }
}
