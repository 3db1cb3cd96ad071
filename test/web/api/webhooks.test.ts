import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordFailure } from '../../../store/webhook_subscriptions.ts'
import { testDatabases } from '../../services/databases.ts'
import { NOW, type TestApi, testApi } from './api.ts'

const URL = 'https://receiver.example/x'

describe.each(testDatabases)('webhooks on %s', (_name, databases) => {
  let api: TestApi
  beforeAll(async () => {
    await databases.start()
    api = await testApi({ url: await databases.fresh() })
  }, 60_000)
  afterAll(async () => {
    await api.close()
    await databases.stop()
  })

  let minutes = 0
  const ask = async (
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    payload?: object,
  ) => {
    // So that it is not the throttle that answers.
    minutes += 1
    api.clock.advanceTo(NOW + minutes * 60_000)
    const headers = { authorization: `Bearer ${await api.token('ada')}` }
    const url = `/api/v1/webhooks${path}`
    const answer = await api.app.inject({ method, url, headers, ...(payload && { payload }) })
    return { status: answer.statusCode, body: answer.json() }
  }
  const create = (more: object) => ask('POST', '/', { name: 'siem', url: URL, ...more })

  it('are made, shown without their secret, changed and taken away', async () => {
    const peer = await api.bus.connect('webhook')
    const news = await peer.subscribe(['system.webhook.subscriptions_changed'])
    const { status, body } = await create({ simple_events: ['AttackerDetail'] })
    expect(status).toBe(201)
    expect(body).toMatchObject({ name: 'siem', topic_patterns: ['attacker.>'], warnings: [] })
    expect(body.secret.length).toBe(43)
    const { uuid } = body
    for (const path of ['/', '', `/${uuid}`]) {
      const shown = (await ask('GET', path)).body
      expect(JSON.stringify(shown)).not.toContain('"secret"')
      expect(Array.isArray(shown) ? shown[0] : shown).toMatchObject({ uuid, enabled: true })
    }
    expect((await create({ simple_events: ['AttackerDetail'] })).status).toBe(409)
    const patch = (payload: object) => ask('PATCH', `/${uuid}`, payload)
    expect((await patch({ topic_patterns: ['custom.>'], name: null })).body).toMatchObject({
      topic_patterns: ['custom.>'],
      name: 'siem',
    })
    expect(await patch({ topic_patterns: [], simple_events: [] })).toEqual({
      status: 400,
      body: { detail: 'Cannot clear all patterns; disable the webhook instead.' },
    })
    expect((await patch({ url: 'http://93.184.216.34:8080/x' })).body.warnings[0]).toMatch(
      /^insecure_url:/,
    )
    expect((await patch({ name: 'siem' })).status).toBe(200)
    expect((await ask('DELETE', `/${uuid}`)).body).toEqual({ message: 'Webhook deleted' })
    expect((await ask('DELETE', `/${uuid}`)).status).toBe(404)
    // Made, changed twice, taken away: what changed nothing is no news.
    expect(await news.take(10)).toHaveLength(4)
    await peer.close()
  })

  it.each<readonly [object, number]>([
    [{}, 400],
    [{ simple_events: [], topic_patterns: [''] }, 400],
    [{ topic_patterns: ['a..b'] }, 400],
    [{ topic_patterns: ['>.a'] }, 400],
    [{ topic_patterns: 'a.>' }, 400],
    [{ topic_patterns: ['a.>'], name: '' }, 400],
    [{ topic_patterns: ['a.>'], secret: 'short' }, 400],
    [{ topic_patterns: ['a.>'], name: 7 }, 400],
    [{ topic_patterns: ['a.>'], name: 'x'.repeat(65) }, 422],
    [{ topic_patterns: ['a.>'], secret: 'x'.repeat(257) }, 422],
    [{ simple_events: ['Everything'] }, 422],
    ...[
      ...[
        'http://127.0.0.1/',
        'http://127.1/',
        'http://2130706433/',
        'http://0x7f.1/',
        'http:///x',
      ],
      ...[
        'http://[::ffff:127.0.0.1]/',
        'http://169.254.169.254/latest',
        'http://10.0.0.1/',
        'ftp://x/',
      ],
    ].map((url) => [{ topic_patterns: ['a.>'], url }, 422] as const),
  ])('are not made of %j', async (more, status) => {
    expect((await create({ name: 'other', ...more })).status).toBe(status)
  })

  it('are refused for their patterns first, then for their name, then for where they lead', async () => {
    const { body: made } = await create({ name: 'first', topic_patterns: ['a.>'] })
    const url = 'http://127.0.0.1/'
    const wrong = { name: 'first', url }
    expect(await create({ ...wrong, topic_patterns: [] })).toEqual({
      status: 400,
      body: { detail: 'Provide at least one simple_events entry or topic_patterns pattern.' },
    })
    expect(await create({ ...wrong, topic_patterns: ['a.>'] })).toEqual({
      status: 409,
      body: { detail: 'Webhook name already exists' },
    })
    expect((await create({ name: 'second', url, topic_patterns: ['a.>'] })).status).toBe(422)
    expect((await ask('PATCH', `/${made.uuid}`, { url })).status).toBe(422)
    expect((await ask('PATCH', `/${made.uuid}`, { url: 'http://[::ffff:7f00:1]/' })).status).toBe(
      422,
    )
    const { body: other } = await create({ name: 'second', topic_patterns: ['a.>'] })
    expect((await ask('PATCH', `/${other.uuid}`, { name: 'first' })).status).toBe(409)
    expect((await ask('PATCH', '/nobody', { name: 'x' })).body).toEqual({
      detail: 'Webhook not found',
    })
  })

  it('keep a URL as it is normalised, and a new secret to themselves', async () => {
    const secret = 'a secret that nobody sees'
    const given = { name: 'shy', url: 'HTTPS://Receiver.EXAMPLE', topic_patterns: ['a.>'], secret }
    const { body } = await create(given)
    expect(body).toMatchObject({ url: 'https://receiver.example/', secret })
    const rotated = await ask('PATCH', `/${body.uuid}`, { secret: 'another one, as long as it' })
    expect(rotated.status).toBe(200)
    expect(rotated.body).not.toHaveProperty('secret')
    const [row] = await api.database.select('select * from webhook_subscriptions where name = ?', [
      'shy',
    ])
    for (const text of [secret, 'another one']) expect(JSON.stringify(row)).not.toContain(text)
  })

  it('are the same where nothing is to change, and where null is given', async () => {
    const { body } = await create({ name: 'same', simple_events: ['DeckyStatus'] })
    const nothing = { name: null, url: null, secret: null, enabled: null, topic_patterns: null }
    for (const payload of [{}, nothing, { name: 'same', enabled: true }]) {
      const { status, body: after } = await ask('PATCH', `/${body.uuid}`, payload)
      expect(status).toBe(200)
      expect({ ...after, secret: body.secret }).toEqual(body)
    }
  })

  it('that were tripped are armed again when they are enabled', async () => {
    const { body } = await create({ name: 'tripped', topic_patterns: ['a.>'] })
    const failure = { now: NOW * 1000, threshold: 1 }
    await api.database.transaction((statements) =>
      recordFailure(statements, body.uuid, 'http 503', failure),
    )
    const { body: tripped } = await ask('GET', `/${body.uuid}`)
    expect(tripped).toMatchObject({
      enabled: false,
      consecutive_failures: 1,
      last_error: 'http 503',
    })
    const armed = (await ask('PATCH', `/${body.uuid}`, { enabled: true })).body
    expect(armed).toMatchObject({ enabled: true, auto_disabled_at: null, consecutive_failures: 0 })
    expect(armed.last_error).toBeNull()
  })

  it('are no more than twenty a minute from one address', async () => {
    const headers = { authorization: `Bearer ${await api.token('ada')}` }
    api.clock.advanceTo(NOW + 600 * 60_000)
    const statuses = new Set<number>()
    for (let n = 0; n < 21; n++) {
      const token = `Bearer ${await api.token('ada')}`
      const answer = await api.app.inject({
        ...{
          method: 'POST',
          url: '/api/v1/webhooks',
          headers: { ...headers, authorization: token },
        },
        payload: { name: 'n', url: URL },
      })
      statuses.add(answer.statusCode)
    }
    expect([...statuses]).toEqual([400, 429])
  })
})

