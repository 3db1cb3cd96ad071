/** What an admin does to users; there is always one admin left. */
import type { Database, Statements } from './database.ts'
import { addUserRow, MOST_USERS, nextSecond, type Role, type User } from './users.ts'

/** @param now µs since the epoch @throws as `Database.transaction` */
export const createUser = (
  database: Database,
  user: User,
  now: number,
): Promise<'created' | 'taken' | 'full'> =>
  database.transaction(async (statements) => {
    const [there] = await statements.select('select count(*) as n from users')
    if (Number(there?.n) >= MOST_USERS) return 'full'
    const taken = await statements.select('select uuid from users where username = ?', [
      user.username,
    ])
    if (taken.length > 0) return 'taken'
    await addUserRow(statements, user, now)
    // Somebody else may have had the same idea at the same time.
    const [row] = await statements.select('select uuid from users where username = ?', [
      user.username,
    ])
    return row?.uuid === user.uuid ? 'created' : 'taken'
  })

export type UserChange = 'done' | 'unknown' | 'last_admin'

export const removeUser = (database: Database, uuid: string): Promise<UserChange> =>
  changeUser(database, uuid, false, (statements) =>
    statements.update('delete from users where uuid = ?', [uuid]),
  )

/** The tokens a user has are worth nothing afterwards. @param now µs since the epoch */
export const changeRole = (
  database: Database,
  uuid: string,
  role: Role,
  now: number,
): Promise<UserChange> =>
  changeUser(database, uuid, role === 'admin', (statements) =>
    statements.update(
      'update users set role = ?, tokens_valid_from = ?, updated_at = ? where uuid = ?',
      [role, nextSecond(now), now, uuid],
    ),
  )

/** Gives a user a password to be changed at the next login. @param now µs since the epoch */
export const resetPassword = (
  database: Database,
  uuid: string,
  hash: string,
  now: number,
): Promise<UserChange> =>
  changeUser(database, uuid, true, (statements) =>
    statements.update(
      `update users set password_hash = ?, must_change_password = 1, tokens_valid_from = ?,
         updated_at = ? where uuid = ?`,
      [hash, nextSecond(now), now, uuid],
    ),
  )

function changeUser(
  database: Database,
  uuid: string,
  keepsAdmin: boolean,
  change: (statements: Statements) => Promise<unknown>,
): Promise<UserChange> {
  return database.transaction(async (statements) => {
    // Of two who each take the rights of the other, the second waits here, and then sees it.
    const lock = statements.dialect === 'mysql' ? ' for update' : ''
    const admins = await statements.select(
      `select uuid from users where role = 'admin' order by uuid${lock}`,
    )
    const known = await statements.select('select uuid from users where uuid = ?', [uuid])
    if (known.length === 0) return 'unknown'
    const isLast = admins.length === 1 && admins[0]?.uuid === uuid
    if (isLast && !keepsAdmin) return 'last_admin'
    await change(statements)
    return 'done'
  })
}
