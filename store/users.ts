/** Users of the API: the rows behind every login and every token. */
import type { Database, Row, Statements } from './database.ts'
import type { Insert } from './insert.ts'

export type Role = 'admin' | 'viewer'

export interface User {
  readonly uuid: string
  readonly username: string
  /** bcrypt */
  readonly passwordHash: string
  readonly role: Role
  readonly mustChangePassword: boolean
  /** whole seconds since the epoch: tokens issued before it are worth nothing */
  readonly tokensValidFrom: number
}

const USERS: Insert = {
  table: 'users',
  columns: [
    ...['uuid', 'username', 'password_hash', 'role', 'must_change_password'],
    ...['tokens_valid_from', 'created_at', 'updated_at'],
  ],
  key: ['username'],
}

/** @throws {UnavailableError} `DATABASE_UNAVAILABLE`, as all that follows */
export const userByUuid = (database: Database, uuid: string): Promise<User | undefined> =>
  oneUser(database, 'uuid', uuid)

/** Names are told apart by case, on either database. */
export const userByName = (database: Database, name: string): Promise<User | undefined> =>
  oneUser(database, 'username', name)

export async function countUsers(database: Database): Promise<number> {
  const [row] = await database.select('select count(*) as n from users')
  return Number(row?.n ?? 0)
}

/** Users there may be; all of them are listed. */
export const MOST_USERS = 1000

export async function listUsers(database: Database): Promise<readonly User[]> {
  const sql = `select * from users order by username limit ${MOST_USERS}`
  return (await database.select(sql)).map(toUser)
}

/** Does nothing where the name is taken. @param now µs since the epoch */
export const addUser = (database: Database, user: User, now: number): Promise<void> =>
  database.transaction((statements) => addUserRow(statements, user, now))

/** As `addUser`, inside a transaction. */
export const addUserRow = (statements: Statements, user: User, now: number): Promise<void> =>
  statements.insert(USERS, [
    [
      user.uuid,
      user.username,
      user.passwordHash,
      user.role,
      user.mustChangePassword ? 1 : 0,
      user.tokensValidFrom,
      now,
      now,
    ],
  ])

/**
 * Gives a user another password; the tokens it has are worth nothing afterwards.
 * @param now µs since the epoch
 * @returns whether there was such a user, and its password was still `oldHash`
 */
export async function changePassword(
  database: Database,
  uuid: string,
  { oldHash, newHash, now }: { readonly oldHash: string; readonly newHash: string; now: number },
): Promise<boolean> {
  const validFrom = nextSecond(now)
  const changed = await database.transaction((statements) =>
    statements.update(
      `update users set password_hash = ?, must_change_password = 0, tokens_valid_from = ?,
         updated_at = ? where uuid = ? and password_hash = ?`,
      [newHash, validFrom, now, uuid, oldHash],
    ),
  )
  return changed === 1
}

/**
 * From when on tokens are good again after a change: they know whole seconds, so one of this very
 * second may have been given for what held before.
 */
export const nextSecond = (micros: number): number => Math.floor(micros / 1e6) + 1

async function oneUser(
  database: Database,
  column: 'uuid' | 'username',
  value: string,
): Promise<User | undefined> {
  const [row] = await database.select(`select * from users where ${column} = ?`, [value])
  return row && toUser(row)
}

const toUser = (row: Row): User => ({
  uuid: String(row.uuid),
  username: String(row.username),
  passwordHash: String(row.password_hash),
  // Whatever else stands there may look, but not touch.
  role: row.role === 'admin' ? 'admin' : 'viewer',
  mustChangePassword: Number(row.must_change_password) !== 0,
  tokensValidFrom: Number(row.tokens_valid_from),
})
