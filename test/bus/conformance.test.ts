import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Bus, BusConnection, Subscription } from '../../bus/bus.ts'
import type { Message } from '../../bus/envelope.ts'
import { memoryBus } from '../../bus/memory_bus.ts'
import { DEFAULT_RETENTION } from '../../bus/nats/settings.ts'
import { natsBus } from '../../bus/nats_bus.ts'
import { unixBus } from '../../bus/unix_bus.ts'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'
import { startBroker } from './broker.ts'

const message = (n: number, topic = 'a.b', extra = {}): Message => ({
  id: n.toString(16).padStart(32, '0'),
  topic,
  type: 't',
  ts: n + 0.25,
  payload: { n, ...extra },
})
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** What a transport promises beyond what all do. */
interface Promises {
  /** whether processes that share no memory reach each other */
  readonly betweenProcesses: boolean
  /** whether a publisher can be made to wait by a reader that is slow */
  readonly readersHoldBack: boolean
}

interface Transport {
  readonly promises: Promises
  /** A bus as one process has it. */
  process(): Promise<Bus>
  /** Returns once what has been asked for is known everywhere. */
  settle(subscription: Subscription, topic: string): Promise<void>
  close(): Promise<void>
}

async function memory(): Promise<Transport> {
  const bus = memoryBus()
  return {
    promises: { betweenProcesses: false, readersHoldBack: true },
    process: async () => bus,
    settle: async () => undefined,
    close: () => bus.close(),
  }
}

async function unix(): Promise<Transport> {
  const host = await startBroker()
  const buses: Bus[] = []
  let minted = 0
  return {
    promises: { betweenProcesses: true, readersHoldBack: false },
    async process() {
      const bus = unixBus({
        path: () => host.path,
        name: 'test',
        clock: { live: true, now: () => 1000 },
        nextId: () => (minted++).toString(16).padStart(32, 'f'),
        log: silent,
      })
      buses.push(bus)
      return bus
    },
    // SUB has no answer: messages are sent until one is heard.
    async settle(subscription, topic) {
      const other = host.peer()
      const probe = setInterval(() => other.say('PUB', topic), 2)
      await subscription.take(1)
      clearInterval(probe)
      const last = { payload: { last: true } }
      other.say('PUB', topic, last)
      for (;;) {
        const heard = await subscription.take(100)
        if (!heard || heard.some(({ payload }) => payload.last)) break
      }
      other.say('BYE', '')
      await other.closed
    },
    async close() {
      for (const bus of buses) await bus.close()
      await host.close()
    },
  }
}

