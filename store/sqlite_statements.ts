/** Transactions of SQLite, and what repositories do inside them. */
import type { Statements } from './database.ts'
import { StoreError } from './errors.ts'
import { chunks, type Insert, insertSql } from './insert.ts'
import { type Ask, BLOCK_ROWS, type InsertTexts } from './sqlite_connection.ts'
import { codeOf, isRowRefused } from './sqlite_errors.ts'

/** More than a sink writes at once; a power of two, as all chunks are. */
const MOST_ROWS = 4096
/** UTF-16 code units of one request, which the thread that writes holds a second time. */
const REQUEST_BUDGET = 4 * 2 ** 20

/** Runs `work` between begin and commit, and rolls back when it throws. */
export async function committed<T>(
  ask: Ask,
  work: (statements: Statements) => Promise<T>,
): Promise<T> {
  await ask('begin')
  try {
    const result = await work(sqliteStatements(ask))
    await ask('commit')
    return result
  } catch (error) {
    await ask('rollback')
    throw error
  }
}

const sqliteStatements = (ask: Ask): Statements => ({
  dialect: 'sqlite',
  async insert(insert, rows) {
    const request = { insert: textsOf(insert) }
    for (const chunk of chunks(rows, MOST_ROWS, REQUEST_BUDGET)) {
      await ask({ ...request, rows: chunk }).catch(refusing)
    }
  },
  select: (select, values = []) => ask({ select, values }),
})

const texts = new WeakMap<Insert, InsertTexts>()

function textsOf(insert: Insert): InsertTexts {
  const known = texts.get(insert)
  if (known !== undefined) return known
  const made = {
    block: insertSql(insert, 'sqlite', BLOCK_ROWS),
    single: insertSql(insert, 'sqlite', 1),
  }
  texts.set(insert, made)
  return made
}

function refusing(error: unknown): never {
  if (!isRowRefused(error)) throw error
  throw new StoreError('ROW_REFUSED', `SQLite refused a row: ${codeOf(error)}`, { cause: error })
}