describe('a test of a webhook', () => {
  let api: TestApi
  let receiver: Server
  let posts: string[]
  beforeAll(async () => {
    posts = []
    api = await testApi({ allowPrivate: true })
    receiver = createServer((request, response) => {
      request.on('data', (chunk) => posts.push(String(chunk)))
      request.on('end', () => response.writeHead(500).end())
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    receiver.close()
    await api.close()
  })

  it('is one request, and tells how it went', async () => {
    const { port } = receiver.address() as AddressInfo
    const made = {
      name: 'here',
      url: `http://127.0.0.1:${port}/`,
      topic_patterns: ['a.>'],
      enabled: false,
    }
    const { uuid } = (await api.post('/webhooks', made, 'ada')).json()
    const { statusCode, json } = await api.post(`/webhooks/${uuid}/test`, undefined, 'ada')
    expect(statusCode).toBe(200)
    expect(json()).toMatchObject({ delivered: false, status_code: 500 })
    expect(posts.map((one) => JSON.parse(one))).toMatchObject([
      { topic: 'test.ping', type: 'test', payload: { triggered_by: 'ada' } },
    ])
    expect((await api.get(`/webhooks/${uuid}`, 'ada')).json().consecutive_failures).toBe(0)
    expect((await api.post('/webhooks/nobody/test', undefined, 'ada')).statusCode).toBe(404)
  })
})
