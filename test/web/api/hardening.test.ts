import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '../../../engine/context.ts'
import type { Logger } from '../../../engine/define.ts'
import { type TestApi, testApi } from './api.ts'

let dir: string
let api: TestApi
let port: number
const failures: unknown[] = []
const log: Logger = { ...silentLog, error: (fields) => failures.push(fields) }

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'decnet-hardening-'))
  const dashboard = join(dir, 'dist')
  await mkdir(join(dashboard, 'assets'), { recursive: true })
  await writeFile(join(dashboard, 'index.html'), '<!doctype html><title>page</title>')
  await writeFile(join(dashboard, 'assets', 'app.js'), 'app()')
  await writeFile(join(dir, 'secret.txt'), 'a secret beside the folder')
  api = await testApi({ settings: { dashboard }, log })
  port = Number(new URL(await api.listen()).port)
})
afterAll(async () => {
  await api.close()
  await rm(dir, { recursive: true, force: true })
})
afterEach(() => expect(failures.splice(0)).toEqual([]))

/** Those there are: a name that nobody has takes a quarter of a second to refuse. */
const NAMES = ['ada', 'vic', 'zoe', 'new']

/** Sends bytes as they are, and gives all that comes back until the other side ends or rests. */
function raw(bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const peer = connect(port, '127.0.0.1')
    let text = ''
    peer.on('data', (chunk) => (text += chunk))
    peer.on('error', () => resolve(text))
    peer.on('close', () => resolve(text))
    peer.write(bytes)
    peer.setTimeout(150, () => peer.destroy())
  })
}
const statuses = (text: string) =>
  [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, code]) => code)
const post = (headers: string, body = '') =>
  `POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n${headers}\r\n${body}`