const nats = hasNats()
let server: NatsService | undefined
let prefixes = 0
async function overNats(): Promise<Transport> {
  server ??= await startNats()
  const settings = {
    servers: [server.url],
    prefix: `t${prefixes++}`,
    retention: DEFAULT_RETENTION,
  }
  const buses: Bus[] = []
  const process = async () => {
    const bus = natsBus(settings, silent, `process ${buses.length}`)
    buses.push(bus)
    return bus
  }
  const probe = await (await process()).connect('probe')
  return {
    promises: { betweenProcesses: true, readersHoldBack: false },
    process,
    // A bus connects in the background: messages are stored until one is heard.
    async settle(subscription, topic) {
      let heard = false
      const first = subscription.take(1).then(() => {
        heard = true
      })
      for (let n = 1; !heard; n++) {
        await probe.store?.([message(n, topic)]).catch(notYet)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
      await first
      await probe.store?.([message(0, topic, { last: true })])
      for (;;) {
        const taken = await subscription.take(100)
        if (!taken || taken.some(({ payload }) => payload.last)) break
      }
    },
    async close() {
      for (const bus of buses) await bus.close()
    },
  }
}
afterAll(() => server?.stop())

function notYet(error: unknown): void {
  expect(error).toMatchObject({ code: 'BUS_UNAVAILABLE' })
}

const numbers = async (subscription: Subscription, count: number): Promise<unknown[]> => {
  const found: unknown[] = []
  while (found.length < count) {
    const taken = await subscription.take(count - found.length)
    if (!taken) break
    found.push(...taken.map(({ payload }) => payload.n))
  }
  return found
}

describe.each([
  ['memory', memory],
  ['unix', unix],
  ...(nats ? [['nats', overNats] as const] : []),
] as const)('the bus by %s', (_name, make) => {
  let transport: Transport
  let reader: BusConnection
  let writer: BusConnection
  beforeEach(async () => {
    transport = await make()
    reader = await (await transport.process()).connect('reader')
    writer = await (await transport.process()).connect('writer')
  })
  afterEach(() => transport.close())

  let asked = 0
  async function listen(
    patterns: readonly string[],
    options?: Parameters<BusConnection['subscribe']>[1],
  ): Promise<Subscription> {
    const topic = `test.ready-${asked++}`
    const subscription = await reader.subscribe([...patterns, topic], options)
    await transport.settle(subscription, topic)
    return subscription
  }

  it('delivers what was published, whole', async () => {
    const subscription = await listen(['a.>'])
    const payload = { é: ['🦑', { deep: null }], big: '9'.repeat(20), type: 'x' }
    await writer.publish({ ...message(1), payload })
    expect(await subscription.take(10)).toEqual([{ v: 1, ...message(1), payload }])
  })

  it('keeps the order of each publisher', async () => {
    const subscription = await listen(['a.*'])
    for (let n = 0; n < 500; n++) await writer.publish(message(n))
    expect(await numbers(subscription, 500)).toEqual(Array.from({ length: 500 }, (_, n) => n))
    expect(subscription.dropped).toBe(0)
  })

  it('delivers once however many patterns match, and to each subscription', async () => {
    const one = await listen(['a.>', 'a.b', '*.b'])
    const two = await listen(['a.b'])
    const other = await listen(['c.*'])
    await writer.publish(message(1))
    await writer.publish(message(2))
    await writer.publish(message(3, 'c.d'))
    expect(await numbers(one, 2)).toEqual([1, 2])
    expect(await numbers(two, 2)).toEqual([1, 2])
    expect(await numbers(other, 1)).toEqual([3])
  })

  it('returns nothing to the peer that published it, unless it asks for the echo, once', async () => {
    const silentOne = await listen(['a.b'])
    const echoed = await listen(['a.b'], { echo: true })
    await reader.publish(message(1))
    await writer.publish(message(2))
    // In the order of each publisher, and there are two.
    expect((await numbers(echoed, 2)).toSorted()).toEqual([1, 2])
    expect(await numbers(silentOne, 1)).toEqual([2])
  })

  it('reaches other peers of the same process', async () => {
    const bus = await transport.process()
    const near = await bus.connect('near')
    const subscription = await near.subscribe(['a.b'])
    await (await bus.connect('other')).publish(message(1))
    expect(await numbers(subscription, 1)).toEqual([1])
  })

  it('ends a subscription at once, full or not, and hears no more of it', async () => {
    const subscription = await listen(['a.b'], { maxMessages: 2 })
    const another = await listen(['a.>'])
    await writer.publish(message(1))
    expect(await numbers(another, 1)).toEqual([1])
    subscription.close()
    expect(await subscription.take(1)).toBeUndefined()
    await writer.publish(message(2))
    expect(await numbers(another, 1)).toEqual([2])
  })

  it('drops the oldest where a reader is slow, and counts them', async () => {
    const subscription = await listen(['a.b'], { maxMessages: 2, overflow: 'drop_oldest' })
    const last = await listen(['a.b'])
    for (let n = 0; n < 5; n++) await writer.publish(message(n))
    expect(await numbers(last, 5)).toEqual([0, 1, 2, 3, 4])
    expect(await numbers(subscription, 2)).toEqual([3, 4])
    expect(subscription.dropped).toBe(3)
  })

  it('lets a reader hold back its publisher only where they share memory', async () => {
    const subscription = await listen(['a.b'], { maxMessages: 2, overflow: 'block' })
    const last = await listen(['a.b'])
    const published = (async () => {
      for (let n = 0; n < 5; n++) await writer.publish(message(n))
    })()
    if (transport.promises.readersHoldBack) {
      const all = [...(await numbers(subscription, 2)), ...(await numbers(subscription, 3))]
      expect(all).toEqual([0, 1, 2, 3, 4])
      await published
      expect(subscription.dropped).toBe(0)
    } else {
      await published
      expect(await numbers(last, 5)).toEqual([0, 1, 2, 3, 4])
      expect(await numbers(subscription, 2)).toEqual([3, 4])
    }
  })

  it('refuses what no topic, no pattern and no message is', async () => {
    await expect(writer.publish(message(1, 'a..b'))).rejects.toMatchObject({ code: 'BUS_TOPIC' })
    await expect(writer.publish(message(1, 'a.*'))).rejects.toMatchObject({ code: 'BUS_TOPIC' })
    await expect(reader.subscribe(['a b'])).rejects.toMatchObject({ code: 'BUS_PATTERN' })
    const large = message(1, 'a.b', { x: 'x'.repeat(1_048_576) })
    await expect(writer.publish(large)).rejects.toMatchObject({ code: 'BUS_TOO_LARGE' })
  })

  it('refuses everything once it is closed, as often as that is said', async () => {
    const bus = await transport.process()
    const connection = await bus.connect('x')
    const subscription = await connection.subscribe(['a.b'])
    await bus.close()
    await bus.close()
    expect(await subscription.take(1)).toBeUndefined()
    await expect(connection.publish(message(1))).rejects.toMatchObject({ code: 'BUS_CLOSED' })
    await expect(connection.subscribe(['a'])).rejects.toMatchObject({ code: 'BUS_CLOSED' })
  })
})
