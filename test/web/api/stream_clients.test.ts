import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SseParser } from '../../../protocols/sse.ts'
import { type TestApi, testApi } from './api.ts'
import { openStream } from './stream_client.ts'

let api: TestApi
let port: number
let query: string
const sockets: Socket[] = []
beforeEach(async () => {
  api = await testApi()
  port = Number(new URL(await api.listen()).port)
  query = `?token=${await api.token('vic')}`
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await api.close()
})

const STREAM = '/api/v1/identities/events'

/** Sends what it is told and gives all that comes back. */
async function say(
  text: string,
): Promise<{ socket: Socket; text: () => string; ended: () => boolean }> {
  const socket = connect(port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => undefined)
  let came = ''
  let ended = false
  socket.on('data', (chunk) => (came += chunk))
  socket.on('close', () => (ended = true))
  await once(socket, 'connect')
  socket.write(text)
  return { socket, text: () => came, ended: () => ended }
}
const ask = (path: string, { method = 'GET', version = '1.1', headers = '' } = {}) =>
  say(`${method} ${path} HTTP/${version}\r\nhost: x\r\n${headers}\r\n`)
const statusOf = async ({ text }: { text: () => string }) => {
  await expect.poll(text).toMatch(/^HTTP\/1\.1 \d{3} /)
  return Number(text().slice(9, 12))
}
/** Slots that the user has left. */
async function slotsLeft(): Promise<number> {
  const some = await Promise.all(
    Array.from({ length: 5 }, () => openStream(`http://127.0.0.1:${port}${STREAM}${query}`)),
  )
  for (const one of some) one.close()
  await expect.poll(() => api.hubs.identities.clients).toBe(0)
  return some.filter(({ status }) => status === 200).length
}

