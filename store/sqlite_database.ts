/** A database that is one SQLite file. */
import { closeSync, openSync } from 'node:fs'
import { MikroORM, type SqliteConnection } from '@mikro-orm/sqlite'
import Sqlite, { type default as BetterSqlite } from 'better-sqlite3'
import { quote } from '../protocols/quote.ts'
import type { Database, Orm, Row } from './database.ts'
import type { SqliteAddress } from './database_url.ts'
import { entities } from './entities/index.ts'
import type { Value } from './insert.ts'
import { migrate, requireMigrated } from './migrate.ts'
import { BUSY_TIMEOUT_MS, prepare } from './sqlite_connection.ts'
import { patiently, translated } from './sqlite_errors.ts'
import { committed } from './sqlite_statements.ts'
import { localWriter, threadWriter } from './sqlite_writer.ts'

type Handle = BetterSqlite.Database

/** What the database may hold is what attackers typed, passwords included: not for others' eyes. */
const FILE_MODE = 0o640

/**
 * Opens the file; makes it if need be and migrates it, where it is to be upgraded. Throws as
 * `openDatabase` does.
 */
export async function openSqlite({ path }: SqliteAddress, upgrade: boolean): Promise<Database> {
  const place = quote(path, 200)
  let orm: ReturnType<typeof mikroOrm> | undefined
  try {
    // SQLite gives its -wal and -shm files the mode of the database file.
    if (path !== ':memory:') closeSync(openSync(path, upgrade ? 'a' : 'r+', FILE_MODE))
    const made = mikroOrm(path)
    orm = made
    await made.connect()
    const connection = made.driver.getConnection()
    const handle = await connection.getNativeClient()
    await patiently(() => prepare(handle))
    if (upgrade) await patiently(() => migrateLocked(made, handle))
    else await patiently(() => requireMigrated(made, 'sqlite', place))
    return sqliteDatabase(made, connection, handle)
  } catch (error) {
    await orm?.close()
    throw translated(error, place)
  }
}

const mikroOrm = (path: string) =>
  new MikroORM({ entities, dbName: path, driverOptions: { timeout: BUSY_TIMEOUT_MS } })

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

/** Reads what is committed while a transaction is under way: whoever polls need not wait for its end. */
function openReader(path: string): Handle {
  return new Sqlite(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS })
}

function sqliteDatabase(orm: Orm, connection: SqliteConnection, handle: Handle): Database {
  const place = quote(handle.name, 200)
  const writer = handle.memory ? localWriter(handle) : threadWriter(handle.name)
  // The ORM writes by a connection of its own. Taking that one from its pool meanwhile keeps the two
  // from waiting for each other's locks, and in memory, where they share it, out of one transaction.
  const alone = <T>(work: () => T | Promise<T>) =>
    connection
      .getClient()
      .connection()
      .execute(async () => work())
  let ownReader: Handle | undefined
  const reader = () => {
    if (handle.memory || !handle.open) return handle
    ownReader ??= openReader(handle.name)
    return ownReader
  }
  // Who polls asks the same again and again.
  let last: { sql: string; statement: BetterSqlite.Statement<Value[], Row> } | undefined
  const prepared = (sql: string) => {
    if (last?.sql !== sql) last = { sql, statement: reader().prepare<Value[], Row>(sql) }
    return last.statement
  }
  return {
    dialect: 'sqlite',
    place,
    orm,
    async transaction(work) {
      try {
        return await patiently(() => alone(() => committed(writer.ask(), work)))
      } catch (error) {
        throw translated(error, place)
      }
    },
    async select(sql, values = []) {
      const read = () => prepared(sql).all(...values)
      try {
        return await patiently(handle.memory ? () => alone(read) : read)
      } catch (error) {
        throw translated(error, place)
      }
    },
    async close() {
      await alone(() => writer.close())
      ownReader?.close()
      await orm.close()
    },
  }
}
