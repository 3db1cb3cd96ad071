import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventClock } from '../../../engine/clock.ts'
import { silentLog } from '../../../engine/context.ts'
import { openDatabase } from '../../../store/database.ts'
import { userByName } from '../../../store/users.ts'
import { makeFirstAdmin } from '../../../web/api/auth/first_admin.ts'
import { isPassword } from '../../../web/api/auth/passwords.ts'
import { clientKey, Throttle } from '../../../web/api/auth/throttle.ts'
import { NOW, PASSWORD, type TestApi, testApi } from './api.ts'

let api: TestApi
beforeEach(async () => {
  api = await testApi()
})
afterEach(() => api.close())

const login = (username: string, password = PASSWORD, remoteAddress = '192.0.2.1') =>
  api.app.inject({
    method: 'POST',
    url: '/api/v1/auth/login',
    payload: { username, password },
    remoteAddress,
  })
const asking = (token: string, method: 'GET' | 'POST', path: string, payload?: object) =>
  api.app.inject({
    method,
    url: `/api/v1${path}`,
    headers: { authorization: `Bearer ${token}` },
    ...(payload && { payload }),
  })

describe('logging in', () => {
  it('gives a token that is taken, and says whose it is', async () => {
    const { statusCode, json } = await login('ada')
    expect(statusCode).toBe(200)
    expect(json()).toMatchObject({ token_type: 'bearer', must_change_password: false })
    const me = await asking(json().access_token, 'GET', '/auth/me')
    expect(me.json()).toMatchObject({
      username: 'ada',
      role: 'admin',
      expires_at: NOW / 1000 + 14400,
    })
  })

  it.each([
    ['a wrong password', 'ada', 'wrong'],
    ['a name that nobody has', 'eve', PASSWORD],
    ['a name in another case', 'ADA', PASSWORD],
    ['a password that is too long', 'ada', PASSWORD + 'x'.repeat(60)],
    ['SQL', "' or 1=1 --", "' or '1'='1"],
  ])('with %s is refused in the same words', async (_what, name, password) => {
    const answer = await login(name, password)
    expect([answer.statusCode, answer.json()]).toEqual([
      401,
      { detail: 'Incorrect username or password' },
    ])
  })

  it('is refused after ten tries from one address, whoever is named, until time has passed', async () => {
    for (let n = 0; n < 10; n++) expect((await login(`user${n}`)).statusCode).toBe(401)
    expect((await login('ada')).statusCode).toBe(429)
    expect((await login('ada', PASSWORD, '192.0.2.2')).statusCode).toBe(200)
    api.clock.advanceTo(NOW + 5 * 60_000)
    expect((await login('ada')).statusCode).toBe(200)
  })

  it('is refused after ten tries on one name, from wherever, also where they were right', async () => {
    for (let n = 0; n < 10; n++) {
      expect((await login('ada', PASSWORD, `198.51.100.${n}`)).statusCode).toBe(200)
    }
    expect((await login('ada', PASSWORD, '203.0.113.9')).statusCode).toBe(429)
    expect((await login('vic', PASSWORD, '203.0.113.9')).statusCode).toBe(200)
  })
})

describe('changing the password', () => {
  const change = (token: string, old_password: string, new_password: string) =>
    asking(token, 'POST', '/auth/change-password', { old_password, new_password })

  it('ends all tokens given before, and opens what waited for it', async () => {
    const { access_token: first, must_change_password } = (await login('new')).json()
    expect(must_change_password).toBe(true)
    expect((await asking(first, 'GET', '/stats')).statusCode).toBe(403)
    expect((await change(first, PASSWORD, 'another long password')).statusCode).toBe(200)
    expect((await asking(first, 'GET', '/stats')).statusCode).toBe(401)
    // In the very second of the change.
    const { access_token: second } = (await login('new', 'another long password')).json()
    expect((await asking(second, 'GET', '/stats')).statusCode).toBe(200)
    expect((await login('new', PASSWORD)).statusCode).toBe(401)
  })

  it.each([
    ['a wrong old one', 'wrong', 'another long password', 401],
    ['a short new one', PASSWORD, 'short', 400],
    ['a new one of more bytes than are read', PASSWORD, 'é'.repeat(40), 422],
    ['a new one of more characters than are read', PASSWORD, 'x'.repeat(73), 422],
  ])('with %s is refused', async (_what, old, fresh, status) => {
    expect((await change(await api.token('vic'), old, fresh)).statusCode).toBe(status)
  })

  it('is refused after five tries in a minute', async () => {
    const token = await api.token('vic')
    for (let n = 0; n < 5; n++) await change(token, 'wrong', 'another long password')
    expect((await change(token, PASSWORD, 'another long password')).statusCode).toBe(429)
  })
})

describe('a throttle', () => {
  it('holds no more keys than it must, whoever makes them up', () => {
    const throttle = new Throttle(eventClock(), 1, 1000)
    expect(throttle.admit('first')).toBe(true)
    expect(throttle.admit('first')).toBe(false)
    for (let n = 0; n < 10_000; n++) throttle.admit(`key ${n}`)
    expect(throttle.admit('first')).toBe(true)
  })

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8:1:2::9', '2001:db8:1:2'],
    ['2001:db8::9', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['fe80::1%eth0', 'fe80:0:0:0'],
  ])('takes %s for %s', (address, key) => {
    expect(clientKey(address)).toBe(key)
  })
})

describe('the first user', () => {
  const make = async (password: string | undefined, developer = false) => {
    const database = await openDatabase('sqlite::memory:')
    const said: string[] = []
    const around = {
      clock: eventClock(NOW),
      say: (text: string) => said.push(text),
      log: silentLog,
    }
    const again = () => makeFirstAdmin(database, { name: 'root', password, developer }, around)
    return { database, said, again }
  }

  it('has a random password that is told once, where none is set', async () => {
    const { database, said, again } = await make(undefined)
    await again()
    await again()
    expect(said.length).toBe(1)
    const password = /password ([0-9a-f]{32}):/.exec(said[0] ?? '')?.[1] ?? ''
    const user = await userByName(database, 'root')
    expect(user).toMatchObject({ role: 'admin', mustChangePassword: true })
    expect(await isPassword(password, user?.passwordHash)).toBe(true)
    await database.close()
  })

  it('has the password that is set, which is not told', async () => {
    const { database, said, again } = await make('a long enough password')
    await again()
    expect(said).toEqual([])
    const user = await userByName(database, 'root')
    expect(await isPassword('a long enough password', user?.passwordHash)).toBe(true)
    await database.close()
  })

  it('is not made with a password that is too short or too long', async () => {
    for (const password of ['short', 'x'.repeat(80)]) {
      const { database, again } = await make(password)
      const error: unknown = await again().catch((thrown: unknown) => thrown)
      expect(String(error)).toMatch(/DECNET_ADMIN_PASSWORD has/)
      expect(String(error)).not.toContain(password)
      await database.close()
    }
  })
})
