/** Which database to use: from a URL, or from the environment. Messages never show a password. */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { FatalError } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'

export interface SqliteAddress {
  readonly kind: 'sqlite'
  /** File, or `:memory:`. */
  readonly path: string
}

export interface MysqlAddress {
  readonly kind: 'mysql'
  readonly host: string
  readonly port: number
  /** Unix socket, used instead of host and port. */
  readonly socket: string | undefined
  readonly user: string
  readonly password: string
  readonly name: string
}

export type DatabaseAddress = SqliteAddress | MysqlAddress

type Environment = Readonly<Record<string, string | undefined>>

const FORMS = 'sqlite:PATH, mysql://USER:PASSWORD@HOST:PORT/NAME or mariadb://…'
const SYSTEM_DATA_DIR = '/var/lib/decnet'

const wrong = (why: string): FatalError =>
  new FatalError('DATABASE_URL', `the database URL ${why}; expected ${FORMS}`)

/**
 * Reads a database URL. User, password and name are percent-decoded; a SQLite path is taken as it
 * is, and `sqlite:///x` means `/x`.
 * @throws {FatalError} `DATABASE_URL`, without the URL, for it may hold a password
 * @example parseDatabaseUrl('mysql://decnet:p%40ss@db:3306/decnet')
 */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  if (url.startsWith('sqlite:')) return { kind: 'sqlite', path: sqlitePath(url.slice(7)) }
  if (!/^(mysql|mariadb):\/\//.test(url)) throw wrong('has an unknown form')
  return mysqlAddress(url)
}

function sqlitePath(rest: string): string {
  const path = rest.startsWith('//') ? rest.replace(/^\/\/+(?=\/)/, '') : rest
  if (path.startsWith('//')) throw wrong('names a host, and SQLite has none')
  if (path === '') throw wrong('has no path')
  return path
}

function mysqlAddress(text: string): MysqlAddress {
  // An error of URL carries its whole input, so it is not kept as the cause.
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw wrong('cannot be read')
  const unknown = [...url.searchParams.keys()].find((key) => key !== 'socket')
  if (unknown !== undefined) throw wrong(`has an unknown parameter ${quote(unknown)}`)
  const name = decoded(url.pathname.slice(1))
  if (name === '' || name.includes('/')) throw wrong('has to name one database')
  if (url.hostname === '') throw wrong('has no host')
  return {
    kind: 'mysql',
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 3306 : Number(url.port),
    socket: url.searchParams.get('socket') ?? undefined,
    user: decoded(url.username),
    password: decoded(url.password),
    name,
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch (error) {
    if (!(error instanceof URIError)) throw error
    throw wrong('has a % that begins no percent-encoding')
  }
}

/**
 * The database URL an environment asks for: `DECNET_DB_URL`, else `DECNET_DB_TYPE` (sqlite, mysql
 * or mariadb) with `_HOST`, `_PORT`, `_NAME`, `_USER` and `_PASSWORD`. An SQLite file is
 * `decnet.db` in `DECNET_DATA_DIR`, in /var/lib/decnet where that can be written, or here.
 * @throws {FatalError} `DATABASE_URL` or `DATABASE_SETTING`, naming the variable, never a secret
 * @see spec/workers-and-systemd.md section 10
 */
export function databaseUrl(environment: Environment): string {
  if (environment.DECNET_DB_URL) {
    parseDatabaseUrl(environment.DECNET_DB_URL)
    return environment.DECNET_DB_URL
  }
  const type = (environment.DECNET_DB_TYPE || 'sqlite').toLowerCase()
  if (type === 'sqlite') return `sqlite:${join(dataDirectory(environment), 'decnet.db')}`
  if (type === 'mysql' || type === 'mariadb') return mysqlUrl(type, environment)
  throw new FatalError(
    'DATABASE_SETTING',
    `DECNET_DB_TYPE is ${quote(type)}; expected sqlite, mysql or mariadb`,
  )
}

function dataDirectory(environment: Environment): string {
  if (environment.DECNET_DATA_DIR) return environment.DECNET_DATA_DIR
  try {
    accessSync(SYSTEM_DATA_DIR, constants.W_OK)
    return SYSTEM_DATA_DIR
  } catch {
    // Not installed, or not ours to write: a stranger's first run leaves its file where he is.
    return '.'
  }
}

function mysqlUrl(type: string, environment: Environment): string {
  const port = environment.DECNET_DB_PORT || '3306'
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65535) {
    throw new FatalError('DATABASE_SETTING', 'DECNET_DB_PORT has to be a number from 1 to 65535')
  }
  const password = environment.DECNET_DB_PASSWORD
  if (!password) throw new FatalError('DATABASE_SETTING', 'DECNET_DB_PASSWORD is not set')
  const host = environment.DECNET_DB_HOST || 'localhost'
  const user = encodeURIComponent(environment.DECNET_DB_USER || 'decnet')
  const name = encodeURIComponent(environment.DECNET_DB_NAME || 'decnet')
  const authority = host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
  return `${type}://${user}:${encodeURIComponent(password)}@${authority}:${port}/${name}`
}
