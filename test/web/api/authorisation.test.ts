import { createHmac } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gate } from '../../../web/api/auth/gate.ts'
import { NOW, SECRET, type TestApi, testApi, userUuid } from './api.ts'

/** Every route and who may pass: a new one is to be added here. */
const ROUTES: Readonly<Record<string, Gate>> = {
  'POST /auth/login': 'public',
  'POST /auth/change-password': 'account',
  'POST /auth/logout': 'account',
  'GET /auth/me': 'account',
  'POST /auth/sse-ticket': 'viewer',
  'GET /config': 'viewer',
  'POST /config/users': 'admin',
  'DELETE /config/users/{uuid}': 'admin',
  'PUT /config/users/{uuid}/role': 'admin',
  'PUT /config/users/{uuid}/reset-password': 'admin',
  'GET /identities': 'viewer',
  'GET /identities/{uuid}': 'viewer',
  'GET /identities/{uuid}/observations': 'viewer',
  'GET /campaigns': 'viewer',
  'GET /campaigns/{uuid}': 'viewer',
  'GET /campaigns/{uuid}/identities': 'viewer',
  'GET /attackers': 'viewer',
  'GET /attackers/{uuid}': 'viewer',
  'GET /attackers/{uuid}/commands': 'viewer',
  'GET /attackers/{uuid}/artifacts': 'viewer',
  'GET /attackers/{uuid}/transcripts': 'viewer',
  'GET /attackers/{uuid}/mail': 'admin',
  'GET /attackers/{uuid}/smtp-targets': 'viewer',
  'GET /bounties': 'viewer',
  'GET /credentials': 'viewer',
  'GET /credential-reuse': 'viewer',
  'GET /credential-reuse/{id}': 'viewer',
  'GET /logs': 'viewer',
  'GET /logs/histogram': 'viewer',
  'GET /stats': 'viewer',
  'GET /overview': 'viewer',
  'GET /workers': 'viewer',
  'POST /workers/{name}/stop': 'admin',
  'POST /workers/{name}/start': 'admin',
  'POST /workers/start-all': 'admin',
  'GET /health': 'viewer',
  'GET /pipelines': 'viewer',
  'GET /attackers/{uuid}/explanation': 'viewer',
  'GET /identities/{uuid}/explanation': 'viewer',
  'GET /campaigns/{uuid}/explanation': 'viewer',
  'GET /credential-reuse/{id}/explanation': 'viewer',
  'POST /webhooks': 'admin',
  'GET /webhooks': 'admin',
  'GET /webhooks/{uuid}': 'admin',
  'PATCH /webhooks/{uuid}': 'admin',
  'DELETE /webhooks/{uuid}': 'admin',
  'POST /webhooks/{uuid}/test': 'admin',
  'GET /replays/captures': 'viewer',
  'GET /replays': 'viewer',
  'POST /replays': 'admin',
  'GET /replays/{id}': 'viewer',
  'POST /replays/{id}/cancel': 'admin',
  'DELETE /replays/{id}': 'admin',
  'GET /replays/{id}/timeline': 'viewer',
  'GET /replays/{id}/events': 'viewer',
  'GET /replays/{id}/findings': 'viewer',
  'GET /replays/{id}/diff/{other}': 'viewer',
  'GET /replays/{id}/diff/{other}/events': 'viewer',
  'GET /replays/{id}/events/{event}/way': 'viewer',
  'GET /identities/events': 'stream',
  'GET /campaigns/events': 'stream',
  'GET /orchestrator/events': 'viewer',
  'GET /orchestrator/events/stream': 'stream',
  'GET /stream': 'stream',
}
const GUARDED = Object.entries(ROUTES).filter(([, gate]) => gate !== 'public')

let api: TestApi
beforeAll(async () => {
  api = await testApi({ settings: { streamsPerUser: 1000 } })
})
afterAll(() => api.close())

async function ask(route: string, headers: Record<string, string> = {}, query = '') {
  const [method = '', path = ''] = route.split(' ')
  const url = `/api/v1${path.replace(/\{\w+\}/, 'mutator')}${query}`
  // Of a stream that is let in only the head is of interest; nothing of it ends by itself.
  const answer = api.app.inject({ method: method as 'GET', url, headers, payloadAsStream: true })
  const {
    statusCode,
    headers: given,
    stream,
  } = (await answer) as Awaited<typeof answer> & {
    stream(): NodeJS.ReadableStream & { destroy(): void }
  }
  stream().destroy()
  return { status: statusCode, headers: given }
}
const bearer = async (user: string) => ({ authorization: `Bearer ${await api.token(user)}` })

/** A token that says what it is told to. */
function forged(claims: object, { secret = SECRET, alg = 'HS256' } = {}): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = NOW / 1000
  const all = {
    ...{ uuid: userUuid('ada'), jti: '1', iat: now, exp: now + 60, iss: 'decnet' },
    ...{ aud: 'decnet-dashboard', typ: 'access', ...claims },
  }
  const signed = `${part({ alg, typ: 'JWT' })}.${part(all)}`
  if (alg === 'none') return `${signed}.`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

