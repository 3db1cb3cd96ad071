/** A database that is one SQLite file. */
import { closeSync, openSync } from 'node:fs'
import { MikroORM, type SqliteConnection } from '@mikro-orm/sqlite'
import type BetterSqlite from 'better-sqlite3'
import { quote } from '../protocols/quote.ts'
import type { Database, Orm, Row, Statements } from './database.ts'
import type { SqliteAddress } from './database_url.ts'
import { entities } from './entities/index.ts'
import { StoreError } from './errors.ts'
import { type Insert, insertSql, type Value } from './insert.ts'
import { migrate } from './migrate.ts'
import { codeOf, isRowRefused, patiently, translated } from './sqlite_errors.ts'

type Handle = BetterSqlite.Database

// Waiting for a lock inside SQLite stops this whole process, so each wait is short; between two of
// them (`patiently`) the event loop runs.
const BUSY_TIMEOUT_MS = 250

/** What the database may hold is what attackers typed, passwords included: not for others' eyes. */
const FILE_MODE = 0o640

/** Opens the file, makes it if need be, and migrates it. Throws as `openDatabase` does. */
export async function openSqlite({ path }: SqliteAddress): Promise<Database> {
  const place = quote(path, 200)
  let orm: ReturnType<typeof mikroOrm> | undefined
  try {
    // SQLite gives its -wal and -shm files the mode of the database file.
    if (path !== ':memory:') closeSync(openSync(path, 'a', FILE_MODE))
    const made = mikroOrm(path)
    orm = made
    await made.connect()
    const connection = made.driver.getConnection()
    const handle = await connection.getNativeClient()
    await patiently(() => prepare(handle))
    await patiently(() => migrateLocked(made, handle))
    return sqliteDatabase(made, connection, handle)
  } catch (error) {
    await orm?.close()
    throw translated(error, place)
  }
}

const mikroOrm = (path: string) =>
  new MikroORM({ entities, dbName: path, driverOptions: { timeout: BUSY_TIMEOUT_MS } })

/**
 * `synchronous = full`: a batch is acknowledged once it is committed, and the position in the
 * engine's own file then moves past it. With `normal` a power cut could take back commits that the
 * position already counts on. WAL lets readers go on meanwhile.
 */
function prepare(handle: Handle): void {
  handle.pragma('journal_mode = wal')
  handle.pragma('synchronous = full')
  handle.pragma('foreign_keys = on')
}

/** Nobody else has the handle yet, so a transaction by hand covers what the migrator does on it. */
async function migrateLocked(orm: Orm, handle: Handle): Promise<void> {
  handle.exec('begin immediate')
  try {
    await migrate(orm, 'sqlite')
    handle.exec('commit')
  } finally {
    if (handle.inTransaction) handle.exec('rollback')
  }
}

function sqliteDatabase(orm: Orm, connection: SqliteConnection, handle: Handle): Database {
  const place = quote(handle.name, 200)
  const statements = sqliteStatements(handle)
  // The ORM has this one connection too. Taking it from its pool keeps the two from meeting inside
  // one transaction.
  const alone = <T>(work: () => T | Promise<T>) =>
    connection
      .getClient()
      .connection()
      .execute(async () => work())
  return {
    dialect: 'sqlite',
    place,
    orm,
    async transaction(work) {
      try {
        return await patiently(() => alone(() => committed(handle, () => work(statements))))
      } catch (error) {
        throw translated(error, place)
      }
    },
    async select(sql, values) {
      try {
        return await patiently(() => alone(() => statements.select(sql, values)))
      } catch (error) {
        throw translated(error, place)
      }
    },
    close: () => orm.close(),
  }
}

async function committed<T>(handle: Handle, work: () => Promise<T>): Promise<T> {
  // Immediate: a transaction that begins by reading could not become a writing one later.
  handle.exec('begin immediate')
  try {
    const result = await work()
    handle.exec('commit')
    return result
  } finally {
    if (handle.inTransaction) handle.exec('rollback')
  }
}

function sqliteStatements(handle: Handle): Statements {
  const inserts = new Map<Insert, BetterSqlite.Statement>()
  const inserting = (insert: Insert) => {
    const known = inserts.get(insert)
    if (known !== undefined) return known
    const statement = handle.prepare(insertSql(insert, 'sqlite', 1))
    inserts.set(insert, statement)
    return statement
  }
  return {
    dialect: 'sqlite',
    async insert(insert, rows) {
      const statement = inserting(insert)
      for (const row of rows) run(statement, row)
    },
    select: async (sql, values = []) => handle.prepare<Value[], Row>(sql).all(...values),
  }
}

function run(statement: BetterSqlite.Statement, row: readonly Value[]): void {
  try {
    statement.run(row)
  } catch (error) {
    if (!isRowRefused(error)) throw error
    throw new StoreError('ROW_REFUSED', `SQLite refused a row: ${codeOf(error)}`, { cause: error })
  }
}
