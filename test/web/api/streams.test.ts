import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { busResource } from '../../../bus/bus.ts'
import { streamsResource } from '../../../bus/stream/streams.ts'
import { registry } from '../../../cli/registry.ts'
import { compilePipeline } from '../../../engine/compile.ts'
import { silentLog } from '../../../engine/context.ts'
import { startPipelines } from '../../../engine/run.ts'
import { SseParser } from '../../../protocols/sse.ts'
import { database as databaseResource } from '../../../store/database.ts'
import { NOW, PASSWORD, type TestApi, testApi } from './api.ts'
import { at, identityRow, insertRow, writeLog } from './rows.ts'
import { openStream, type StreamClient } from './stream_client.ts'
import { IdentityView } from './stream_view.ts'

let api: TestApi
let base: string
const clients: StreamClient[] = []
beforeEach(async () => {
  api = await testApi({ keepaliveAfter: 150 })
  base = `${await api.listen()}/api/v1`
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  await api.close()
})

async function open(path: string, user = 'vic', headers: Record<string, string> = {}) {
  const mark = path.includes('?') ? '&' : '?'
  const client = await openStream(`${base}${path}${mark}token=${await api.token(user)}`, headers)
  clients.push(client)
  return client
}
const names = (client: StreamClient) => client.events.map(({ type }) => type)
const data = (client: StreamClient, n: number) => JSON.parse(client.events[n]?.data ?? 'null')

/** The streams of a pipeline between the bus and the API. */
async function runPipeline(text: string, work: () => Promise<void>): Promise<void> {
  const { plan, problems } = compilePipeline(text, 'streams.yaml', { registry, env: {} })
  if (!plan) throw new Error(JSON.stringify(problems))
  const dir = await mkdtemp(join(tmpdir(), 'decnet-streams-'))
  const handles = new Map<unknown, unknown>([
    [busResource, api.bus],
    [databaseResource, api.database],
    [streamsResource, api.streams],
  ])
  const use = async (resource: unknown) => handles.get(resource) as never
  const running = await startPipelines({
    ...{ plans: [plan], stateDir: dir, use, log: silentLog, fedFromOutside: true },
  })
  try {
    await work()
  } finally {
    running.stop()
    await running.done
    await rm(dir, { recursive: true, force: true })
  }
}

