import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { databaseUrl, parseDatabaseUrl } from '../../store/database_url.ts'

const SECRET = 'hunter2-very-secret'

describe('a database URL', () => {
  it.each([
    ['sqlite:decnet.db', 'decnet.db'],
    ['sqlite:./a b%20?.db', './a b%20?.db'],
    ['sqlite:/var/lib/decnet/decnet.db', '/var/lib/decnet/decnet.db'],
    ['sqlite:///var/lib/decnet/decnet.db', '/var/lib/decnet/decnet.db'],
    ['sqlite:////var/lib/decnet/decnet.db', '/var/lib/decnet/decnet.db'],
    ['sqlite::memory:', ':memory:'],
  ])('%s is a file', (url, path) => {
    expect(parseDatabaseUrl(url)).toEqual({ kind: 'sqlite', path })
  })

  it('names a server, with everything percent-decoded', () => {
    expect(parseDatabaseUrl('mysql://us%40er:p%40ss%2F%25@db.example:3307/dec%2Dnet')).toEqual({
      kind: 'mysql',
      host: 'db.example',
      port: 3307,
      socket: undefined,
      user: 'us@er',
      password: 'p@ss/%',
      name: 'dec-net',
    })
  })

  it('may be of MariaDB, over IPv6 or a unix socket, at the usual port', () => {
    expect(parseDatabaseUrl('mariadb://u:p@[2001:db8::1]/decnet')).toMatchObject({
      host: '2001:db8::1',
      port: 3306,
    })
    expect(parseDatabaseUrl('mysql://u@localhost/decnet?socket=/run/my.sock')).toMatchObject({
      socket: '/run/my.sock',
      password: '',
    })
  })

  it.each([
    `postgres://u:${SECRET}@h/db`,
    `mysql:u:${SECRET}@h/db`,
    `mysql://u:${SECRET}@h:99999/db`,
    `mysql://u:${SECRET}@h`,
    `mysql://u:${SECRET}@h/a/b`,
    `mysql://u:${SECRET}%zz@h/db`,
    `mysql://u:${SECRET}@h/db?ssl=true`,
    `mysql://u:${SECRET}@/db`,
    `sqlite://${SECRET}/db`,
    'sqlite:',
    'sqlite://',
    '',
  ])('%s is refused, and never repeated', (url) => {
    let thrown: unknown
    try {
      parseDatabaseUrl(url)
    } catch (error) {
      thrown = error
    }
    expect(thrown).toMatchObject({ name: 'FatalError', code: 'DATABASE_URL' })
    // A logger prints the cause as well.
    const { message, stack, cause } = thrown as Error
    expect(JSON.stringify([message, stack, cause])).not.toContain(SECRET)
  })

  it('is refused in one way only, whatever it is', () => {
    fc.assert(
      fc.property(fc.constantFrom('', 'mysql://', 'sqlite:'), fc.string(), (scheme, rest) => {
        try {
          parseDatabaseUrl(scheme + rest)
        } catch (error) {
          expect(error).toMatchObject({ code: 'DATABASE_URL' })
        }
      }),
    )
  })
})

describe('the environment', () => {
  it('gives the URL the last word', () => {
    const environment = { DECNET_DB_URL: 'sqlite:x.db', DECNET_DB_TYPE: 'mysql' }
    expect(databaseUrl(environment)).toBe('sqlite:x.db')
  })

  it('gives a wrong URL away before anything is opened', () => {
    expect(() => databaseUrl({ DECNET_DB_URL: 'nonsense' })).toThrow('unknown form')
  })

  it('puts an SQLite file where data lives', () => {
    expect(databaseUrl({ DECNET_DATA_DIR: '/srv/data' })).toBe('sqlite:/srv/data/decnet.db')
    expect(databaseUrl({ DECNET_DB_TYPE: 'SQLite', DECNET_DATA_DIR: '.' })).toBe('sqlite:decnet.db')
  })

  it.skipIf(existsSync('/var/lib/decnet'))('puts it here where nothing is installed', () => {
    expect(databaseUrl({})).toBe('sqlite:decnet.db')
  })

  it('names a server in parts, with defaults', () => {
    const environment = { DECNET_DB_TYPE: 'MySQL', DECNET_DB_PASSWORD: 'p@ss:w/rd%1' }
    expect(parseDatabaseUrl(databaseUrl(environment))).toEqual({
      kind: 'mysql',
      host: 'localhost',
      port: 3306,
      socket: undefined,
      user: 'decnet',
      password: 'p@ss:w/rd%1',
      name: 'decnet',
    })
  })

  it('names a server in parts, all of them given', () => {
    const environment = {
      DECNET_DB_TYPE: 'mariadb',
      DECNET_DB_HOST: '2001:db8::1',
      DECNET_DB_PORT: '3307',
      DECNET_DB_NAME: 'n',
      DECNET_DB_USER: 'u@x',
      DECNET_DB_PASSWORD: 'p',
    }
    expect(parseDatabaseUrl(databaseUrl(environment))).toMatchObject({
      host: '2001:db8::1',
      port: 3307,
      user: 'u@x',
      name: 'n',
    })
  })

  it.each([
    [{ DECNET_DB_TYPE: 'oracle' }, 'DECNET_DB_TYPE'],
    [{ DECNET_DB_TYPE: 'mysql' }, 'DECNET_DB_PASSWORD'],
    [{ DECNET_DB_TYPE: 'mysql', DECNET_DB_PORT: '0' }, 'DECNET_DB_PORT'],
    [{ DECNET_DB_TYPE: 'mysql', DECNET_DB_PORT: '65536' }, 'DECNET_DB_PORT'],
    [{ DECNET_DB_TYPE: 'mysql', DECNET_DB_PORT: '33 06' }, 'DECNET_DB_PORT'],
  ])('is told which variable is wrong: %o', (environment, variable) => {
    expect(() => databaseUrl(environment)).toThrow(variable)
  })
})
