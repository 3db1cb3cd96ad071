/**
 * The unix broker against NATS core, each a process of its own with Node clients at both ends: messages
 * a second that every subscriber gets, and how long they take at 10,000 a second. No more are on their
 * way than any queue holds, so nothing is lost on either. Goal: at least the rate of NATS.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Kind, openPeer, type Peer } from './_bus_peer.ts'
import { goal, inScratch, median, pairedRatio, row } from './_measure.ts'

const ROUNDS = Number(process.env.DECNET_BENCH_ROUNDS ?? 5)
/** Messages on their way at once. */
const WINDOW = 512
const PATIENCE = 60_000
const PACE = 10_000
const PACED_SECONDS = 3
const PACED = PACE * PACED_SECONDS
const NATS = ['/usr/sbin/nats-server', '/usr/bin/nats-server'].find(existsSync)
const root = join(import.meta.dirname, '..')

/** One of the loads alone: `DECNET_BENCH_LOAD="1 to 50"` takes those whose name begins so. */
const WANTED = process.env.DECNET_BENCH_LOAD ?? ''

const LOADS = [
  { name: '1 to 1, 150 bytes', subscribers: 1, bytes: 150, messages: 100_000 },
  { name: '1 to 1, 10 KB', subscribers: 1, bytes: 10_000, messages: 20_000 },
  { name: '1 to 50, 150 bytes', subscribers: 50, bytes: 150, messages: 4000 },
  { name: '1 to 50, 10 KB', subscribers: 50, bytes: 10_000, messages: 500 },
] as const

interface Said {
  readonly ready?: true
  readonly heard?: number
  readonly latencies?: readonly number[]
}

/** Subscribers in their process, and one publisher here. */
class Bench {
  readonly #child: ChildProcess
  readonly #publisher: Peer
  #heard = 0
  #said: ((said: Said) => void) | undefined

  constructor(child: ChildProcess, publisher: Peer) {
    this.#child = child
    this.#publisher = publisher
    child.on('message', (said: Said) => {
      if (said.heard !== undefined) this.#heard = said.heard
      this.#said?.(said)
    })
  }

  static async open(kind: Kind, address: string, subscribers: number): Promise<Bench> {
    const child = fork(join(import.meta.dirname, '_bus_subscribers.ts'), [
      ...[kind, address, String(subscribers)],
    ])
    await new Promise((resolve) => child.once('message', resolve))
    const bench = new Bench(child, await openPeer(kind, address, 'publisher'))
    // SUB of the unix bus has no answer: all are there once all have heard something.
    while (bench.#heard === 0) {
      await bench.#publish(40, {})
      await bench.#ask({})
    }
    return bench
  }

  /** @returns ms until every subscriber had all of them */
  async rate(messages: number, bytes: number): Promise<number> {
    await this.#reset()
    const payload = { pad: 'x'.repeat(Math.max(0, bytes - ENVELOPE_BYTES)) }
    const began = performance.now()
    for (let sent = 0; sent < messages; sent++) {
      // Now and then a turn of the event loop, as a pipeline has one for every batch.
      if (sent % 64 === 0) await this.#publisher.flush()
      while (sent - this.#heard >= WINDOW) await turn()
      await this.#publisher.publish(this.#message(sent, payload))
    }
    await this.#all(messages)
    return performance.now() - began
  }

  /** @returns ms that each message took, in order of length; those that did not come are not there */
  async latencies(bytes: number): Promise<readonly number[]> {
    await this.#reset()
    await this.#ask({ latencies: true })
    const pad = 'x'.repeat(Math.max(0, bytes - ENVELOPE_BYTES - 24))
    const began = performance.now()
    let sent = 0
    while (sent < PACED) {
      const due = Math.min(PACED, ((performance.now() - began) / 1000) * PACE)
      for (; sent < due; sent++) {
        const at = performance.timeOrigin + performance.now()
        await this.#publisher.publish(this.#message(sent, { at, pad }))
      }
      await turn()
    }
    for (let before = -1; this.#heard > before && this.#heard < PACED; ) {
      before = this.#heard
      await pause(500)
      await this.#ask({})
    }
    const { latencies = [] } = await this.#ask({ latencies: true })
    return latencies.toSorted((a, b) => a - b)
  }

  async close(): Promise<void> {
    await this.#publisher.close()
    this.#child.disconnect()
    await new Promise((resolve) => this.#child.once('exit', resolve))
  }

  async #publish(count: number, payload: object): Promise<void> {
    for (let n = 0; n < count; n++) await this.#publisher.publish(this.#message(n, payload))
    await this.#publisher.flush()
    await pause(10)
  }

  async #reset(): Promise<void> {
    await pause(50)
    await this.#ask({})
    await this.#ask({ reset: true }, false)
    await this.#ask({})
  }