it('knows who may pass to each route there is', () => {
  const { paths } = api.app.swagger() as { paths: Record<string, Record<string, unknown>> }
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace('/api/v1', '')}`),
  )
  expect(all.sort()).toEqual(Object.keys(ROUTES).sort())
})

describe.each(GUARDED)('%s', (route, gate) => {
  it('is for nobody without a token', async () => {
    const { status, headers } = await ask(route)
    expect(status).toBe(401)
    expect(headers['www-authenticate']).toBe('Bearer')
  })

  it('is for nobody whose token has ended', async () => {
    const token = forged({ iat: NOW / 1000 - 120, exp: NOW / 1000 })
    expect((await ask(route, { authorization: `Bearer ${token}` })).status).toBe(401)
  })

  it(gate === 'admin' ? 'is not for viewers' : 'is for viewers', async () => {
    const { status } = await ask(route, await bearer('vic'))
    if (gate === 'admin') expect(status).toBe(403)
    else expect([401, 403]).not.toContain(status)
  })

  it('is for admins', async () => {
    expect([401, 403]).not.toContain((await ask(route, await bearer('ada'))).status)
  })

  it(
    gate === 'account'
      ? 'is also for those who must change their password'
      : 'is not for those who must change their password first',
    async () => {
      const { status } = await ask(route, await bearer('new'))
      if (gate === 'account') expect([401, 403]).not.toContain(status)
      else expect(status).toBe(403)
    },
  )

  it(gate === 'stream' ? 'takes a token in its query' : 'takes no token in its query', async () => {
    const { status } = await ask(route, {}, `?token=${await api.token('vic')}`)
    if (gate === 'stream') expect(status).toBe(200)
    else expect(status).toBe(401)
  })
})

describe('a token', () => {
  const status = async (token: string) =>
    (await ask('GET /stats', { authorization: `Bearer ${token}` })).status

  it('is taken where all of it is right', async () => {
    expect(await status(forged({}))).toBe(200)
  })

  it.each([
    ['of another secret', forged({}, { secret: 'x'.repeat(32) })],
    ['that is not signed', forged({}, { alg: 'none' })],
    ['that names another algorithm', forged({}, { alg: 'HS512' })],
    ['of another issuer', forged({ iss: 'other' })],
    ['for others', forged({ aud: 'other' })],
    ['of another type', forged({ typ: 'refresh' })],
    ['of nobody', forged({ uuid: userUuid('nobody') })],
    ['of a user that is no text', forged({ uuid: { $ne: null } })],
    ['without an id', forged({ jti: undefined })],
    ['without a beginning', forged({ iat: undefined })],
    ['without an end', forged({ exp: undefined })],
    ['without a user', forged({ uuid: undefined })],
    ['that is none', 'abc'],
    ['that is none in three parts', 'a.b.c'],
    ['that is too long', 'x'.repeat(5000)],
  ])('%s is refused', async (_what, token) => {
    expect(await status(token)).toBe(401)
  })

  it('in the header counts before one in the query', async () => {
    const good = `?token=${await api.token('vic')}`
    const bad = { authorization: 'Bearer abc' }
    expect((await ask('GET /identities/events', bad, good)).status).toBe(401)
  })

  it('is worth nothing once it was given back', async () => {
    const headers = await bearer('zoe')
    expect((await ask('GET /stats', headers)).status).toBe(200)
    expect((await ask('POST /auth/logout', headers)).status).toBe(200)
    expect((await ask('GET /stats', headers)).status).toBe(401)
  })
})

it('sends headers that keep browsers from doing what pages of others ask for', async () => {
  for (const path of ['/api/v1/stats', '/api/v1/docs', '/api/v1/openapi.json', '/nowhere']) {
    const { headers } = await api.app.inject({ method: 'GET', url: path })
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("script-src 'self'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toContain('unsafe')
    expect(headers['x-content-type-options']).toBe('nosniff')
  }
})

it('has documents to read that hold no inline script', async () => {
  const page = await api.app.inject({ method: 'GET', url: '/api/v1/docs' })
  expect(page.statusCode).toBe(200)
  expect(page.body).toContain('<script src=')
  expect(page.body).not.toMatch(/<script(?![^>]*\bsrc=)[^>]*>|\son\w+=|javascript:/i)
})

describe('a page of another origin', () => {
  const preflight = (origin: string) =>
    api.app.inject({
      method: 'OPTIONS',
      url: '/api/v1/stats',
      headers: { origin, 'access-control-request-method': 'PATCH' },
    })

  it('may ask where it is named', async () => {
    const { headers, statusCode } = await preflight('http://dashboard.example:8080')
    expect(statusCode).toBe(204)
    expect(headers['access-control-allow-origin']).toBe('http://dashboard.example:8080')
    expect(headers['access-control-allow-methods']).toContain('PATCH')
    expect(headers['access-control-allow-headers']).toContain('Last-Event-ID')
    expect(headers['access-control-allow-credentials']).toBeUndefined()
  })

  it('may not where it is not', async () => {
    const { headers } = await preflight('http://evil.example')
    expect(headers['access-control-allow-origin']).toBeUndefined()
  })
})