describe('a stream', () => {
  it('begins with a comment and a snapshot', async () => {
    await insertRow(api.database, 'attacker_identities', identityRow('i1'))
    const client = await open('/identities/events')
    expect(client.status).toBe(200)
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
    })
    await expect.poll(() => names(client)).toEqual(['snapshot'])
    expect(client.text().startsWith(': keepalive\n\n')).toBe(true)
    expect(client.headers).not.toHaveProperty('transfer-encoding')
    expect(data(client, 0).identities).toMatchObject([{ uuid: 'i1' }])
  })

  it('relays what a pipeline hears, by the name of the topic', async () => {
    const pipeline = `
name: test
description: as in api.yaml
sources:
  campaigns: { type: bus, patterns: [attacker.>, orchestrator.>] }
sinks:
  out: { type: sse, inputs: [campaigns], path: /attackers/events, snapshot: attackers }
`
    await runPipeline(pipeline, async () => {
      await expect.poll(() => api.streams.find('/attackers/events')).toBeDefined()
      // The API knows no route for it; whoever serves it does.
      const hub = api.streams.find('/attackers/events')
      let text = ''
      const write = (bytes: Buffer) => {
        text += bytes
        return true
      }
      hub?.join({ write, end: () => undefined })
      const peer = await api.bus.connect('other')
      const payload = { identity_uuid: 'i1', prior_campaign_uuid: null }
      const say = (topic: string) =>
        peer.publish({ id: 'a'.repeat(32), topic, type: 'said', ts: 1772355600.25, payload })
      await expect.poll(() => text).toContain('snapshot')
      await say('attacker.campaign.assigned')
      await say('orchestrator.traffic.local:web-01')
      await expect.poll(() => text).toContain('event: traffic.local:web-01\n')
      expect(text).toContain('event: campaign.assigned\n')
      // Names that the stream has for itself, and text that would be lines or events of its own.
      await say('attacker.gap')
      await say('attacker.snapshot')
      const odd = { text: 'a\n\nevent: gap\r\rdata: x\u2028\u2029\0\ud800\ufeff', '\nid: 9': 1 }
      const topic = 'attacker.web:01;"\\%0a.error:'
      await peer.publish({ id: 'b'.repeat(32), topic, type: 'odd', ts: 1772355600, payload: odd })
      await expect.poll(() => text).toContain('odd')
      const events = new SseParser().push(Buffer.from(text)).slice(-3)
      expect(events.map(({ type }) => type)).toEqual([
        ...['bus.gap', 'bus.snapshot', 'web:01;"\\%0a.error:'],
      ])
      expect(JSON.parse(events[2]?.data ?? '')).toMatchObject({ topic, payload: odd })
      const shown = /event: campaign.assigned\ndata: (.*)\n/.exec(text)?.[1] ?? ''
      expect(JSON.parse(shown)).toEqual({
        ...{ topic: 'attacker.campaign.assigned', type: 'said', ts: 1772355600.25, payload },
      })
    })
    expect(api.streams.find('/attackers/events')).toBeUndefined()
  })

  it('lets a client that comes back go on where it was', async () => {
    const hub = api.hubs.identities
    hub.publish([1, 2, 3].map((n) => ({ name: 'formed', data: n })))
    const client = await open('/identities/events', 'vic', { 'last-event-id': `${hub.epoch}-1` })
    await expect.poll(() => names(client)).toEqual(['formed', 'formed'])
    const other = await open(`/identities/events?last_event_id=${hub.epoch}-2`)
    await expect.poll(() => names(other)).toEqual(['formed'])
  })

  it('stays open, with comments, where nothing is said', async () => {
    const client = await open('/identities/events')
    await expect.poll(() => client.text().match(/: keepalive/g)?.length, { interval: 20 }).toBe(3)
    expect(names(client)).toEqual(['snapshot'])
    expect(client.ended()).toBe(false)
  })

  it('is served in its own right, not taken for an object of that name', async () => {
    const answer = await fetch(`${base}/identities/events`)
    expect(answer.status).toBe(401)
    await answer.body?.cancel()
  })

  it('ends when its token does', async () => {
    const client = await open('/identities/events')
    await expect.poll(() => names(client)).toEqual(['snapshot'])
    api.clock.advanceTo(NOW + 240 * 60_000)
    await expect.poll(() => client.ended(), { timeout: 9000 }).toBe(true)
    // What a gap in the log of the browser would be blamed on.
    expect(names(client)).toEqual(['snapshot'])
  })

  it('ends when its token is given back', async () => {
    const token = await api.token('vic')
    const client = await openStream(`${base}/campaigns/events?token=${token}`)
    clients.push(client)
    const headers = { authorization: `Bearer ${token}` }
    const other = await open('/campaigns/events')
    await api.app.inject({ method: 'POST', url: '/api/v1/auth/logout', headers })
    // At once, not when the next look is due.
    await expect.poll(() => client.ended(), { timeout: 3000, interval: 10 }).toBe(true)
    expect(other.ended()).toBe(false)
  })

  it('ends when its user has a new password', async () => {
    const client = await open('/identities/events')
    api.clock.advanceTo(NOW + 5000)
    const body = { old_password: PASSWORD, new_password: 'another battery' }
    expect((await api.post('/auth/change-password', body, 'vic')).statusCode).toBe(200)
    await expect.poll(() => client.ended(), { timeout: 3000, interval: 10 }).toBe(true)
  })
})

describe('of the streams of one user', () => {
  it('the sixth is refused before anything is sent, until one is closed; others are not concerned', async () => {
    const five = []
    for (let n = 0; n < 5; n++) {
      five.push(await open(n % 2 === 0 ? '/identities/events' : '/campaigns/events'))
    }
    const sixth = await open('/stream')
    expect(sixth.status).toBe(429)
    await expect.poll(() => sixth.text()).toBe('{"detail":"SSE connection limit (5) reached"}')
    expect((await open('/identities/events', 'zoe')).status).toBe(200)
    five[0]?.close()
    await expect.poll(async () => (await open('/identities/events')).status).toBe(200)
  })
})

describe('a client that reads slowly', () => {
  const countObservations = (uuid: string, count: number, time: number) =>
    api.database.transaction((statements) =>
      statements.update(
        'update attacker_identities set observation_count = ?, updated_at = ? where uuid = ?',
        [count, time, uuid],
      ),
    )

  it('ends in the same view as a fast one, is told of its gap, and takes no memory meanwhile', async () => {
    const hub = api.hubs.identities
    const { port } = new URL(base)
    const slow = connect(Number(port), '127.0.0.1')
    slow.write(
      `GET /api/v1/identities/events?token=${await api.token('vic')} HTTP/1.1\r\nhost: x\r\n\r\n`,
    )
    slow.pause()
    const fast = await open('/identities/events', 'zoe')
    await expect.poll(() => names(fast)).toEqual(['snapshot'])
    const before = process.memoryUsage().arrayBuffers
    // More than the sockets between take, of frames that would be kept for the slow one.
    const filler = 'x'.repeat(100_000)
    for (let n = 1; n <= 200; n++) {
      const uuid = `i${n % 40}`
      const count = Math.ceil(n / 40)
      const row = { uuid, created_at: at(n), updated_at: at(n), observation_count: 1 }
      if (count === 1) await insertRow(api.database, 'attacker_identities', row)
      else await countObservations(uuid, count, at(n))
      const payload = { identity_uuid: uuid, observation_count: count, filler }
      hub.publish([{ name: 'observation.linked', data: { payload } }])
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40 * 2 ** 20)
    await expect.poll(() => fast.events.length).toBe(201)
    const slowly = new IdentityView()
    const parser = new SseParser()
    slow.on('data', (chunk) => {
      for (const event of parser.push(chunk)) slowly.take(event)
    })
    slow.resume()
    const quickly = new IdentityView()
    for (const event of fast.events) quickly.take(event)
    expect(quickly.seen).toBe(200)
    const wanted = Object.fromEntries(quickly.rows)
    await expect.poll(() => Object.fromEntries(slowly.rows), { timeout: 10_000 }).toEqual(wanted)
    expect(slowly.seen + slowly.missed).toBe(200)
    expect(slowly.missed).toBeGreaterThan(0)
    expect(slowly.bareGaps).toBe(0)
    slow.destroy()
  })
})