describe('a client of a stream', () => {
  it('that speaks HTTP/1.0 gets it without chunks, and the end of the connection at its end', async () => {
    const client = await ask(STREAM + query, { version: '1.0' })
    await expect.poll(client.text).toContain('event: snapshot\n')
    const [head = '', body = ''] = client.text().split(/\r\n\r\n(.*)/s)
    expect(head).toMatch(/\r\nconnection: close/i)
    expect(head).not.toMatch(/transfer-encoding|content-length/i)
    expect(new SseParser().push(Buffer.from(body)).map(({ type }) => type)).toEqual(['snapshot'])
    api.hubs.identities.close()
    await expect.poll(client.ended).toBe(true)
  })

  it('that asks with HEAD is answered without a stream', async () => {
    const client = await ask(STREAM + query, { method: 'HEAD', headers: 'connection: close\r\n' })
    expect(await statusOf(client)).toBe(404)
    await expect.poll(client.ended).toBe(true)
    expect(client.text().split('\r\n\r\n')[1]).toBe('')
    expect(await slotsLeft()).toBe(5)
  })

  it('finds it under its path, however that is spelt, and only there', async () => {
    const found = ['identities/event%73', '%69dentities/events', 'identities/events/']
    const others = [
      ...['identities%2Fevents', 'identities/%2e%2e/identities/events', 'IDENTITIES/events'],
      ...[
        'identities//events',
        'identities/events%00',
        'identities/events;x',
        'identities/events%',
      ],
      ...['identities/%zzevents', 'identities/%ff', 'identities/%c0%ae/events'],
    ]
    const answers = await Promise.all(
      [...found, ...others].map(async (path) => {
        const asked = await ask(`/api/v1/${path}${query}`)
        const stranger = await ask(`/api/v1/${path}`)
        const statuses = [await statusOf(asked), await statusOf(stranger)]
        expect(stranger.text()).not.toContain('text/event-stream')
        return [path, ...statuses, asked.text().includes('text/event-stream')]
      }),
    )
    expect(answers.slice(0, 3)).toEqual(found.map((path) => [path, 200, 401, true]))
    for (const [path, asked, stranger, isStream] of answers.slice(3)) {
      expect([path, isStream]).toEqual([path, false])
      expect([400, 401, 404]).toContain(asked)
      expect(stranger).toBe(asked)
    }
  })

  it.each([
    ['of another epoch', 'last-event-id: ffffffffffffffff-1'],
    ['of the future', 'last-event-id: 0123456789abcdef-999999999'],
    ['that is nothing, or said twice', 'last-event-id: \u00ff\u00fe\r\nlast-event-id: x'],
    ['of 8,000 digits', `last-event-id: ${'9'.repeat(8000)}`],
  ])(
    'that comes back with an id %s is told of a gap and gets a snapshot',
    async (_what, header) => {
      api.hubs.identities.publish([{ name: 'formed', data: 1 }])
      const client = await ask(STREAM + query, { headers: `${header}\r\n` })
      await expect.poll(client.text).toContain('event: snapshot\n')
      expect(client.text()).toContain('event: gap\ndata: {"missed":null}\n\n')
    },
  )

  it.each([
    [
      'a header that has no end',
      `GET ${STREAM} HTTP/1.1\r\nlast-event-id: ${'x'.repeat(70_000)}`,
      431,
    ],
    [
      'a query that is too long',
      `GET ${STREAM}?last_event_id=${'x'.repeat(65)}&token=TOKEN HTTP/1.1\r\nhost: x\r\n\r\n`,
      422,
    ],
    ['no HTTP', 'hello\r\n\r\n', 400],
  ])('that sends %s is refused', async (_what, text, status) => {
    const client = await say(text.replace('TOKEN', query.slice('?token='.length)))
    expect(await statusOf(client)).toBe(status)
    expect(await slotsLeft()).toBe(5)
  })

  it('that asks for a stream before another answer has come is refused, and takes one slot', async () => {
    const request = `GET ${STREAM}${query} HTTP/1.1\r\nhost: x\r\n\r\n`
    const client = await say(request.repeat(8))
    await expect.poll(client.text).toContain('event: snapshot\n')
    api.hubs.identities.publish([{ name: 'formed', data: 1 }])
    await expect.poll(client.text).toContain('event: formed\n')
    expect(client.text().match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(api.hubs.identities.clients).toBe(1)
    client.socket.destroy()
    await expect.poll(() => api.hubs.identities.clients).toBe(0)
    expect(await slotsLeft()).toBe(5)
  })

  it('that half closes its connection has gone', async () => {
    const client = await ask(STREAM + query)
    await expect.poll(client.text).toContain('event: snapshot\n')
    client.socket.end()
    await expect.poll(() => api.hubs.identities.clients).toBe(0)
    expect(await slotsLeft()).toBe(5)
  })

  it('that comes and goes leaves nothing behind, whenever it goes', async () => {
    const resources = () => process.getActiveResourcesInfo().length
    const url = `http://127.0.0.1:${port}${STREAM}${query}`
    ;(await openStream(url)).close()
    await expect.poll(connections, { interval: 1 }).toBe(0)
    const before = resources()
    for (let round = 0; round < 40; round++) {
      const four = await Promise.all([1, 2, 3, 4].map(() => ask(STREAM + query)))
      if (round % 3 === 0) await Promise.all(four.map(statusOf))
      if (round % 3 === 1) await new Promise(setImmediate)
      for (const [index, { socket }] of four.entries()) {
        if (index % 2 === 0) socket.resetAndDestroy()
        else socket.destroy()
      }
      await expect.poll(connections, { interval: 1 }).toBe(0)
    }
    expect(api.hubs.identities.clients).toBe(0)
    expect(await slotsLeft()).toBe(5)
    await expect.poll(connections, { interval: 1 }).toBe(0)
    // The test has timers of its own; of 160 clients one each would be more.
    expect(resources()).toBeLessThan(before + 10)
  })
})

const connections = () =>
  new Promise<number>((resolve, reject) =>
    api.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )
