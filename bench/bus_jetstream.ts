/**
 * The bus over NATS against a bare loop with the JetStream client, one publisher and one durable
 * consumer in this process: messages of 150 bytes that are stored with an id, read, decoded and
 * acknowledged. The loop acknowledges each message or, as the bus does, one for all before it. What the
 * bus does more is to keep order over a lost connection, to leave out its own, and to take in nothing
 * that is no message.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import type { BusConnection, Subscription } from '../bus/bus.ts'
import type { Envelope } from '../bus/envelope.ts'
import { openBus } from '../bus/open_bus.ts'
import { freshEpoch, liveClock } from '../engine/clock.ts'
import { type Contender, inScratch, median, pairedRatio, rounds, row } from './_measure.ts'

const ROUNDS = Number(process.env.DECNET_BENCH_ROUNDS ?? 5)
const MESSAGES = 20_000
const BYTES = 150
/** What is in an envelope besides what pads it. */
const ENVELOPE_BYTES = 116
/** Messages that wait for the server at once, and that are acknowledged at once. */
const WINDOW = 512
const NATS = ['/usr/sbin/nats-server', '/usr/bin/nats-server'].find(existsSync)
const PORT = 14_222
const ADDRESS = `127.0.0.1:${PORT}`

let made = 0
/** No id comes twice: a stream keeps no repeat. */
const envelopes = (): Envelope[] =>
  Array.from({ length: MESSAGES }, () => ({
    v: 1,
    id: (made++).toString(16).padStart(32, '0'),
    topic: 'bench.n',
    type: 'n',
    ts: 1_772_355_600.25,
    payload: { pad: 'x'.repeat(BYTES - ENVELOPE_BYTES) },
  }))

/** @returns ms until all of a round was published and acknowledged */
async function timed(work: (messages: readonly Envelope[]) => Promise<unknown>): Promise<number> {
  const messages = envelopes()
  const began = performance.now()
  await work(messages)
  return performance.now() - began
}

async function ours(publisher: BusConnection, reader: Subscription): Promise<Contender> {
  const publish = async (messages: readonly Envelope[]) => {
    for (let at = 0; at < MESSAGES; at += WINDOW) {
      await publisher.store?.(messages.slice(at, at + WINDOW))
    }
  }
  const read = async () => {
    for (let taken = 0; taken < MESSAGES; ) {
      taken += (await reader.take(WINDOW))?.length ?? Number.NaN
      const place = reader.place?.()
      if (place) reader.settle?.(place)
    }
  }
  return () => timed((messages) => Promise.all([publish(messages), read()]))
}

/** @param ended resolves when it is to read no more */
async function bare(
  nc: NatsConnection,
  ack: 'explicit' | 'all',
  ended: Promise<void>,
): Promise<Contender> {
  const jsm = await jetstreamManager(nc)
  const js = jetstream(nc)
  const stream = `bare_${ack}`
  await jsm.streams.add({ name: stream, subjects: [`${stream}.>`] })
  await jsm.consumers.add(stream, {
    ...{ durable_name: 'reader', ack_policy: ack, max_ack_pending: 8192 },
  })
  const messages = await (await js.consumers.get(stream, 'reader')).consume({ max_messages: 1024 })
  void ended.then(() => messages.close())
  const iterator = messages[Symbol.asyncIterator]()
  const publish = async (round: readonly Envelope[]) => {
    const waiting: Promise<unknown>[] = []
    for (const envelope of round) {
      if (waiting.length >= WINDOW) await waiting.shift()
      const data = JSON.stringify(envelope)
      waiting.push(js.publish(`${stream}.${envelope.topic}`, data, { msgID: envelope.id }))
    }
    await Promise.all(waiting)
  }
  const read = async () => {
    for (let taken = 1; taken <= MESSAGES; taken++) {
      const { value } = await iterator.next()
      value.json()
      if (ack === 'explicit' || taken % WINDOW === 0 || taken === MESSAGES) value.ack()
    }
  }
  return () => timed((round) => Promise.all([publish(round), read()]))
}

async function started(): Promise<NatsConnection> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const nc = await connect({ servers: ADDRESS }).catch((error: Error) => error)
    if (!(nc instanceof Error)) return nc
    await pause(50)
  }
  throw new Error('nats-server did not start')
}

async function measure(nc: NatsConnection): Promise<void> {
  const silent = () => undefined
  const log = { debug: silent, info: silent, warn: silent, error: silent }
  const env = { DECNET_BUS_TYPE: 'nats', DECNET_NATS_URL: `nats://${ADDRESS}` }
  const bus = await openBus(env, { name: 'bench', clock: liveClock, log })
  const publisher = await bus.connect('publisher')
  const reader = await (await bus.connect('reader')).subscribe(['bench.n'], {
    durable: { name: `reader_${freshEpoch()}`, onFull: silent },
  })
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const contenders = {
    decnet: await ours(publisher, reader),
    'bare, an ack for each': await bare(nc, 'explicit', ended),
    'bare, an ack for 512': await bare(nc, 'all', ended),
  }
  // The bus connects in the background.
  await pause(500)
  const times = await rounds(contenders, { count: ROUNDS, warmUp: 1 })
  row('median of rounds', 'ms', 'messages/s')
  for (const [name, values] of times) {
    const ms = median(values)
    row(name, ms.toFixed(0), Math.round((MESSAGES / ms) * 1000).toLocaleString('en'))
  }
  const { decnet = [], ...loops } = Object.fromEntries(times)
  for (const [name, values] of Object.entries(loops)) {
    row(`rate of decnet / ${name}`, pairedRatio(values, decnet).toFixed(2))
  }
  end()
  await bus.close()
}

if (!NATS) process.stdout.write('  nats-server is not installed: no comparison\n')
else {
  const server = NATS
  await inScratch(async (folder) => {
    const options = ['-a', '127.0.0.1', '-p', String(PORT), '-js', '-sd', join(folder, 'data')]
    const child = spawn(server, options, { stdio: 'ignore' })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    try {
      const nc = await started()
      await measure(nc)
      await nc.close()
    } finally {
      child.kill('SIGTERM')
      await gone
    }
  })
}