describe('the stream of logs', () => {
  const parts = (client: StreamClient, type: string) =>
    client.events.map(({ data }) => JSON.parse(data)).filter((one) => one.type === type)

  it('begins with figures and goes on with logs, fifty in a frame', async () => {
    await writeLog(api.database, { raw_line: 'before' })
    const client = await open('/stream')
    await expect.poll(() => client.events.length).toBe(2)
    expect(names(client)).toEqual(['message', 'message'])
    expect(parts(client, 'stats')[0].data.total_logs).toBe(1)
    expect(parts(client, 'histogram')[0].data).toHaveLength(1)
    for (let n = 0; n < 120; n++) await writeLog(api.database, { raw_line: `line ${n}` })
    await expect
      .poll(() => parts(client, 'logs').flatMap((one) => one.data).length, { timeout: 5000 })
      .toBe(120)
    const ids = parts(client, 'logs').flatMap((one) => one.data.map(({ id }: { id: number }) => id))
    expect(ids).toEqual(Array.from({ length: 120 }, (_, index) => index + 2))
  })

  it('gives one who comes back what it has missed, all of it', async () => {
    for (let n = 0; n < 120; n++) await writeLog(api.database, { raw_line: `line ${n}` })
    const sizes = async (path: string, headers = {}) => {
      const client = await open(path, 'zoe', headers)
      await expect
        .poll(() => parts(client, 'histogram').length, { timeout: 5000 })
        .toBeGreaterThan(0)
      client.close()
      return parts(client, 'logs').map((one) => one.data.length)
    }
    expect(await sizes('/stream?lastEventId=0')).toEqual([])
    expect(await sizes('/stream?lastEventId=1')).toEqual([50, 50, 19])
    expect(await sizes('/stream', { 'last-event-id': '100' })).toEqual([20])
  })

  it('goes on with the first log where the last one known is of another table', async () => {
    for (let n = 0; n < 3; n++) await writeLog(api.database, { raw_line: `line ${n}` })
    const client = await open('/stream?lastEventId=999999')
    await expect.poll(() => client.events.length).toBe(2)
    await writeLog(api.database, { raw_line: 'line 3' })
    await expect.poll(() => parts(client, 'logs').length, { timeout: 5000 }).toBe(1)
    expect(parts(client, 'logs')[0].data).toMatchObject([{ id: 4, raw_line: 'line 3' }])
  })

  it('gives logs that are long as fast as they are taken', async () => {
    for (let n = 0; n < 500; n++) await writeLog(api.database, { raw_line: 'x'.repeat(4000) })
    const client = await open('/stream?lastEventId=1', 'zoe')
    const came = () => parts(client, 'logs').flatMap((one) => one.data).length
    // Ten frames of 200 KB: one a second would be ten seconds.
    await expect.poll(came, { timeout: 6000, interval: 20 }).toBe(499)
    await expect.poll(() => parts(client, 'stats').length).toBeGreaterThan(0)
    expect(client.events.at(-1)?.data).toContain('histogram')
  })

  it('gives only what was searched for', async () => {
    const client = await open('/stream?search=service:ftp')
    await expect.poll(() => client.events.length).toBe(2)
    await writeLog(api.database, { raw_line: 'one' })
    await writeLog(api.database, { raw_line: 'two', service: 'ftp' })
    await expect.poll(() => parts(client, 'logs').length, { timeout: 5000 }).toBe(1)
    expect(parts(client, 'logs')[0].data).toMatchObject([{ raw_line: 'two' }])
  })

  it('refuses a time that is none before it begins', async () => {
    expect((await open('/stream?start_time=noon')).status).toBe(422)
  })
})
