/**
 * The database behind the sinks and the API: one SQLite file, or MySQL / MariaDB. This module is
 * light; the drivers and MikroORM are loaded when a database is opened.
 */
import type { MikroORM } from '@mikro-orm/core'
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sqlite'
import { defineResource } from '../engine/index.ts'
import { parseDatabaseUrl } from './database_url.ts'
import type { Dialect, Insert, Value } from './insert.ts'

/** MikroORM on either database. */
export type Orm = MikroORM<AbstractSqlDriver, SqlEntityManager>

/** What a select gives: column name to value. */
export type Row = Readonly<Record<string, unknown>>

/** What repositories do inside a transaction. */
export interface Statements {
  readonly dialect: Dialect
  /**
   * Inserts rows in order; what a row that is already there does is the insert's own affair.
   * @throws {StoreError} `ROW_REFUSED` when the database will never take one of the rows
   */
  insert(insert: Insert, rows: readonly (readonly Value[])[]): Promise<void>
  select(sql: string, values?: readonly Value[]): Promise<readonly Row[]>
  /**
   * @returns how many rows the statement has changed
   * @throws {StoreError} `ROW_REFUSED` when the database will never change one of them so
   */
  update(sql: string, values: readonly Value[]): Promise<number>
  /** The same in order for many, of few texts. @returns how many rows each has changed */
  updateAll(updates: readonly Update[]): Promise<readonly number[]>
}

export interface Update {
  readonly sql: string
  readonly values: readonly Value[]
}

/** An open, migrated database. */
export interface Database {
  readonly dialect: Dialect
  /** Where it is, for messages and logs: a path, or host, port and name. */
  readonly place: string
  /** For everything that is not the hot path. */
  readonly orm: Orm
  /**
   * Runs `work` in one transaction; it may run again when another writer got in between.
   * @throws {StoreError} `ROW_REFUSED`, `DATABASE_STATEMENT`
   * @throws {UnavailableError} `DATABASE_UNAVAILABLE` when the database is away, full or too busy:
   *   nothing was written, or (connection lost in the commit) it is unknown, and writing the same
   *   events again is right
   */
  transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T>
  /** Reads outside any transaction; throws as `transaction` does. */
  select(sql: string, values?: readonly Value[]): Promise<readonly Row[]>
  close(): Promise<void>
}

/** What components ask the engine for: `await context.use(database)`. */
export const database = defineResource<Database>('database')

/**
 * Opens a database and brings its tables up to date. Any number of processes may do so at once.
 * @param url as `parseDatabaseUrl` reads it
 * @param upgrade false, for those who only look: nothing is made and no table changed
 * @throws {StoreError} `DATABASE_URL`, `DATABASE_STATEMENT`
 * @throws {UnavailableError} `DATABASE_UNAVAILABLE`, naming the place and never the password;
 *   `DATABASE_NOT_MIGRATED` where the tables are of another version and are not to be changed
 */
export async function openDatabase(url: string, { upgrade = true } = {}): Promise<Database> {
  const address = parseDatabaseUrl(url)
  if (address.kind === 'sqlite') {
    return (await import('./sqlite_database.ts')).openSqlite(address, upgrade)
  }
  return (await import('./mysql_database.ts')).openMysql(address, upgrade)
}
