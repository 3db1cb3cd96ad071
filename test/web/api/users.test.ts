import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase } from '../../../store/database.ts'
import { changeRole, removeUser } from '../../../store/user_administration.ts'
import { addUser, listUsers, userByName } from '../../../store/users.ts'
import { testDatabases } from '../../services/databases.ts'
import { NOW, PASSWORD, type TestApi, testApi, userUuid } from './api.ts'

let api: TestApi
beforeEach(async () => {
  api = await testApi()
})
afterEach(() => api.close())

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
async function ask(method: Method, path: string, payload?: object, user = 'ada') {
  const headers = { authorization: `Bearer ${await api.token(user)}` }
  const url = `/api/v1${path}`
  const answer = await api.app.inject({ method, url, headers, ...(payload && { payload }) })
  return { status: answer.statusCode, body: answer.json() }
}
const login = async (username: string, password: string) => {
  const url = '/api/v1/auth/login'
  const answer = await api.app.inject({ method: 'POST', url, payload: { username, password } })
  return { status: answer.statusCode, body: answer.json() }
}
const withToken = async (token: string, path: string) => {
  const headers = { authorization: `Bearer ${token}` }
  return (await api.app.inject({ method: 'GET', url: `/api/v1${path}`, headers })).statusCode
}
const names = async () =>
  (await ask('GET', '/config')).body.users.map(({ username }: { username: string }) => username)
const path = (user: string, rest = '') => `/config/users/${userUuid(user)}${rest}`

describe('a new user', () => {
  it('has a password that is shown once, and has to change it', async () => {
    const { status, body } = await ask('POST', '/config/users', { username: 'eve', role: 'viewer' })
    expect([status, body]).toMatchObject([
      201,
      { username: 'eve', role: 'viewer', must_change_password: true },
    ])
    expect(body.password).toMatch(/^[\w-]{24}$/)
    expect(body.uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/)
    const { body: session } = await login('eve', body.password)
    expect(session.must_change_password).toBe(true)
    expect(await withToken(session.access_token, '/stats')).toBe(403)
    expect(JSON.stringify((await ask('GET', '/config')).body)).not.toContain(body.password)
  })

  it('may be given a password, which is not said again', async () => {
    const user = { username: 'eve', role: 'admin', password: 'a password of hers' }
    expect((await ask('POST', '/config/users', user)).body.password).toBeNull()
    expect((await login('eve', 'a password of hers')).status).toBe(200)
  })

  it.each([
    [{ username: 'vic', role: 'viewer' }, 409],
    [{ username: 'a b', role: 'viewer' }, 422],
    [{ username: '-x', role: 'viewer' }, 422],
    [{ username: '<b>', role: 'viewer' }, 422],
    [{ username: 'x'.repeat(65), role: 'viewer' }, 422],
    [{ username: '\u202eeve', role: 'viewer' }, 422],
    [{ username: 'eve', role: 'root' }, 422],
    [{ username: 'eve' }, 400],
    [{ username: 'eve', role: 'viewer', password: 'short' }, 400],
    [{ username: 'eve', role: 'viewer', password: 'x'.repeat(73) }, 422],
    [{ username: 'eve', role: 'viewer', password: 'é'.repeat(37) }, 422],
  ])('%j is refused', async (user, status) => {
    expect((await ask('POST', '/config/users', user)).status).toBe(status)
    expect((await names()).length).toBe(4)
  })

  it('is refused where one admin makes too many at once', async () => {
    const password = 'é'.repeat(37)
    for (let n = 0; n < 20; n++) {
      await ask('POST', '/config/users', { username: `u${n}`, role: 'viewer', password })
    }
    const more = await ask('POST', '/config/users', { username: 'eve', role: 'viewer' })
    expect(more.status).toBe(429)
  })
})

describe('removing a user', () => {
  it('makes his tokens worth nothing at once', async () => {
    const token = await api.token('vic')
    expect(await withToken(token, '/stats')).toBe(200)
    expect((await ask('DELETE', path('vic'))).status).toBe(200)
    expect(await withToken(token, '/stats')).toBe(401)
    expect((await login('vic', PASSWORD)).status).toBe(401)
    expect((await ask('DELETE', path('vic'))).status).toBe(404)
    // A user of that name is somebody else.
    await ask('POST', '/config/users', { username: 'vic', role: 'viewer' })
    expect(await withToken(token, '/stats')).toBe(401)
  })

  it('is refused for oneself, and where there is nobody of that id', async () => {
    expect(await ask('DELETE', path('ada'))).toEqual({
      status: 409,
      body: { detail: 'You cannot remove yourself' },
    })
    expect(await ask('DELETE', path('nobody'))).toEqual({
      status: 404,
      body: { detail: 'User not found' },
    })
  })
})

