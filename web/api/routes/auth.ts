/** Logging in and out, and changing the password. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { changePassword, userByName } from '../../../store/users.ts'
import { ApiError } from '../api_error.ts'
import type { Accounts } from '../auth/accounts.ts'
import { accountOf } from '../auth/gate.ts'
import {
  hashPassword,
  isPassword,
  isTooLong,
  PASSWORD_MAX_BYTES,
  PASSWORD_MIN,
} from '../auth/passwords.ts'
import { clientKey, Throttle } from '../auth/throttle.ts'
import { TICKET_LASTS, type Tickets } from '../auth/tickets.ts'
import type { Tokens } from '../auth/tokens.ts'
import { addRoute } from '../route.ts'
import { me, message, session, sseTicket } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

/** Tries to log in, per address and per name. */
const LOGINS = 10
const LOGIN_WINDOW = 5 * 60_000
const CHANGES = 5
const CHANGE_WINDOW = 60_000

/** bcrypt reads 72 bytes; the bound here only keeps what is absurd out. */
const LONGEST_PASSWORD = 1024

interface AuthServices {
  readonly tokens: Tokens
  readonly accounts: Accounts
  readonly tickets: Tickets
}

const tooOften = (): ApiError => new ApiError(429, 'Too many attempts, try again later')

export function authRoutes(
  app: FastifyInstance,
  { database, clock, log }: ApiServices,
  { tokens, accounts, tickets }: AuthServices,
): void {
  const byAddress = new Throttle(clock, LOGINS, LOGIN_WINDOW)
  const byName = new Throttle(clock, LOGINS, LOGIN_WINDOW)
  const changes = new Throttle(clock, CHANGES, CHANGE_WINDOW)
  addRoute(app, {
    method: 'POST',
    path: '/auth/login',
    gate: 'public',
    tag: 'auth',
    summary: 'A token for a name and a password',
    body: Type.Object({
      username: Type.String({ minLength: 1, maxLength: 64 }),
      password: Type.String({ minLength: 1, maxLength: LONGEST_PASSWORD }),
    }),
    answers: { 200: session },
    problems: [401, 429],
    async handle({ body, request }) {
      const { username, password } = body
      // One who was sent away has named nobody: he could lock others out, or push their names out.
      if (!byAddress.admit(clientKey(request.ip)) || !byName.admit(username)) throw tooOften()
      const user = await userByName(database, username)
      if (!(await isPassword(password, user?.passwordHash)) || user === undefined) {
        throw new ApiError(401, 'Incorrect username or password')
      }
      return {
        access_token: await tokens.issue(user.uuid, user.tokensValidFrom),
        token_type: 'bearer',
        must_change_password: user.mustChangePassword,
      }
    },
  })
  addRoute(app, {
    method: 'POST',
    path: '/auth/change-password',
    gate: 'account',
    tag: 'auth',
    summary: 'Another password; all tokens given before are worth nothing afterwards',
    body: Type.Object({
      old_password: Type.String({ minLength: 1, maxLength: LONGEST_PASSWORD }),
      new_password: Type.String({ minLength: PASSWORD_MIN, maxLength: PASSWORD_MAX_BYTES }),
    }),
    answers: { 200: message },
    problems: [429],
    async handle({ body, request }) {
      const { user } = accountOf(request)
      if (!changes.admit(user.uuid)) throw tooOften()
      if (isTooLong(body.new_password)) {
        throw new ApiError(422, `The new password has more than ${PASSWORD_MAX_BYTES} bytes`)
      }
      // As the row stands now: the one at hand may be some seconds old.
      const current = await userByName(database, user.username)
      const isRight = await isPassword(body.old_password, current?.passwordHash)
      if (!isRight || current === undefined) throw new ApiError(401, 'Incorrect old password')
      const newHash = await hashPassword(body.new_password)
      const change = { oldHash: current.passwordHash, newHash, now: Math.round(clock.now() * 1000) }
      if (!(await changePassword(database, user.uuid, change))) {
        throw new ApiError(409, 'The password was changed meanwhile')
      }
      accounts.forget()
      log.info({ user: user.username }, 'a password was changed')
      return { message: 'Password changed' }
    },
  })
  addRoute(app, {
    method: 'POST',
    path: '/auth/logout',
    gate: 'account',
    tag: 'auth',
    summary: 'The token is worth nothing afterwards',
    answers: { 200: message },
    async handle({ request }) {
      await accounts.end(accountOf(request).token)
      return { message: 'Logged out' }
    },
  })
  addRoute(app, {
    method: 'POST',
    path: '/auth/sse-ticket',
    gate: 'viewer',
    tag: 'auth',
    summary: 'Opens one stream, once, within a minute: `?ticket=` in place of the token',
    answers: { 200: sseTicket },
    handle: ({ request }) => ({
      ticket: tickets.issue(accountOf(request)),
      expires_in: TICKET_LASTS,
    }),
  })
  addRoute(app, {
    method: 'GET',
    path: '/auth/me',
    gate: 'account',
    tag: 'auth',
    summary: 'Whose token it is',
    answers: { 200: me },
    handle({ request }) {
      const { user, token } = accountOf(request)
      return {
        uuid: user.uuid,
        username: user.username,
        role: user.role,
        must_change_password: user.mustChangePassword,
        expires_at: token.exp,
      }
    },
  })
}
