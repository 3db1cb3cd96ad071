import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { environment, firstToken, port, start, startApi, url } from '../cli/api_process.ts'
import { decnet } from '../cli/decnet.ts'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'
import { openStream, type StreamClient } from '../web/api/stream_client.ts'

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