  async #all(messages: number): Promise<void> {
    const since = performance.now()
    while (this.#heard < messages) {
      if (performance.now() - since > PATIENCE) {
        throw new Error(`${messages - this.#heard} of ${messages} messages did not come`)
      }
      await this.#ask({})
    }
  }

  /** @param answered whether to wait for what is said next */
  async #ask(what: object, answered = true): Promise<Said> {
    const said = new Promise<Said>((resolve) => {
      this.#said = (one) => {
        if (!('latencies' in what) || one.latencies) resolve(one)
      }
    })
    this.#child.send(what)
    return answered ? said : {}
  }

  #message(n: number, payload: object) {
    const id = n.toString(16).padStart(32, '0')
    return { id, topic: 'bench.n', type: 'n', ts: 1_772_355_600.25, payload: { ...payload } }
  }
}
/** What is in an envelope besides what pads it. */
const ENVELOPE_BYTES = 122
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || !address) throw new Error('no port')
  return address.port
}

async function started(kind: Kind, address: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (kind === 'unix' && existsSync(address)) return
    if (kind === 'nats') {
      const peer = await openPeer(kind, address, 'probe').catch((error: Error) => error)
      if (!(peer instanceof Error)) return peer.close()
    }
    await pause(50)
  }
  throw new Error(`${kind} did not start`)
}

const at = (sorted: readonly number[], share: number): string =>
  `${(sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(2)} ms`

/** Nothing limits what is on its way at a fixed pace, so what cannot keep it loses some. */
const shown = (took: readonly number[]) => [
  at(took, 0.5),
  at(took, 0.99),
  (PACED - took.length).toLocaleString('en'),
]

await inScratch(async (folder) => {
  const socket = join(folder, 'bus.sock')
  const port = await freePort()
  const servers: ChildProcess[] = [
    spawn(join(root, 'bin/decnet'), ['bus', 'serve', '--socket', socket], { stdio: 'ignore' }),
  ]
  const addresses: { kind: Kind; address: string }[] = [{ kind: 'unix', address: socket }]
  if (NATS) {
    servers.push(spawn(NATS, ['-a', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' }))
    addresses.push({ kind: 'nats', address: `127.0.0.1:${port}` })
  } else process.stdout.write('  nats-server is not installed: no comparison\n')
  try {
    for (const { kind, address } of addresses) await started(kind, address)
    for (const { name, subscribers, bytes, messages } of LOADS) {
      if (!name.startsWith(WANTED)) continue
      row(name, 'ms', 'delivered/s', ...(subscribers === 1 ? ['p50', 'p99', 'lost'] : []))
      const benches = new Map<Kind, Bench>()
      for (const { kind, address } of addresses) {
        benches.set(kind, await Bench.open(kind, address, subscribers))
      }
      const times = new Map<Kind, number[]>()
      for (let round = -1; round < ROUNDS; round++) {
        for (const [kind, bench] of benches) {
          const ms = await bench.rate(messages, bytes)
          if (round >= 0) times.set(kind, [...(times.get(kind) ?? []), ms])
        }
      }
      for (const [kind, bench] of benches) {
        const ms = median(times.get(kind) ?? [])
        const rate = Math.round((messages * subscribers * 1000) / ms).toLocaleString('en')
        const took = subscribers === 1 ? await bench.latencies(bytes) : []
        row(`  ${kind}`, ms.toFixed(0), rate, ...(took.length ? shown(took) : []))
        await bench.close()
      }
      const [unix = [], nats] = [times.get('unix'), times.get('nats')]
      if (nats) goal(`  ${name}: rate of unix / nats`, pairedRatio(nats, unix), { least: 1 })
    }
  } finally {
    for (const server of servers) {
      const gone = new Promise((resolve) => server.once('exit', resolve))
      server.kill('SIGTERM')
      await gone
    }
  }
})
