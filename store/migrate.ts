/** Brings a database's tables up to date. */
import { UnavailableError } from '../engine/index.ts'
import type { Orm } from './database.ts'
import type { Dialect } from './insert.ts'
import { migrations } from './migrations/index.ts'

const LEDGER = 'mikro_orm_migrations'

/**
 * Runs the migrations that have not run yet. The caller holds whatever keeps two processes from
 * doing so at once, and a transaction where the database can roll back a change of tables.
 */
export async function migrate(orm: Orm, dialect: Dialect): Promise<void> {
  const done = await migrationsDone(orm, dialect)
  if (migrations.every(({ name }) => done.has(name))) return
  const { Migrator } = await import('@mikro-orm/migrations')
  const migrationsList = await Promise.all(
    migrations.map(async ({ name, load }) => ({ name, class: await load() })),
  )
  orm.config.set('migrations', {
    ...orm.config.get('migrations'),
    migrationsList,
    snapshot: false,
    silent: true,
    transactional: false,
    allOrNothing: false,
  })
  Migrator.register(orm)
  await orm.migrator.up()
}

/**
 * For those who may not change the tables.
 * @throws {UnavailableError} `DATABASE_NOT_MIGRATED`
 */
export async function requireMigrated(orm: Orm, dialect: Dialect, place: string): Promise<void> {
  const done = await migrationsDone(orm, dialect)
  if (migrations.every(({ name }) => done.has(name))) return
  throw new UnavailableError(
    'DATABASE_NOT_MIGRATED',
    `the tables of the database ${place} are not those of this version; ` +
      'the first pipeline that writes to it brings them up to date',
  )
}

/** Asks the ledger itself: at most starts there is nothing to do, and the migrator takes 50 ms. */
async function migrationsDone(orm: Orm, dialect: Dialect): Promise<Set<unknown>> {
  const connection = orm.em.getConnection()
  const tables = await connection.execute<unknown[]>(
    dialect === 'sqlite'
      ? `select 1 from sqlite_master where type = 'table' and name = '${LEDGER}'`
      : `select 1 from information_schema.tables
         where table_schema = database() and table_name = '${LEDGER}'`,
  )
  if (tables.length === 0) return new Set()
  const rows = await connection.execute<{ name: unknown }[]>(`select name from ${LEDGER}`)
  return new Set(rows.map(({ name }) => name))
}
