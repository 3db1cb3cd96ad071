import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentLog } from '../../../engine/context.ts'
import type { Logger } from '../../../engine/define.ts'
import { testDatabases } from '../../services/databases.ts'
import { type TestApi, testApi } from './api.ts'
import { attackerRow, identityRow, insertRow, writeCredential, writeLog } from './rows.ts'

/** What fields are given that want something else, or would do something elsewhere. */
const INJECTIONS = [
  ...[
    "'",
    "' or '1'='1",
    "'; drop table users; --",
    '" or ""="',
    '`',
    '\\',
    "\\'",
    '%',
    '_',
    '%27',
    '!',
  ],
  ...[
    '1 union select password_hash from users',
    'uuid) or (1=1',
    '*/ or 1=1 /*',
    '0x41',
    '?',
    '??',
    ':a',
  ],
  ...[
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    'javascript:alert(1)',
    '{{7*7}}',
    '${7*7}',
  ],
  ...[
    '../../etc/passwd',
    '..%2f..%2fetc%2fpasswd',
    '/etc/passwd',
    'file:///etc/passwd',
    '\\\\host\\share',
  ],
  ...[
    '; id',
    '| id',
    '$(id)',
    '`id`',
    '&& id',
    '--help',
    '-rf',
    'a\nb',
    'a\r\nset-cookie: x=1',
    '\0',
    'a\0b',
  ],
  ...[
    '__proto__',
    'constructor',
    'toString',
    'null',
    'undefined',
    'NaN',
    'true',
    '[]',
    '{}',
    '{"$ne":null}',
  ],
  ...[
    '\ud800',
    '\udfff\ud800',
    '😀',
    'é'.repeat(200),
    '\u202e',
    '\ufeff',
    '\u0000',
    '\x1b[31m',
    '\x7f',
  ],
  ...[
    '9007199254740993',
    '-1',
    '1e309',
    '1.5',
    '00',
    ' 1',
    '١',
    '0',
    '2147483648',
    'x'.repeat(600),
  ],
  ...[
    'a:b',
    'fields:x',
    'decky:',
    ':',
    '"',
    "'a",
    '\\\\',
    '$.x',
    '"]',
    '$."a"',
    '[0]',
    '*',
    '**',
    '>',
    '#',
  ],
]

