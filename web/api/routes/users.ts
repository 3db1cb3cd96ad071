/** Users, as admins see and change them; and what else this installation is set to. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { randomUuid } from '../../../store/random_uuid.ts'
import { randomBuffer } from '../../../store/secret_box.ts'
import {
  changeRole,
  createUser,
  removeUser,
  resetPassword,
  type UserChange,
} from '../../../store/user_administration.ts'
import { listUsers, type User, userByUuid } from '../../../store/users.ts'
import { ApiError, notFound } from '../api_error.ts'
import type { Accounts } from '../auth/accounts.ts'
import { accountOf } from '../auth/gate.ts'
import { hashPassword, isTooLong, PASSWORD_MAX_BYTES, PASSWORD_MIN } from '../auth/passwords.ts'
import { Throttle } from '../auth/throttle.ts'
import { addRoute } from '../route.ts'
import { config, createdUser, message, resetUser, user as userRow, uuidParams } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

/** Passwords that one admin sets: each is a quarter of a second of one core. */
const SETTINGS = 20
const SETTING_WINDOW = 60_000
/** Bytes of a password that is made up: 24 characters. */
const MADE_BYTES = 18

/** Names are shown, logged and sent over the bus: nothing that looks like something else. */
const username = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$', maxLength: 64 })
const role = Type.Enum(['admin', 'viewer'])
const password = Type.String({
  minLength: PASSWORD_MIN,
  maxLength: PASSWORD_MAX_BYTES,
  description: 'to be changed at the first login; default: one is made and shown once',
})

export function userRoutes(
  app: FastifyInstance,
  { database, clock, log }: ApiServices,
  accounts: Accounts,
): void {
  const shared = { gate: 'admin', tag: 'users' } as const
  const settings = new Throttle(clock, SETTINGS, SETTING_WINDOW)
  const micros = () => Math.round(clock.now() * 1000)

  /** @returns its hash, and the password where it was made up */
  const settle = async (by: User, given: string | undefined) => {
    if (!settings.admit(by.uuid)) throw new ApiError(429, 'Too many attempts, try again later')
    if (given !== undefined && isTooLong(given)) {
      throw new ApiError(422, `The new password has more than ${PASSWORD_MAX_BYTES} bytes`)
    }
    const made = given === undefined ? randomBuffer(MADE_BYTES).toString('base64url') : null
    return { made, hash: await hashPassword(given ?? String(made)) }
  }
  /** What a user could do before ends at once, and not when somebody looks. */
  const settled = (change: UserChange, what: string, uuid: string, by: User) => {
    if (change === 'unknown') throw notFound('User')
    if (change === 'last_admin') throw new ApiError(409, 'There must be an admin left')
    accounts.forget()
    log.info({ user: uuid, by: by.username }, what)
  }

  addRoute(app, {
    method: 'GET',
    path: '/config',
    gate: 'viewer',
    tag: 'users',
    summary: 'What this installation is set to; admins also see the users',
    answers: { 200: config },
    async handle({ request }) {
      const { role: mine } = accountOf(request).user
      const shown = { role: mine, deployment_limit: 10, global_mutation_interval: '30m' }
      if (mine !== 'admin') return shown
      return { ...shown, users: (await listUsers(database)).map(shownUser) }
    },
  })
  addRoute(app, {
    ...shared,
    method: 'POST',
    path: '/config/users',
    summary: 'A new user, who has to change the password at the first login',
    body: Type.Object(
      { username, role, password: Type.Optional(password) },
      { nullIsAbsent: true },
    ),
    answers: { 201: createdUser },
    problems: [409, 429],
    async handle({ body, request, reply }) {
      const by = accountOf(request).user
      const { made, hash } = await settle(by, body.password)
      const created: User = {
        uuid: randomUuid(),
        username: body.username,
        passwordHash: hash,
        role: body.role === 'admin' ? 'admin' : 'viewer',
        mustChangePassword: true,
        tokensValidFrom: 0,
      }
      const outcome = await createUser(database, created, micros())
      if (outcome === 'taken') throw new ApiError(409, 'Username already exists')
      if (outcome === 'full') throw new ApiError(409, 'There are too many users')
      log.info({ user: created.uuid, by: by.username }, 'made a user')
      reply.code(201)
      return { ...shownUser(created), password: made }
    },
  })
  addRoute(app, {
    ...shared,
    method: 'DELETE',
    path: '/config/users/:uuid',
    summary: 'Takes a user away, and with him all his tokens and streams; nobody removes himself',
    params: uuidParams,
    answers: { 200: message },
    problems: [404, 409],
    async handle({ params: { uuid }, request }) {
      const by = accountOf(request).user
      if (uuid === by.uuid) throw new ApiError(409, 'You cannot remove yourself')
      settled(await removeUser(database, uuid), 'removed a user', uuid, by)
      return { message: 'User removed' }
    },
  })
  addRoute(app, {
    ...shared,
    method: 'PUT',
    path: '/config/users/:uuid/role',
    summary: 'Another role; all tokens given before are worth nothing afterwards',
    params: uuidParams,
    body: Type.Object({ role }),
    answers: { 200: userRow },
    problems: [404, 409],
    async handle({ params: { uuid }, body, request }) {
      const by = accountOf(request).user
      const before = await userByUuid(database, uuid)
      const next = body.role === 'admin' ? 'admin' : 'viewer'
      // Nothing has changed: nobody is to be thrown out for it.
      if (before?.role === next) return shownUser(before)
      settled(await changeRole(database, uuid, next, micros()), 'changed a role', uuid, by)
      const after = await userByUuid(database, uuid)
      if (after === undefined) throw notFound('User')
      return shownUser(after)
    },
  })
  addRoute(app, {
    ...shared,
    method: 'PUT',
    path: '/config/users/:uuid/reset-password',
    summary: 'Another password, to be changed at the next login; for oneself see change-password',
    params: uuidParams,
    body: Type.Object({ new_password: Type.Optional(password) }, { nullIsAbsent: true }),
    answers: { 200: resetUser },
    problems: [404, 409, 429],
    async handle({ params: { uuid }, body, request }) {
      const by = accountOf(request).user
      // Whoever has got hold of a token is not to get hold of the account by it.
      if (uuid === by.uuid) throw new ApiError(409, 'Change your own password by the old one')
      if ((await userByUuid(database, uuid)) === undefined) throw notFound('User')
      const { made, hash } = await settle(by, body.new_password)
      const change = await resetPassword(database, uuid, hash, micros())
      settled(change, 'reset a password', uuid, by)
      return { message: 'Password reset', password: made }
    },
  })
}

const shownUser = ({ uuid, username, role, mustChangePassword }: User) => ({
  uuid,
  username,
  role,
  must_change_password: mustChangePassword,
})
