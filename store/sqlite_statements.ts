/** Transactions of SQLite, and what repositories do inside them. */
import type { Row, Statements, Update } from './database.ts'
import { StoreError } from './errors.ts'
import { chunks, type Insert, insertSql } from './insert.ts'
import {
  type Ask,
  BLOCK_ROWS,
  type InsertTexts,
  type Request,
  type UpdateValues,
} from './sqlite_connection.ts'
import { codeOf, isRowRefused } from './sqlite_errors.ts'

/** A power of two, as all chunks are; few, so that writing begins while the rest is on its way. */
const MOST_ROWS = 512
/** UTF-16 code units of one request, which the thread that writes holds a second time. */
const REQUEST_BUDGET = 2 ** 20
/** Requests on their way at once, so that the thread that writes never waits for the next. */
const MOST_REQUESTS = 4

/** Runs `work` between begin and commit, and rolls back when it throws. */
export async function committed<T>(
  ask: Ask,
  work: (statements: Statements) => Promise<T>,
): Promise<T> {
  // Not waited for, which saves a way there and back: where none has begun, inserts are refused.
  const begun = ask('begin').then(
    () => undefined,
    (reason: unknown) => ({ reason }),
  )
  try {
    const result = await work(sqliteStatements(ask))
    await ask('commit')
    return result
  } catch (error) {
    await ask('rollback')
    const refused = await begun
    throw refused ? refused.reason : error
  }
}

const sqliteStatements = (ask: Ask): Statements => ({
  dialect: 'sqlite',
  async insert(insert, rows) {
    const texts = textsOf(insert)
    const pieces = chunks(rows, MOST_ROWS, REQUEST_BUDGET)
    await inTurn(ask, pieces, (piece) => ({ insert: texts, rows: piece }))
  },
  select: (select, values = []) => ask({ select, values }),
  async update(sql, values) {
    const [changed] = await updateAll(ask, [{ sql, values }])
    return changed as number
  },
  updateAll: (updates) => updateAll(ask, updates),
})

async function updateAll(ask: Ask, updates: readonly Update[]): Promise<readonly number[]> {
  const numbers = new Map<string, number>()
  const numbered = updates.map(({ sql, values }): UpdateValues => {
    const number = numbers.get(sql) ?? numbers.size
    numbers.set(sql, number)
    return [number, ...values]
  })
  const texts = [...numbers.keys()]
  const pieces = chunks(numbered, MOST_ROWS, REQUEST_BUDGET)
  const answers = await inTurn(ask, pieces, (piece) => ({ updates: piece, texts }))
  return answers.flatMap(({ changed }) => changed as readonly number[])
}

/** @returns all answers, in order */
async function inTurn<T>(
  ask: Ask,
  pieces: Iterable<T>,
  requestOf: (piece: T) => Request,
): Promise<readonly Row[]> {
  const asked: Promise<readonly Row[]>[] = []
  const answers: Row[] = []
  try {
    for (const piece of pieces) {
      if (asked.length === MOST_REQUESTS)
        answers.push(...(await (asked.shift() as (typeof asked)[0])))
      asked.push(ask(requestOf(piece)))
    }
    for (const rows of await Promise.all(asked)) answers.push(...rows)
    return answers
  } catch (error) {
    // The first error tells; those behind it are of the same transaction, which is over.
    await Promise.allSettled(asked)
    return refusing(error)
  }
}

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
