/** A database on a MySQL or MariaDB server. */
import { createHash } from 'node:crypto'
import { MikroORM, type MySqlConnection } from '@mikro-orm/mysql'
import { UnavailableError } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'
import type { Database, Orm } from './database.ts'
import type { MysqlAddress } from './database_url.ts'
import { entities } from './entities/index.ts'
import { migrate, requireMigrated } from './migrate.ts'
import { translated } from './mysql_errors.ts'
import { mysqlStatements } from './mysql_statements.ts'
import { committed, connected, patiently } from './mysql_transaction.ts'

type NativePool = Awaited<ReturnType<MySqlConnection['getNativeClient']>>

/** Its connections, given out by promises. */
export type Pool = ReturnType<NativePool['promise']>

/** One connection of the pool. */
export type Connection = Awaited<ReturnType<Pool['getConnection']>>

const CONNECT_TIMEOUT_MS = 10_000
const CONNECTIONS = 8
/** How long a process waits for another one's migration. */
const MIGRATION_LOCK_S = 60

const SESSION = [
  // A value that does not fit is an error and never cut in silence.
  "set session sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'",
  // The default, repeatable read, locks gaps, over which writers of new credentials deadlock.
  'set session transaction isolation level read committed',
]

/** Opens a pool and migrates the database it names, if it is to be. Throws as `openDatabase` does. */
export async function openMysql(address: MysqlAddress, upgrade: boolean): Promise<Database> {
  const place = placeOf(address)
  const orm = mikroOrm(address)
  try {
    await orm.connect()
    const native = await orm.driver.getConnection().getNativeClient()
    native.on('connection', (connection) => {
      // Queued before whatever the connection was opened for.
      for (const sql of SESSION) connection.query(sql, (error) => error && connection.destroy())
    })
    const pool = native.promise()
    await setCollation(orm, pool)
    if (upgrade) await migrateLocked(orm, pool, address.name)
    else await requireMigrated(orm, 'mysql', place)
    return mysqlDatabase(orm, pool, place)
  } catch (error) {
    await orm.close()
    throw translated(error, place)
  }
}

const placeOf = ({ host, port, socket, name }: MysqlAddress): string =>
  quote(`${socket ?? `${host}:${port}`}/${name}`, 200)

const mikroOrm = ({ host, port, socket, user, password, name }: MysqlAddress) =>
  new MikroORM({
    entities,
    dbName: name,
    host,
    port,
    user,
    password,
    charset: 'utf8mb4',
    pool: { max: CONNECTIONS },
    driverOptions: {
      connectTimeout: CONNECT_TIMEOUT_MS,
      ...(socket === undefined ? {} : { socketPath: socket }),
    },
  })

/** Blanks and case count, as they do for whoever logs in; the servers' names for that differ. */
async function setCollation(orm: Orm, pool: Pool): Promise<void> {
  const [rows] = await pool.query('select version() as version')
  const isMariadb = JSON.stringify(rows).includes('MariaDB')
  orm.config.set('collate', isMariadb ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin')
}

/** MySQL commits every change of tables at once, so a named lock stands in for a transaction. */
async function migrateLocked(orm: Orm, pool: Pool, name: string): Promise<void> {
  const connection = await pool.getConnection()
  // Lock names are the server's, not the database's, and MySQL's end at 64 characters.
  const lock = `decnet_migrate_${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
  try {
    const [rows] = await connection.query('select get_lock(?, ?) as held', [lock, MIGRATION_LOCK_S])
    if (!JSON.stringify(rows).includes('"held":1')) {
      const message = `another process has been migrating for ${MIGRATION_LOCK_S} s`
      throw new UnavailableError('DATABASE_UNAVAILABLE', message)
    }
    await migrate(orm, 'mysql')
  } finally {
    // Closing the connection frees the lock, also when the statement to free it could not be sent.
    connection.destroy()
  }
}

function mysqlDatabase(orm: Orm, pool: Pool, place: string): Database {
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await patiently(work)
    } catch (error) {
      throw translated(error, place)
    }
  }
  return {
    dialect: 'mysql',
    place,
    orm,
    transaction: (work) =>
      guarded(() =>
        connected(pool, (connection) =>
          committed(connection, () => work(mysqlStatements(connection))),
        ),
      ),
    select: (sql, values) =>
      guarded(() =>
        connected(pool, (connection) => mysqlStatements(connection).select(sql, values)),
      ),
    close: () => orm.close(),
  }
}
