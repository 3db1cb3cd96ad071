/** The first user, for a database that has none. */
import { type Clock, type Context, EngineError, freshEpoch } from '../../../engine/index.ts'
import type { Database } from '../../../store/database.ts'
import { randomUuid } from '../../../store/random_uuid.ts'
import { addUser, countUsers } from '../../../store/users.ts'
import { hashPassword, isTooLong, PASSWORD_MAX_BYTES, PASSWORD_MIN } from './passwords.ts'

interface FirstAdmin {
  readonly name: string
  /** undefined: one is made up */
  readonly password: string | undefined
  /** whether a short password will do */
  readonly developer: boolean
}

/**
 * Does nothing where there is a user already.
 * @param say told the password that was made up, once; it is kept nowhere
 * @throws {EngineError} `SETTINGS` on a password that is too short or too long; it is not shown
 */
export async function makeFirstAdmin(
  database: Database,
  { name, password, developer }: FirstAdmin,
  {
    clock,
    say,
    log,
  }: { clock: Clock; say: (text: string) => void; log: Pick<Context['log'], 'info'> },
): Promise<void> {
  if ((await countUsers(database)) > 0) return
  const made = password === undefined
  const chosen = password ?? freshEpoch() + freshEpoch()
  if (!developer && chosen.length < PASSWORD_MIN) {
    throw new EngineError(
      'SETTINGS',
      `DECNET_ADMIN_PASSWORD has less than ${PASSWORD_MIN} characters`,
    )
  }
  if (isTooLong(chosen)) {
    throw new EngineError(
      'SETTINGS',
      `DECNET_ADMIN_PASSWORD has more than ${PASSWORD_MAX_BYTES} bytes`,
    )
  }
  const user = {
    uuid: randomUuid(),
    username: name.slice(0, 64),
    passwordHash: await hashPassword(chosen),
    role: 'admin',
    mustChangePassword: true,
    tokensValidFrom: 0,
  } as const
  await addUser(database, user, Math.round(clock.now() * 1000))
  log.info({ user: user.username }, 'made the first user')
  if (made) say(`The first user is ${user.username}, its password ${chosen}: change it at once.\n`)
}