/** mulberry32: the same requests at every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

interface Operation {
  readonly method: string
  readonly path: string
  readonly parameters: readonly {
    name: string
    in: string
    schema: { type?: string; enum?: string[] }
  }[]
  readonly body: Readonly<Record<string, { type?: string }>> | undefined
}

function operations(api: TestApi): Operation[] {
  const { paths } = api.app.swagger() as unknown as { paths: Record<string, Record<string, never>> }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters, requestBody }]) => ({
      ...{ method: method.toUpperCase(), path, parameters: parameters ?? [] },
      body: (
        requestBody as { content: Record<string, { schema: { properties: never } }> } | undefined
      )?.content['application/json']?.schema.properties,
    })),
  )
}

describe.each(testDatabases)('on %s', (_name, databases) => {
  let api: TestApi
  const failures: unknown[] = []
  const log: Logger = { ...silentLog, error: (fields) => failures.push(fields) }
  beforeAll(async () => {
    await databases.start()
    api = await testApi({ url: await databases.fresh(), log, settings: { streamsPerUser: 1e6 } })
    const { database } = api
    await insertRow(database, 'attacker_identities', identityRow('i1'))
    await insertRow(
      database,
      'attackers',
      attackerRow('a1', '198.51.100.7', { identity_id: 'i1', commands: 'no json' }),
    )
    await writeLog(database, { fields: { a: "'" } })
    await writeCredential(database, {})
  }, 60_000)
  afterAll(async () => {
    await api.close()
    await databases.stop()
  })

  async function ask(method: string, url: string, payload?: unknown) {
    const answer = (await api.app.inject({
      method: method as 'GET',
      url,
      headers: {
        authorization: `Bearer ${await api.token('ada')}`,
        ...(payload !== undefined && { 'content-type': 'application/json' }),
      },
      ...(payload !== undefined && { payload: JSON.stringify(payload) }),
      payloadAsStream: true,
    })) as Awaited<ReturnType<typeof api.app.inject>> & {
      stream(): NodeJS.ReadableStream & { destroy(): void }
    }
    answer.stream().destroy()
    return answer
  }

  it('no route fails of what stands in the OpenAPI document, whatever its fields are given', async () => {
    const random = seeded(20260301)
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
    const value = (schema: { type?: string; enum?: string[] }): string => {
      const roll = random()
      if (roll < 0.3 && schema.enum) return pick(schema.enum)
      if (roll < 0.4 && schema.type === 'integer') return String(Math.floor(random() * 100))
      if (roll < 0.5) return pick(['i1', 'a1', '198.51.100.7', 'mutator', '2026-03-01T09:00:00Z'])
      return pick(INJECTIONS)
    }
    const json = (): unknown =>
      pick<unknown>([
        null,
        true,
        1e308,
        -1,
        '',
        [],
        {},
        [[]],
        { a: {} },
        'x'.repeat(2000),
        pick(INJECTIONS),
      ])
    // systemd and the bus are not to be told to do anything.
    const all = operations(api).filter(({ path }) => !/\/workers\/|\/test$/.test(path))
    for (let round = 0; round < 1500; round++) {
      const { method, path, parameters, body } = pick(all)
      const inPath = parameters.filter((one) => one.in === 'path')
      const inQuery = parameters.filter((one) => one.in === 'query' && random() < 0.5)
      const encode = (text: string) =>
        random() < 0.05
          ? text.replace(/[\s#?\ud800-\udfff]/g, '')
          : encodeURIComponent(text.toWellFormed())
      const filled = inPath.reduce(
        (url, { name, schema }) => url.replace(`{${name}}`, encode(value(schema)) || 'x'),
        path,
      )
      const query = inQuery.map(({ name, schema }) => `${name}=${encode(value(schema))}`).join('&')
      const payload =
        body &&
        Object.fromEntries(
          Object.keys(body).map((name) => [name, random() < 0.7 ? json() : pick(INJECTIONS)]),
        )
      const { statusCode } = await ask(
        method,
        `${filled}?${query}`,
        random() < 0.1 && body ? json() : payload,
      )
      const isWell = statusCode < 500 || path.endsWith('/health')
      expect({ method, filled, query, payload, statusCode, failures }).toMatchObject(
        isWell ? {} : { statusCode: 'less than 500' },
      )
    }
    expect(failures).toEqual([])
  }, 120_000)

  it('shows nothing that was only asked for in some other way', async () => {
    for (const text of INJECTIONS) {
      const value = encodeURIComponent(text.toWellFormed())
      for (const query of [
        `/credentials?attacker_ip=${value}`,
        `/attackers?service=${value}`,
        `/bounties?attacker=${value}`,
      ]) {
        const { statusCode, json } = await api.get(query, 'vic')
        const isNothing = ['null', 'undefined'].includes(text)
        if (statusCode === 200 && !isNothing) expect([query, json().total]).toEqual([query, 0])
        else if (!isNothing) expect(statusCode).toBe(422)
      }
      const { statusCode } = await api.get(`/identities/${value}`, 'vic')
      expect([400, 404, 414, 422]).toContain(statusCode)
    }
    expect((await api.get('/config', 'ada')).json().users.length).toBe(4)
  })

  it('never says again what it was given', async () => {
    for (const text of ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>']) {
      const value = encodeURIComponent(text)
      const paths = [
        `/identities/${value}`,
        `/nowhere/${value}`,
        `/logs?limit=${value}`,
        `/attackers?sort_by=${value}`,
      ]
      for (const path of paths) expect((await api.get(path, 'vic')).body).not.toContain('<')
      expect((await api.post(`/workers/${value}/stop`, undefined, 'ada')).body).not.toContain('<')
      expect(
        (await api.post('/auth/login', { username: text, password: text })).body,
      ).not.toContain('<')
    }
  })
})

describe('a body', () => {
  let api: TestApi
  beforeAll(async () => {
    api = await testApi()
  })
  afterAll(() => api.close())
  const post = async (payload: string | Buffer, type = 'application/json') => {
    const headers = { 'content-type': type }
    const url = '/api/v1/auth/login'
    return (await api.app.inject({ method: 'POST', url, payload, headers })).statusCode
  }

  it.each([
    ['that is no JSON', '{', 400],
    ['that is cut', '{"username":"a","pass', 400],
    ['without a field', '{"username":"ada"}', 400],
    ['with a field of another kind', '{"username":["ada"],"password":"x"}', 400],
    ['with a number for a text', '{"username":"ada","password":7}', 400],
    ['with a text that is too short', '{"username":"","password":"x"}', 400],
    ['with a text that is too long', `{"username":"${'x'.repeat(65)}","password":"x"}`, 422],
    ['that is a list', '[]', 400],
    ['that is null', 'null', 400],
    ['that would change all objects', '{"__proto__":{"a":1},"username":"a","password":"b"}', 400],
    ['that is too large', `"${'x'.repeat(70_000)}"`, 413],
    ['that is nested deep', `${'['.repeat(30_000)}${']'.repeat(30_000)}`, 400],
  ])('%s is refused', async (_what, payload, status) => {
    expect(await post(payload)).toBe(status)
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
  ])('of type %s is not read', async (type) => {
    expect(await post('username=ada&password=x', type)).toBe(415)
  })
})

it('tells developers what is wrong with a request, and nobody else', async () => {
  for (const developer of [false, true]) {
    const api = await testApi({ settings: { developer } })
    const { json } = await api.get('/identities?limit=0', 'vic')
    expect('faults' in json()).toBe(developer)
    await api.close()
  }
})
