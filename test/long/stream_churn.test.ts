import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { NOW, type TestApi, testApi } from '../web/api/api.ts'
import { openStream } from '../web/api/stream_client.ts'

/** Clients that come and go. */
const CLIENTS = Number(process.env.DECNET_LONG_CONNECTS ?? 10_000)
const AT_ONCE = 50
/** Connections that say little, and slowly. */
const LORISES = 400

let api: TestApi
let port: number
let path: string
const sockets = new Set<Socket>()
beforeEach(async () => {
  api = await testApi({ settings: { streamsPerUser: 60 } })
  port = Number(new URL(await api.listen()).port)
  path = `/api/v1/identities/events?token=${await api.token('vic')}`
})
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await api.close()
})

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

async function dial(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  sockets.add(socket)
  socket.on('error', () => undefined)
  socket.on('close', () => sockets.delete(socket))
  await once(socket, 'connect')
  return socket
}
const ask = async (): Promise<Socket> => {
  const socket = await dial()
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
  return socket
}
const connections = () =>
  new Promise<number>((resolve, reject) =>
    api.app.server.getConnections((error, count) => (error ? reject(error) : resolve(count))),
  )

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void
const held = () => {
  gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

it(`${CLIENTS} clients that come and go leave no slot, timer, socket or memory behind`, async () => {
  const rounds = async (count: number) => {
    for (let round = 0; round < count / AT_ONCE; round++) {
      const some = await Promise.all(Array.from({ length: AT_ONCE }, ask))
      if (round % 10 === 0) api.hubs.identities.publish([{ name: 'formed', data: round }])
      if (round % 4 === 0) await Promise.all(some.map((socket) => once(socket, 'data')))
      if (round % 4 === 1) await pause(1)
      for (const [index, socket] of some.entries()) {
        if (index % 3 === 0) socket.resetAndDestroy()
        else if (index % 3 === 1) socket.destroy()
        else {
          socket.end()
          socket.resume()
        }
      }
      while ((await connections()) > 0) await pause(1)
    }
  }
  // What is compiled and cached once is no leak.
  await rounds(1000)
  await pause(100)
  const before = held()
  const resources = process.getActiveResourcesInfo().length
  await rounds(CLIENTS)
  await pause(100)
  const grown = held() - before
  process.stderr.write(`${CLIENTS} clients have left ${(grown / CLIENTS).toFixed(0)} bytes each\n`)
  expect(api.hubs.identities.clients).toBe(0)
  // The test has timers of its own.
  expect(process.getActiveResourcesInfo().length).toBeLessThan(resources + 10)
  expect(grown / CLIENTS).toBeLessThan(200)
  const all = await Promise.all(
    Array.from({ length: 60 }, () => openStream(`http://127.0.0.1:${port}${path}`)),
  )
  expect(all.filter(({ status }) => status === 200)).toHaveLength(60)
  for (const one of all) one.close()
})

it('connections that never finish a request are cut off, and hinder nobody', async () => {
  const some = await Promise.all(Array.from({ length: LORISES }, dial))
  const start = 'GET /api/v1/stream HTTP/1.1\r\nhost: x\r\n'
  let said = 0
  const drip = setInterval(() => {
    // A third says nothing at all, a third begins, a third goes on for ever.
    for (const [index, socket] of some.entries()) {
      if (index % 3 === 1 && said === 0) socket.write(start)
      if (index % 3 === 2) socket.write(said === 0 ? start : `x-${said}: y\r\n`)
    }
    said += 1
  }, 200)
  try {
    const since = performance.now()
    await pause(500)
    const client = await openStream(`http://127.0.0.1:${port}${path}`)
    await expect.poll(() => client.text(), { timeout: 2000 }).toContain('event: snapshot')
    await expect.poll(connections, { timeout: 60_000, interval: 200 }).toBe(1)
    const took = (performance.now() - since) / 1000
    process.stderr.write(`${LORISES} slow connections were cut off after ${took.toFixed(1)} s\n`)
    expect(took).toBeLessThan(20)
    api.hubs.identities.publish([{ name: 'formed', data: 1 }])
    await expect.poll(() => client.text()).toContain('event: formed')
    client.close()
  } finally {
    clearInterval(drip)
  }
})

it('a client is let go when its token ends, though it takes nothing of what is left', async () => {
  const hub = api.hubs.identities
  const socket = await ask()
  socket.pause()
  await expect.poll(() => hub.clients).toBe(1)
  for (let n = 1; n <= 100; n++) {
    hub.publish([{ name: 'formed', data: 'x'.repeat(100_000) }])
    await pause(1)
  }
  api.clock.advanceTo(NOW + 240 * 60_000)
  await expect.poll(() => hub.clients, { timeout: 9000, interval: 50 }).toBe(0)
  await expect.poll(connections).toBe(0)
})
