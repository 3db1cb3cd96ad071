/**
 * One stream to many browsers: ours, through all of the API, against the plugins of Fastify and the
 * loop over `res.write` that one writes without thinking. Clients are in processes of their own.
 * Goal: 5,000 clients at 100 events a second, 99 of 100 deliveries in under 250 ms.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { goal, row } from './_measure.ts'
import type { SseKind } from './_sse_server.ts'

const CLIENTS = Number(process.env.DECNET_BENCH_CLIENTS ?? 5000)
const RATE = Number(process.env.DECNET_BENCH_RATE ?? 100)
const SECONDS = Number(process.env.DECNET_BENCH_SECONDS ?? 8)
const LIMIT_MS = 250
/** One client in so many looks at when events come. */
const WATCHED = 50
const PEERS = join(import.meta.dirname, '../node_modules/.peers/js/node_modules')
const WANTED = process.env.DECNET_BENCH_LOAD ?? ''
const ALL: readonly SseKind[] = [
  'ours',
  'loop',
  ...(['fastify-sse-v2', '@fastify/sse'] as const).filter((name) => existsSync(join(PEERS, name))),
]

const next = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`ended with ${code}`))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message as T)
    })
  })

const told = <T>(child: ChildProcess, message: string | object): Promise<T> => {
  const answer = next<T>(child)
  child.send(message)
  return answer
}

/** What clients have seen; `cpu` as a part of the time. */
interface Read {
  readonly events: number
  readonly cpu: number
  readonly latencies: number[]
}

interface Memory {
  readonly rss: number
  readonly held: number
}

async function measure(kind: SseKind) {
  const server = fork(join(import.meta.dirname, '_sse_server.ts'), [kind], {
    execArgv: ['--expose-gc'],
  })
  const { port, path, memory } = await next<{ port: number; path: string; memory: Memory }>(server)
  const clients = (role: string) =>
    fork(join(import.meta.dirname, '_sse_clients.ts'), [String(port), path, role])
  // Those who look at the time are in a process of their own: behind thousands who read on the same
  // thread they would see how long that takes.
  const [readers, watchers] = [clients('reading'), clients('watching')]
  await Promise.all([next(readers), next(watchers)])
  for (let opened = 0; opened < CLIENTS; opened += WATCHED) {
    await told(watchers, { open: 1 })
    await told(readers, { open: Math.min(WATCHED, CLIENTS - opened) - 1 })
  }
  server.send('memory')
  const { memory: full } = await next<{ memory: Memory }>(server)
  // The first rounds are compiled, and measured by nobody.
  server.send({ rate: RATE, seconds: 2 })
  await next(server)
  await pause(2000)
  await Promise.all([told(watchers, 'tell'), told(readers, 'tell')])
  server.send({ rate: RATE, seconds: SECONDS })
  const { cpu, took } = await next<{ cpu: number; took: number }>(server)
  await pause(2000)
  const read = await told<Read>(readers, 'tell')
  const { events, latencies, cpu: watching } = await told<Read>(watchers, 'tell')
  for (const child of [server, readers, watchers]) child.kill()
  const sorted = latencies.sort((a, b) => a - b)
  const at = (part: number) =>
    sorted[Math.min(Math.floor(sorted.length * part), sorted.length - 1)] ?? Number.NaN
  const wanted = Math.ceil(CLIENTS / WATCHED) * RATE * SECONDS
  return {
    ...{ p50: at(0.5), p99: at(0.99), most: at(1), came: events / wanted },
    ...{ cpu: cpu / took, clientCpu: read.cpu + watching },
    perDelivery: (cpu * 1000) / (CLIENTS * RATE * SECONDS * (events / wanted)),
    perClient: (full.held - memory.held) / CLIENTS,
    resident: (full.rss - memory.rss) / CLIENTS,
  }
}

row(
  `${CLIENTS} clients, ${RATE} events/s`,
  'p50 ms',
  'p99 ms',
  'most ms',
  'came',
  'CPU',
  'clients CPU',
  'CPU/delivery',
  'heap/client',
  'RSS/client',
)
let p99 = Number.NaN
for (const kind of ALL.filter((name) => name.startsWith(WANTED))) {
  const found = await measure(kind)
  if (kind === 'ours') p99 = found.p99
  row(
    kind,
    ...[found.p50, found.p99, found.most].map((ms) => ms.toFixed(0)),
    ...[found.came, found.cpu, found.clientCpu].map((part) => `${(part * 100).toFixed(0)} %`),
    `${found.perDelivery.toFixed(2)} µs`,
    ...[found.perClient, found.resident].map((bytes) => `${(bytes / 1024).toFixed(1)} KiB`),
  )
}
goal('99 of 100 deliveries, ms', p99, { most: LIMIT_MS })
