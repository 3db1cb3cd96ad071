import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { environment, firstToken, port, start, startApi, url } from '../cli/api_process.ts'
import { decnet } from '../cli/decnet.ts'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'
import { openStream, type StreamClient } from '../web/api/stream_client.ts'
import { Member, narrate } from './stream_crowd.ts'

/** Clients that all come back at once. */
const CROWD = Number(process.env.DECNET_LONG_CLIENTS ?? 500)
/** Until a checkpoint has been written, and some more is on top of it, ms. */
const A_WHILE = 3500

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** The API with a crowd at it, ended and started again twice while somebody talks on the bus. */
async function endTwice(env: Record<string, string>, signal: NodeJS.Signals) {
  let api = await startApi(env)
  const token = await firstToken(/password ([0-9a-f]{32}):/.exec(api.stdout())?.[1] ?? '')
  const crowd = Array.from(
    { length: CROWD },
    () => new Member(url(`/identities/events?token=${token}`)),
  )
  const everyone = (connections: number) =>
    expect
      .poll(() => crowd.filter((one) => one.connections < connections).length, { timeout: 60_000 })
      .toBe(0)
  await everyone(1)
  await expect.poll(() => crowd.every(({ others }) => others.includes('snapshot'))).toBe(true)
  const narrator = await narrate(env)
  for (let restart = 1; restart <= 2; restart++) {
    await pause(A_WHILE)
    api.child.kill(signal)
    await api.exited
    await pause(500)
    api = await startApi(env)
    await everyone(restart + 1)
  }
  await pause(A_WHILE)
  const said = await narrator.stop()
  await expect
    .poll(() => crowd.filter(({ numbers }) => numbers.at(-1) !== said).length, { timeout: 60_000 })
    .toBe(0)
  for (const one of crowd) one.close()
  api.child.kill('SIGTERM')
  await api.exited
  return { crowd, said }
}

const words = ({ events }: StreamClient) => events.map(({ type }) => type)
const numbers = ({ events }: StreamClient) =>
  events.filter(({ type }) => type === 'formed').map(({ data }) => JSON.parse(data).payload.n)

const say = (env: object, from: number, to: number) => {
  for (let n = from; n <= to; n++) {
    expect(decnet(['bus', 'publish', 'identity.formed', JSON.stringify({ n })], { env }).code).toBe(
      0,
    )
  }
}

describe.skipIf(!hasNats())('over NATS', () => {
  let nats: NatsService
  beforeAll(async () => {
    nats = await startNats()
  })
  afterAll(() => nats.stop())

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    `each of ${CROWD} clients gets all events once when the API is ended by %s, twice`,
    async (signal) => {
      const { crowd, said } = await endTwice(
        environment({
          DECNET_BUS_TYPE: 'nats',
          DECNET_NATS_URL: nats.url,
          DECNET_NATS_PREFIX: `p${port}`,
          DECNET_SSE_MAX_PER_USER: '10000',
        }),
        signal,
      )
      const all = Array.from({ length: said }, (_, index) => index + 1)
      for (const { numbers, others } of crowd) {
        expect(numbers).toEqual(all)
        expect(others).toEqual(['snapshot'])
      }
    },
    180_000,
  )

  it.each(['SIGTERM', 'SIGKILL'] as const)(
    'clients lose nothing when the API is ended by %s and started again',
    async (signal) => {
      const env = environment({
        DECNET_BUS_TYPE: 'nats',
        DECNET_NATS_URL: nats.url,
        DECNET_NATS_PREFIX: `p${port}`,
      })
      const first = await startApi(env)
      const token = await firstToken(/password ([0-9a-f]{32}):/.exec(first.stdout())?.[1] ?? '')
      const before = await openStream(url(`/identities/events?token=${token}`))
      say(env, 1, 3)
      await expect.poll(() => numbers(before), { timeout: 10_000 }).toEqual([1, 2, 3])
      first.child.kill(signal)
      await first.exited
      say(env, 4, 5)
      const second = await startApi(env)
      const last = before.events.at(-1)?.lastEventId ?? ''
      const early = before.events[1]?.lastEventId ?? ''
      expect(last).toMatch(/^[0-9a-f]{16}-3$/)
      const after = await openStream(url(`/identities/events?token=${token}`), {
        'last-event-id': last,
      })
      const behind = await openStream(url(`/identities/events?token=${token}`), {
        'last-event-id': early,
      })
      await expect.poll(() => numbers(after), { timeout: 20_000 }).toEqual([4, 5])
      await expect.poll(() => numbers(behind), { timeout: 20_000 }).toEqual([2, 3, 4, 5])
      expect([...words(after), ...words(behind)]).not.toContain('gap')
      say(env, 6, 6)
      await expect.poll(() => numbers(after), { timeout: 10_000 }).toEqual([4, 5, 6])
      second.child.kill('SIGTERM')
      await second.exited
    },
    120_000,
  )
})

it.each(['SIGTERM', 'SIGKILL'] as const)(
  `on the bus of one host, each of ${CROWD} clients is told of a gap when the API is ended by %s, twice`,
  async (signal) => {
    const env = environment({ DECNET_SSE_MAX_PER_USER: '10000' })
    const broker = start(['bus', 'serve'], env)
    await expect.poll(() => existsSync(env.DECNET_BUS_SOCKET), { timeout: 20_000 }).toBe(true)
    const { crowd, said } = await endTwice(env, signal)
    for (const { numbers, others, gaps } of crowd) {
      expect(others).toEqual(['snapshot', 'gap', 'snapshot', 'gap', 'snapshot'])
      expect(gaps).toEqual([null, null])
      // What was said in between is gone; nothing comes twice, or late.
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b))
      expect(numbers.length).toBeGreaterThan(said / 4)
    }
    broker.child.kill('SIGTERM')
    await broker.exited
  },
  180_000,
)

it('on the bus of one host, clients are told of a gap when the API is started again', async () => {
  const env = environment()
  const broker = start(['bus', 'serve'], env)
  const first = await startApi(env)
  const token = await firstToken(/password ([0-9a-f]{32}):/.exec(first.stdout())?.[1] ?? '')
  const before = await openStream(url(`/identities/events?token=${token}`))
  const mine = { headers: { authorization: `Bearer ${token}` } }
  await expect
    .poll(
      async () =>
        ((await (await fetch(url('/workers'), mine)).json()) as { bus_connected: boolean })
          .bus_connected,
      { timeout: 20_000 },
    )
    .toBe(true)
  say(env, 1, 2)
  await expect.poll(() => numbers(before), { timeout: 10_000 }).toEqual([1, 2])
  first.child.kill('SIGTERM')
  await first.exited
  const second = await startApi(env)
  const last = before.events.at(-1)?.lastEventId ?? ''
  const after = await openStream(url(`/identities/events?token=${token}`), {
    'last-event-id': last,
  })
  await expect.poll(() => words(after), { timeout: 10_000 }).toEqual(['gap', 'snapshot'])
  expect(after.events[0]?.data).toBe('{"missed":null}')
  // The broker goes and comes back; the stream stays open and goes on.
  broker.child.kill('SIGTERM')
  await broker.exited
  start(['bus', 'serve'], env)
  await expect
    .poll(
      () => {
        decnet(['bus', 'publish', 'identity.formed', '{"n":9}'], { env })
        return numbers(after).includes(9)
      },
      { timeout: 40_000, interval: 500 },
    )
    .toBe(true)
  expect(after.ended()).toBe(false)
  second.child.kill('SIGTERM')
  await second.exited
}, 120_000)