describe('changing a role', () => {
  it('holds from then on, and ends the tokens given before', async () => {
    const token = await api.token('vic')
    const { status, body } = await ask('PUT', path('vic', '/role'), { role: 'admin' })
    expect([status, body]).toMatchObject([200, { username: 'vic', role: 'admin' }])
    expect(await withToken(token, '/stats')).toBe(401)
    const { body: session } = await login('vic', PASSWORD)
    expect(await withToken(session.access_token, '/webhooks')).toBe(200)
  })

  it('to the one he has throws nobody out', async () => {
    const token = await api.token('vic')
    expect((await ask('PUT', path('vic', '/role'), { role: 'viewer' })).status).toBe(200)
    expect(await withToken(token, '/stats')).toBe(200)
  })

  it('leaves an admin, whoever it is', async () => {
    expect(await ask('PUT', path('ada', '/role'), { role: 'viewer' })).toEqual({
      status: 409,
      body: { detail: 'There must be an admin left' },
    })
    await ask('PUT', path('vic', '/role'), { role: 'admin' })
    expect((await ask('PUT', path('ada', '/role'), { role: 'viewer' })).status).toBe(200)
    expect((await userByName(api.database, 'ada'))?.role).toBe('viewer')
  })

  it.each([
    [{ role: 'root' }, 422],
    [{ role: ['admin'] }, 422],
    [{}, 400],
  ])('to %j is refused', async (body, status) => {
    expect((await ask('PUT', path('vic', '/role'), body)).status).toBe(status)
    expect((await ask('PUT', path('nobody', '/role'), { role: 'admin' })).status).toBe(404)
  })
})

describe('resetting a password', () => {
  it('shows another one once, to be changed, and ends the tokens given before', async () => {
    const token = await api.token('vic')
    const { status, body } = await ask('PUT', path('vic', '/reset-password'), {})
    expect(status).toBe(200)
    expect(await withToken(token, '/auth/me')).toBe(401)
    expect((await login('vic', PASSWORD)).status).toBe(401)
    expect((await login('vic', body.password)).body.must_change_password).toBe(true)
  })

  it('is not for oneself: whoever has a token would have the account', async () => {
    const new_password = 'a password of the thief'
    expect((await ask('PUT', path('ada', '/reset-password'), { new_password })).status).toBe(409)
    expect((await login('ada', PASSWORD)).status).toBe(200)
  })

  it.each([
    [{ new_password: 'short' }, 400],
    [{ new_password: 7 }, 400],
    [{ new_password: 'x'.repeat(73) }, 422],
    [{ new_password: 'é'.repeat(37) }, 422],
  ])('to %j is refused', async (body, status) => {
    expect((await ask('PUT', path('vic', '/reset-password'), body)).status).toBe(status)
    expect((await ask('PUT', path('nobody', '/reset-password'), {})).status).toBe(404)
  })
})

describe.each(testDatabases)('on %s', (_name, databases) => {
  beforeAll(() => databases.start(), 60_000)
  afterAll(() => databases.stop())

  it('two admins who throw each other out at the same time leave one', async () => {
    const database = await openDatabase(await databases.fresh())
    const user = { passwordHash: '', mustChangePassword: false, tokensValidFrom: 0 }
    for (const uuid of ['a', 'b']) {
      await addUser(database, { ...user, uuid, username: uuid, role: 'admin' }, NOW * 1000)
    }
    const outcomes = await Promise.all([
      removeUser(database, 'a'),
      changeRole(database, 'b', 'viewer', NOW * 1000),
    ])
    expect(outcomes.sort()).toEqual(['done', 'last_admin'])
    expect((await listUsers(database)).filter(({ role }) => role === 'admin').length).toBe(1)
    await database.close()
  })

  it('a token that was given back stays so after a restart, until it ends by itself', async () => {
    const url = await databases.fresh()
    const first = await testApi({ url })
    const headers = { authorization: `Bearer ${await first.token('vic')}` }
    await first.app.inject({ method: 'POST', url: '/api/v1/auth/logout', headers })
    await first.close()
    const second = await testApi({ url })
    const asked = await second.app.inject({ method: 'GET', url: '/api/v1/stats', headers })
    expect(asked.statusCode).toBe(401)
    expect((await second.get('/stats', 'vic')).statusCode).toBe(200)
    second.clock.advanceTo(NOW + 300 * 60_000)
    await second.post('/auth/logout', undefined, 'vic')
    expect(await second.database.select('select jti from ended_tokens')).toHaveLength(1)
    await second.close()
  })
})
