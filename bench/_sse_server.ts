/** A server of one stream, to be measured: ours, a plugin, or a bare loop. Told by its parent. */
import { EventEmitter, on } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryBus } from '../bus/memory_bus.ts'
import { StreamHub } from '../bus/stream/hub.ts'
import { StreamTable } from '../bus/stream/streams.ts'
import { webhookClient } from '../bus/webhook/client.ts'
import { webhookGuard } from '../bus/webhook/guard.ts'
import { replayHost } from '../cli/replays/replay_host.ts'
import { liveClock } from '../engine/clock.ts'
import { silentLog } from '../engine/context.ts'
import { openDatabase } from '../store/database.ts'
import { makeSecretBox } from '../store/secret_box.ts'
import { addUser } from '../store/users.ts'
import { Tokens } from '../web/api/auth/tokens.ts'
import { buildApi } from '../web/api/server.ts'

export type SseKind = 'ours' | 'loop' | 'fastify-sse-v2' | '@fastify/sse'

const [kind = 'ours'] = process.argv.slice(2)
const PEERS = join(import.meta.dirname, '../node_modules/.peers/js/node_modules')

interface Served {
  readonly port: number
  readonly path: string
  publish(event: object): void
}

const payload = {
  identity_uuid: '0b8e6f0a-7a52-4f0e-8d2b-0f3f3a1c9e11',
  observation_uuids: ['a', 'b'],
}
let sent = 0
/** @param due by `performance.now()`: a server that is late with an event is late for its clients */
const nextEvent = (due: number) => {
  sent += 1
  const at = performance.timeOrigin + due
  return { topic: 'identity.formed', type: 'formed', ts: Date.now() / 1000, at, n: sent, payload }
}

async function ours(): Promise<Served> {
  const database = await openDatabase('sqlite::memory:')
  const streams = new StreamTable()
  const hub = new StreamHub({
    ...{ epoch: '0123456789abcdef', snapshot: async () => ({ identities: [] }) },
    ...{ maxFrames: 4096, maxBytes: 8 * 2 ** 20, log: silentLog },
  })
  streams.add('/identities/events', hub)
  const uuid = '00000000-0000-4000-8000-000000000001'
  const user = { uuid, username: 'bench', passwordHash: '', role: 'viewer' as const }
  await addUser(database, { ...user, mustChangePassword: false, tokensValidFrom: 0 }, 0)
  const jwtSecret = 'a secret of the benchmark, long enough'
  const now = () => Date.now()
  const guard = webhookGuard({ allowPrivate: false, now })
  const app = await buildApi({
    ...{ database, bus: memoryBus(), streams, clock: liveClock, log: silentLog },
    streamRoutes: [{ path: '/identities/events', summary: '' }],
    units: { installed: async () => new Set(), isActive: async () => false, start: async () => '' },
    docker: async () => ({ state: 'unused', detail: '' }),
    webhooks: {
      box: makeSecretBox('a key of the benchmark, long enough'),
      guard,
      client: webhookClient({ guard, now }),
    },
    pipelineNames: [],
    pipelines: async () => [],
    replays: replayHost({}, join(tmpdir(), 'decnet-bench'), silentLog),
    settings: {
      ...{ jwtSecret, tokenMinutes: 60, corsOrigins: [], streamsPerUser: 100_000 },
      ...{ trustedProxies: [], developer: false, dashboard: undefined, version: '0' },
    },
  })
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  const token = await new Tokens(jwtSecret, 60, liveClock).issue(uuid, 0)
  const path = `/api/v1/identities/events?token=${token}`
  return { port: Number(port), path, publish: (data) => hub.publish([{ name: 'formed', data }]) }
}

/** What one writes without thinking: every client gets each event as it comes. */
async function loop(): Promise<Served> {
  const clients = new Set<ServerResponse>()
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.flushHeaders()
    clients.add(response)
    response.on('close', () => clients.delete(response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 16_384, resolve))
  const { port } = server.address() as AddressInfo
  const publish = (data: object) => {
    const text = `event: formed\ndata: ${JSON.stringify(data)}\n\n`
    for (const client of clients) client.write(text)
  }
  return { port, path: '/', publish }
}

async function plugin(name: 'fastify-sse-v2' | '@fastify/sse'): Promise<Served> {
  const { default: fastify } = await import('fastify')
  const load = name === 'fastify-sse-v2' ? 'fastify-sse-v2/lib/index.js' : '@fastify/sse/index.js'
  const module = await import(join(PEERS, load))
  const app = fastify()
  await app.register(module.FastifySSEPlugin ?? module.default)
  const events = new EventEmitter()
  events.setMaxListeners(0)
  async function* frames() {
    // So that the head is sent.
    yield { event: 'hello', data: 'hello' }
    for await (const [data] of on(events, 'event'))
      yield { event: 'formed', data: name === '@fastify/sse' ? data : JSON.stringify(data) }
  }
  if (name === 'fastify-sse-v2') {
    app.get('/', (_request, reply) =>
      (reply as unknown as { sse(from: object): void }).sse(frames()),
    )
  } else {
    app.get('/', { sse: true } as object, async (_request, reply) => {
      const { sse } = reply as unknown as {
        sse: { send(from: object): Promise<void>; keepAlive(): void }
      }
      sse.keepAlive()
      await sse.send(frames())
    })
  }
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1', backlog: 16_384 }))
  return { port: Number(port), path: '/', publish: (data) => events.emit('event', data) }
}

const served = await (kind === 'ours'
  ? ours()
  : kind === 'loop'
    ? loop()
    : plugin(kind as '@fastify/sse'))
const memory = () => {
  globalThis.gc?.()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss, held: heapUsed + external }
}
process.on('message', async (told: { rate: number; seconds: number } | 'memory') => {
  if (told === 'memory') {
    process.send?.({ memory: memory() })
    return
  }
  const { rate, seconds } = told
  const before = process.cpuUsage()
  const start = performance.now()
  for (let n = 0; n < rate * seconds; n++) {
    const due = start + (n * 1000) / rate
    const wait = due - performance.now()
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
    served.publish(nextEvent(due))
  }
  // What is still under way belongs to it.
  await new Promise((resolve) => setTimeout(resolve, 500))
  const { user, system } = process.cpuUsage(before)
  process.send?.({ published: sent, cpu: (user + system) / 1000, took: performance.now() - start })
})
process.send?.({ port: served.port, path: served.path, memory: memory() })