describe('a request that two servers might read differently', () => {
  it.each([
    ['with two lengths', post('content-length: 2\r\ncontent-length: 40\r\n', '{}')],
    [
      'with a length and chunks',
      post('content-length: 4\r\ntransfer-encoding: chunked\r\n', '0\r\n\r\n'),
    ],
    ['with an encoding that nobody has', post('transfer-encoding: xchunked\r\n', '0\r\n\r\n')],
    [
      'with chunks before another encoding',
      post('transfer-encoding: chunked, gzip\r\n', '0\r\n\r\n'),
    ],
    ['with a length that is none', post('content-length: +2\r\n', '{}')],
    ['with a blank before the colon', post('content-length : 2\r\n', '{}')],
    ['with a bare line feed in a header', post('x: a\ncontent-length: 2\r\n', '{}')],
    ['with a folded header', post('content-length: 2\r\n folded\r\n', '{}')],
    ['with a chunk of no size', post('transfer-encoding: chunked\r\n', 'zz\r\n{}\r\n0\r\n\r\n')],
    ['without a host', 'GET /api/v1/stats HTTP/1.1\r\n\r\n'],
    ['of a method that nobody has', 'DEBUG /api/v1/stats HTTP/1.1\r\nhost: x\r\n\r\n'],
    ['that is none', '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'],
  ])('%s is refused, and nothing behind it is read', async (_what, request) => {
    const smuggled = 'GET /api/v1/openapi.json HTTP/1.1\r\nhost: x\r\n\r\n'
    const text = await raw(request + smuggled)
    expect(statuses(text)).toEqual(['400'])
    expect(text).not.toContain('openapi')
  })

  it.each([
    [
      'with headers of 20 KiB',
      `GET / HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`,
      '431',
    ],
    ['with a path of 20 KiB', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`, '431'],
  ])('%s is refused', async (_what, request, status) => {
    expect(statuses(await raw(request))).toEqual([status])
  })

  it('with thousands of headers is answered as any other', async () => {
    const many = Array.from({ length: 3000 }, (_, n) => `a${n}:\r\n`)
      .join('')
      .slice(0, 15_000)
    const text = await raw(
      `GET /api/v1/stats HTTP/1.1\r\nhost: x\r\n${many.replace(/a\d*:?\r?\n?$/, '')}\r\n`,
    )
    expect(['401', '431']).toContain(statuses(text)[0])
  })
})

describe('files of the dashboard', () => {
  const get = async (path: string) =>
    raw(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)

  it('are served, with headers that hold for them', async () => {
    const text = await get('/assets/app.js')
    expect(text).toContain('app()')
    expect(text.toLowerCase()).toContain('x-content-type-options: nosniff')
    expect(await get('/attackers/x')).toContain('<title>page</title>')
  })

  it.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e%2fsecret.txt',
    '/..%5csecret.txt',
    '/..\\secret.txt',
    '/assets/..%252f..%252fsecret.txt',
    '//secret.txt',
    '/....//secret.txt',
    '/assets/%00/../../../secret.txt',
    '/\u002e\u002e/secret.txt',
    '/..;/secret.txt',
    '/etc/passwd',
    '/assets/',
    'http://x/../secret.txt',
  ])('are all there is: %s leads out to nothing', async (path) => {
    const text = await get(path)
    expect(text).not.toContain('a secret beside the folder')
    expect(text).not.toContain('root:')
    expect(['400', '404', '200']).toContain(statuses(text)[0])
    if (statuses(text)[0] === '200') expect(text).toContain('<title>page</title>')
  })
})

describe('whose request it is', () => {
  const login = (forwarded: string, username: string, remoteAddress = '192.0.2.1', of = api) =>
    of.app.inject({
      method: 'POST',
      url: '/api/v1/auth/login',
      payload: { username, password: 'wrong' },
      headers: {
        'x-forwarded-for': forwarded,
        forwarded: `for=${forwarded}`,
        'x-real-ip': forwarded,
      },
      remoteAddress,
    })

  it('is told by the connection, whatever the request says of itself', async () => {
    for (let n = 0; n < 10; n++)
      expect((await login(`198.51.100.${n}`, NAMES[n % 4] as string)).statusCode).toBe(401)
    expect((await login('198.51.100.77', 'ada')).statusCode).toBe(429)
  })

  it('is told by a proxy where that one is trusted, and by nobody behind it', async () => {
    const proxied = await testApi({ settings: { trustedProxies: ['10.0.0.0/8'] } })
    const from = async (forwarded: string, address = '10.0.0.1') =>
      (await login(forwarded, NAMES[asked++ % 4] as string, address, proxied)).statusCode
    let asked = 0
    for (let n = 0; n < 10; n++) expect(await from('198.51.100.1')).toBe(401)
    expect(await from('198.51.100.1')).toBe(429)
    expect(await from('198.51.100.2')).toBe(401)
    // What the client has put in front of what the proxy adds is not believed.
    expect(await from('203.0.113.9, 198.51.100.1')).toBe(429)
    expect(await from('198.51.100.1', '192.0.2.55')).toBe(401)
    await proxied.close()
  })

  it('that was sent away for its address, neither locks a name nor makes it forgotten', async () => {
    const fresh = await testApi()
    const from = async (name: string, address: string, password = 'wrong') =>
      fresh.app.inject({
        method: 'POST',
        url: '/api/v1/auth/login',
        payload: { username: name, password },
        remoteAddress: address,
      })
    for (let n = 0; n < 10; n++) await from(NAMES[n % 4] as string, '192.0.2.9')
    for (let n = 0; n < 20; n++) expect((await from('ada', '192.0.2.9')).statusCode).toBe(429)
    expect((await from('ada', '192.0.2.10')).statusCode).toBe(401)
    await fresh.close()
  })
})

describe('what a request may change beside itself', () => {
  it.each([
    ['POST', '/auth/login', '{"username":"ada","password":"x","__proto__":{"role":"admin"}}'],
    [
      'POST',
      '/auth/login',
      '{"username":"ada","password":"x","constructor":{"prototype":{"role":"admin"}}}',
    ],
    ['POST', '/config/users', '{"username":"eve","role":"viewer","__proto__":{"password":"x"}}'],
    [
      'POST',
      '/webhooks',
      '{"name":"a","url":"https://a.example","topic_patterns":["__proto__"],"__proto__":1}',
    ],
  ])('by %s %s with %s is nothing', async (method, path, payload) => {
    const headers = {
      authorization: `Bearer ${await api.token('ada')}`,
      'content-type': 'application/json',
    }
    const url = `/api/v1${path}`
    const { statusCode, body } = await api.app.inject({
      method: method as 'POST',
      url,
      payload,
      headers,
    })
    expect([statusCode, body]).toEqual([400, '{"detail":"Bad request"}'])
    expect(({} as Record<string, unknown>).role).toBeUndefined()
  })

  it.each([
    '/logs?__proto__[limit]=1&constructor[prototype][limit]=1',
    '/logs?__proto__=1&constructor=1&toString=1&hasOwnProperty=1',
    '/logs?search=__proto__:1%20constructor:x%20toString:y%20hasOwnProperty:z',
    '/attackers?service=__proto__&search=constructor',
  ])('by GET %s is nothing', async (path) => {
    const { statusCode, json } = await api.get(path, 'vic')
    expect([statusCode, json().total, json().limit]).toEqual([200, 0, 50])
    expect(({} as Record<string, unknown>).limit).toBeUndefined()
  })

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'by a %s where a name stands is nothing',
    async (name) => {
      for (const path of [
        `/attackers/${name}`,
        `/identities/${name}`,
        `/credential-reuse/${name}`,
      ]) {
        expect((await api.get(path, 'vic')).statusCode).toBe(404)
      }
      expect((await api.post(`/workers/${name}/start`, undefined, 'ada')).statusCode).toBe(404)
    },
  )
})

describe('an answer', () => {
  it('is kept by nobody, and read as what it says it is', async () => {
    for (const path of ['/stats', '/nowhere', '/openapi.json', '/identities/x']) {
      const { headers } = await api.get(path, 'vic')
      expect(headers['cache-control']).toBe('no-store')
      expect(headers).toMatchObject({
        'content-type': expect.stringMatching(/^application\/json/),
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'x-frame-options': 'DENY',
      })
      expect(headers.server ?? headers['x-powered-by']).toBeUndefined()
    }
  })

  it('to what has failed says nothing of how', async () => {
    const installed = async () => {
      throw new TypeError('cannot read /root/secret of x')
    }
    const units = { installed, isActive: async () => false, start: async () => undefined }
    const broken = await testApi({ log, units })
    const { statusCode, json, body } = await broken.get('/workers', 'vic')
    expect([statusCode, json()]).toEqual([
      500,
      { detail: 'Internal Server Error', error_id: expect.stringMatching(/^[0-9a-f]{32}$/) },
    ])
    expect(body).not.toContain('secret')
    expect(failures.splice(0)).toMatchObject([
      { error_id: json().error_id, stack: expect.stringContaining('/root/secret') },
    ])
    await broken.close()
  })

  it('comes soon whatever is searched for', async () => {
    const long = ['a', '"', "'", '\\', ':', ' ', '%', '!', 'a:b ', '$."', '((('].map((one) =>
      one.repeat(512).slice(0, 512),
    )
    for (const search of long) {
      const since = performance.now()
      const { statusCode } = await api.get(`/logs?search=${encodeURIComponent(search)}`, 'vic')
      expect(statusCode).toBe(200)
      expect(performance.now() - since).toBeLessThan(2000)
    }
    for (const text of [`Bearer${' '.repeat(12_000)}`, `Bearer ${'x '.repeat(6000)}`]) {
      const since = performance.now()
      const url = '/api/v1/stats'
      const { statusCode } = await api.app.inject({
        method: 'GET',
        url,
        headers: { authorization: text },
      })
      expect(statusCode).toBe(401)
      expect(performance.now() - since).toBeLessThan(1000)
    }
  })
})

it('takes as long for a name that nobody has as for one with a wrong password', async () => {
  const { isPassword } = await import('../../../web/api/auth/passwords.ts')
  const { hash } = await import('bcrypt')
  const stored = await hash('right', 12)
  const took = async (of: string | undefined) => {
    const since = process.cpuUsage()
    await isPassword('wrong', of)
    const { user } = process.cpuUsage(since)
    return user
  }
  const ratios = []
  for (let n = 0; n < 3; n++) ratios.push((await took(undefined)) / (await took(stored)))
  const [, median = 0] = ratios.sort((a, b) => a - b)
  expect(median).toBeGreaterThan(0.5)
  expect(median).toBeLessThan(2)
})
