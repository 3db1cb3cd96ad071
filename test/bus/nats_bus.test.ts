import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Bus, Durable, Place, Subscription } from '../../bus/bus.ts'
import type { Envelope, Message } from '../../bus/envelope.ts'
import { DEFAULT_RETENTION, type NatsSettings } from '../../bus/nats/settings.ts'
import { partitionOf, partOf } from '../../bus/nats/subject.ts'
import { natsBus } from '../../bus/nats_bus.ts'
import { hasNats, type NatsService, startNats } from '../services/nats.ts'

const present = hasNats()
let service: NatsService
beforeAll(async () => {
  if (present) service = await startNats()
})
afterAll(() => service?.stop())

const buses: Bus[] = []
afterEach(async () => {
  await Promise.all(buses.splice(0).map((bus) => bus.close()))
})

const log = { info: () => undefined, warn: () => undefined }
const settingsOf = (over: Partial<NatsSettings> = {}): NatsSettings => ({
  servers: [service.url],
  prefix: `t${randomBytes(6).toString('hex')}`,
  retention: DEFAULT_RETENTION,
  ...over,
})
function open(settings: NatsSettings): Bus {
  const bus = natsBus(settings, log, randomBytes(8).toString('hex'))
  buses.push(bus)
  return bus
}

const id = (n: number) => n.toString(16).padStart(32, '0')
const message = (n: number, topic = 'attacker.observed'): Message => ({
  id: id(n),
  topic,
  type: 'observed',
  ts: 1_772_355_601.123456,
  payload: { n },
})
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => from + n)

const durable = (over: Partial<Durable> = {}): Durable => ({
  name: 'ingest_news',
  onFull: () => undefined,
  ...over,
})

async function take(subscription: Subscription, count: number): Promise<Envelope[]> {
  const taken: Envelope[] = []
  while (taken.length < count) {
    const more = await subscription.take(count - taken.length)
    if (!more) break
    taken.push(...more)
  }
  return taken
}
const numbers = (envelopes: readonly Envelope[]) => envelopes.map(({ payload }) => payload.n)
const until = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Stores all of it, however often the server has to be asked. */
async function store(bus: Bus, messages: readonly Message[], parts?: readonly string[]) {
  const connection = await bus.connect('publisher')
  await until(async () => {
    try {
      await connection.store?.(messages, parts)
      return true
    } catch (error) {
      expect(error).toMatchObject({ code: 'BUS_UNAVAILABLE' })
      return false
    }
  })
}

async function listen(bus: Bus, over: Partial<Durable> = {}, patterns = ['attacker.>']) {
  const connection = await bus.connect('reader')
  return connection.subscribe(patterns, { durable: durable(over) })
}

describe.skipIf(!present)('the bus over NATS', () => {
  it('keeps what was stored before anybody listened, in order', async () => {
    const settings = settingsOf()
    await store(
      open(settings),
      range(0, 3000).map((n) => message(n)),
    )
    const reader = await listen(open(settings))
    const taken = await take(reader, 3000)
    expect(numbers(taken)).toEqual(range(0, 3000))
    expect(taken[7]).toEqual({ v: 1, ...message(7) })
  })

  it('gives again what was taken and not settled, and nothing else', async () => {
    const settings = settingsOf()
    await store(
      open(settings),
      range(0, 10).map((n) => message(n)),
    )
    const first = open(settings)
    const reader = await listen(first)
    await take(reader, 4)
    reader.settle?.(reader.place?.() as Place)
    await take(reader, 3)
    await first.close()
    expect(numbers(await take(await listen(open(settings)), 6))).toEqual(range(4, 10))
  })

  it('goes on from a place that is further than what the server knows to be settled', async () => {
    const settings = settingsOf()
    await store(
      open(settings),
      range(0, 10).map((n) => message(n)),
    )
    const reader = await listen(open(settings))
    await take(reader, 6)
    const from = reader.place?.() as Place
    expect(numbers(await take(await listen(open(settings), { from }), 4))).toEqual(range(6, 10))
  })

  it('begins anew where the stream is another than the place was in', async () => {
    const settings = settingsOf()
    await store(
      open(settings),
      range(0, 10).map((n) => message(n)),
    )
    const reader = await listen(open(settings))
    await take(reader, 10)
    const from = JSON.parse(JSON.stringify(reader.place?.()).replace(/"20\d\d-/g, '"1999-'))
    expect(numbers(await take(await listen(open(settings), { from }), 10))).toEqual(range(0, 10))
  })

  it('stores a repeat once, but one event on two topics twice', async () => {
    const settings = settingsOf()
    const bus = open(settings)
    const both = [message(1, 'attacker.observed'), message(1, 'attacker.scored')]
    await store(bus, both)
    await store(bus, [...both, message(2)])
    const taken = await take(await listen(bus), 3)
    expect(taken.map(({ topic, payload }) => [topic, payload.n])).toEqual([
      ['attacker.observed', 1],
      ['attacker.scored', 1],
      ['attacker.observed', 2],
    ])
  })

  it('leaves out what a peer of the same name has said, on any host, unless asked to echo', async () => {
    const settings = settingsOf()
    await store(open(settings), [message(1)])
    const other = await open(settings).connect('other')
    await other.publish(message(2))
    const own = await open(settings).connect('publisher')
    const reader = await own.subscribe(['attacker.>'], { durable: durable({ name: 'one' }) })
    expect(numbers(await take(reader, 1))).toEqual([2])
    const echoes = await own.subscribe(['attacker.>'], {
      durable: durable({ name: 'two' }),
      echo: true,
    })
    expect(numbers(await take(echoes, 2))).toEqual([1, 2])
  })

  it('reads several families by one subscription', async () => {
    const settings = settingsOf()
    const bus = open(settings)
    const topics = ['attacker.observed', 'credential.captured', 'decky.local:web-01.state']
    await store(
      bus,
      topics.map((topic, n) => message(n, topic)),
    )
    const taken = await take(
      await listen(bus, {}, ['*.observed', '*.captured', 'decky.*.state']),
      3,
    )
    expect(taken.map(({ topic }) => topic).toSorted()).toEqual(topics)
  })

  it('asks for room before the server stops, and reads on', async () => {
    const settings = settingsOf()
    const bus = open(settings)
    await store(
      bus,
      range(0, 20_000).map((n) => message(n)),
    )
    let asked = 0
    const reader = await listen(bus, {
      onFull: () => {
        asked += 1
        reader.settle?.(reader.place?.() as Place)
      },
    })
    expect(numbers(await take(reader, 20_000))).toEqual(range(0, 20_000))
    expect(asked).toBeGreaterThan(2)
    expect(asked).toBeLessThan(10)
  })

  it('is not held up by messages that nobody wants, however many', async () => {
    const settings = settingsOf()
    const bus = open(settings)
    await store(
      bus,
      range(0, 20_000).map((n) => message(n, 'attacker.scored')),
    )
    await store(bus, [message(1)])
    const reader = await listen(bus, {}, ['attacker.observed', 'attacker.session.ended'])
    expect(numbers(await take(reader, 1))).toEqual([1])
  })

  it('loses nothing and keeps the order when the server is killed meanwhile', async () => {
    const settings = settingsOf()
    const reading = open(settings)
    const writing = open(settings)
    const reader = await listen(reading)
    const sent = (async () => {
      for (let n = 0; n < 6000; n += 100) {
        await store(
          writing,
          range(n, n + 100).map((one) => message(one)),
        )
      }
    })()
    const seen: unknown[] = []
    for (const kills of [1, 2, 3]) {
      seen.push(...numbers(await take(reader, 700)))
      if (kills !== 2) reader.settle?.(reader.place?.() as Place)
      await service.kill()
      await service.start()
    }
    seen.push(...numbers(await take(reader, 6000 - seen.length)))
    await sent
    expect(seen).toEqual(range(0, 6000))
  }, 60_000)

  it('takes messages while the server is away, and sends them when it is back', async () => {
    const settings = settingsOf()
    await service.kill()
    const connection = await open(settings).connect('ingest')
    const warned: object[] = []
    const losing = natsBus(settings, { ...log, warn: (fields) => warned.push(fields) }, 'x')
    buses.push(losing)
    const other = await losing.connect('other')
    for (const n of range(0, 100)) await connection.publish(message(n))
    for (const n of range(0, 5000)) await other.publish(message(n, 'credential.captured'))
    await service.start()
    expect(numbers(await take(await listen(open(settings)), 100))).toEqual(range(0, 100))
    // The first had been taken out of the queue before it was full.
    const kept = await take(await listen(open(settings), {}, ['credential.>']), 1024)
    expect(kept.at(-1)?.payload.n).toBeLessThan(5000)
    await until(() => warned.some((fields) => 'lost' in fields))
    expect(warned.find((fields) => 'lost' in fields)).toMatchObject({ lost: 5000 - 1024 - 1 })
  })

  it('says at its end how many messages it could not send', async () => {
    await service.kill()
    const warned: object[] = []
    const bus = natsBus(settingsOf(), { ...log, warn: (fields) => warned.push(fields) }, 'x')
    const connection = await bus.connect('ingest')
    for (const n of range(0, 1500)) await connection.publish(message(n))
    await bus.close()
    await service.start()
    expect(warned.at(-1)).toMatchObject({ lost: 1500, lost_total: 1500 })
  })

  it('survives whatever else is published under its prefix', async () => {
    const settings = settingsOf()
    const bus = open(settings)
    await store(bus, [message(1)])
    const { connect } = await import('@nats-io/transport-node')
    const nc = await connect({ servers: service.url })
    const subject = `${settings.prefix}._.attacker.observed`
    const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`
    for (const text of ['text', '[]', '7', 'null', '{"a":', deep, '\u0000\u00ff']) {
      nc.publish(subject, text)
    }
    nc.publish(`${settings.prefix}._.attacker.d\u00e9`, '{}')
    nc.publish(`${settings.prefix}.attacker.observed`, '{}')
    nc.publish(`${settings.prefix}.7of16.attacker.observed`, '{"payload":{"n":2}}')
    nc.publish(subject, '{"v":9,"id":"zzz","topic":"evil.x","type":7,"payload":[1]}')
    await nc.flush()
    const reader = await listen(bus)
    const taken = await take(reader, 3)
    expect(taken.slice(1)).toMatchObject([
      { topic: 'attacker.observed', payload: { n: 2 }, type: '' },
      { v: 1, topic: 'attacker.observed', type: '7', payload: {} },
    ])
    const again = await take(await listen(open(settings), { name: 'again' }), 3)
    expect(again.map((one) => one.id)).toEqual(taken.map((one) => one.id))
    expect(reader.dropped).toBe(8)
    await nc.close()
  })

  it('refuses what it could not carry, and says why', async () => {
    const connection = await open(settingsOf()).connect('ingest')
    for (const topic of ['', 'a..b', 'a.*', 'a b', 'a\r\nPUB x', `a.${'b'.repeat(4000)}`]) {
      await expect(connection.publish({ ...message(1), topic })).rejects.toMatchObject({
        code: 'BUS_TOPIC',
      })
    }
    const large = { ...message(1), payload: { text: 'x'.repeat(2 ** 20) } }
    await expect(connection.publish(large)).rejects.toMatchObject({ code: 'BUS_TOO_LARGE' })
    await expect(connection.subscribe(['a..b'])).rejects.toMatchObject({ code: 'BUS_PATTERN' })
    await connection.close()
    await expect(connection.publish(message(1))).rejects.toMatchObject({ code: 'BUS_CLOSED' })
  })

  it('hears, without a durable name, what is said while it listens, once each', async () => {
    const settings = settingsOf()
    const bus = open(settings)
    await store(bus, [message(1)])
    const connection = await bus.connect('watcher')
    const reader = await connection.subscribe(['attacker.>', '*.observed'])
    await connection.publish(message(2))
    const twin = await open(settings).connect('watcher')
    await twin.publish(message(3))
    await store(bus, [message(4)])
    expect(numbers(await take(reader, 2)).toSorted()).toEqual([3, 4])
    reader.finish()
    expect(await reader.take(1)).toBeUndefined()
  })

  it('hears again, without being asked, after the server was away', async () => {
    const settings = settingsOf()
    const bus = open(settings)
    await store(bus, [message(1)])
    const reader = await (await bus.connect('watcher')).subscribe(['attacker.>'])
    await service.kill()
    await service.start()
    const heard = take(reader, 1)
    let over = false
    void heard.then(() => {
      over = true
    })
    for (let n = 2; !over; n++) await store(bus, [message(n)])
    expect(await heard).toHaveLength(1)
  })

  it('tells whoever only listens, and asks for it, that the server was away', async () => {
    const settings = settingsOf()
    const warned: string[] = []
    const bus = natsBus(settings, { ...log, warn: (_, text) => warned.push(text) }, 'x')
    buses.push(bus)
    const connection = await bus.connect('reader')
    const asks = await connection.subscribe(['attacker.>'], { reconnected: true })
    const asksNot = await connection.subscribe(['attacker.>'])
    await store(bus, [message(1)])
    // Nothing keeps for these what the server has not sent them when it dies.
    for (const one of [asks, asksNot]) expect(numbers(await take(one, 1))).toEqual([1])
    await service.kill()
    // One that comes while nobody is there has not missed less than the others.
    // It waits until the server is back.
    await until(() => warned.some((text) => text.includes('the bus is gone')))
    const joining = connection.subscribe(['attacker.>'], { reconnected: true })
    await service.start()
    const joins = await joining
    const [heard] = await take(asks, 1)
    expect(heard).toMatchObject({
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      topic: 'system.bus.reconnected',
      type: 'bus.reconnected',
      payload: { away_ms: expect.any(Number) },
    })
    expect(await take(joins, 1)).toMatchObject([{ topic: 'system.bus.reconnected' }])
    const late = await connection.subscribe(['attacker.>'], { reconnected: true })
    await store(bus, [message(2)])
    for (const one of [asks, joins, late]) expect(numbers(await take(one, 1))).toEqual([2])
    expect(numbers(await take(asksNot, 1))).toEqual([2])
  })

  it('does not tell a durable reader, who has missed nothing, until its stream is lost', async () => {
    const settings = settingsOf()
    const bus = open(settings)
    const connection = await bus.connect('reader')
    const listen = (reconnected: boolean, name: string) =>
      connection.subscribe(['attacker.>'], { durable: durable({ name }), reconnected })
    const [asks, asksNot] = [await listen(true, 'a'), await listen(false, 'b')]
    await store(bus, [message(1)])
    expect(numbers(await take(asks, 1))).toEqual([1])
    await service.kill()
    await service.start()
    await store(bus, [message(2)])
    expect(numbers(await take(asks, 1))).toEqual([2])
    expect(numbers(await take(asksNot, 2))).toEqual([1, 2])
    const place = asks.place?.()
    const { connect } = await import('@nats-io/transport-node')
    const { jetstreamManager } = await import('@nats-io/jetstream')
    const nc = await connect({ servers: `127.0.0.1:${service.port}` })
    await (await jetstreamManager(nc)).streams.delete(`${settings.prefix}_attacker`)
    await nc.close()
    await service.kill()
    await service.start()
    expect(await take(asks, 1)).toMatchObject([{ topic: 'system.bus.reconnected' }])
    await store(bus, [message(3)])
    expect(numbers(await take(asks, 1))).toEqual([3])
    expect(numbers(await take(asksNot, 1))).toEqual([3])
    // The same for one that was not running meanwhile.
    const next = await (await open(settings).connect('reader')).subscribe(['attacker.>'], {
      durable: durable({ name: 'a', ...(place && { from: place }) }),
      reconnected: true,
    })
    expect(await take(next, 1)).toMatchObject([{ topic: 'system.bus.reconnected' }])
  })

  it('spreads parts over those who share them, keeps each key in order, and spreads anew', async () => {
    const settings = settingsOf()
    const writing = open(settings)
    const seen = new Map<string, unknown[]>()
    const read = (bus: Bus, who: string, counts: Record<string, number>) => {
      return listen(bus, { partitions: 4 }).then(async (reader) => {
        for (let some = await reader.take(5); some; some = await reader.take(5)) {
          // So slowly that something waits in its queue when it has to give a part away.
          await new Promise((resolve) => setTimeout(resolve, 10))
          counts[who] = (counts[who] ?? 0) + some.length
          for (const { payload } of some) {
            const known = seen.get(payload.key as string) ?? []
            if (!known.includes(payload.n)) seen.set(payload.key as string, [...known, payload.n])
          }
          reader.settle?.(reader.place?.() as Place)
        }
      })
    }
    let sent = 0
    const send = async (count: number) => {
      const messages = range(sent, sent + count).map((n) => ({
        ...message(n),
        payload: { n, key: `key ${n % 40}` },
      }))
      sent += count
      const parts = messages.map(({ payload }) => partOf(partitionOf(payload.key, 4), 4))
      await store(writing, messages, parts)
    }
    const counts: Record<string, number> = {}
    const [a, b] = [open(settings), open(settings)]
    void read(a, 'a', counts)
    await send(400)
    await until(() => (counts.a ?? 0) > 10)
    void read(b, 'b', counts)
    // There is always something to take, until the second one has its share.
    await until(async () => {
      if (sent - [...seen.values()].flat().length < 200) await send(200)
      return (counts.b ?? 0) > 50
    })
    await a.close()
    await send(400)
    await until(() => [...seen.values()].flat().length >= sent)
    const all = [...seen.values()].flat()
    // What was taken and not settled in the moment the first one ended came again.
    expect((counts.a ?? 0) + (counts.b ?? 0)).toBeLessThan(sent + 10)
    expect(all.toSorted((x, y) => Number(x) - Number(y))).toEqual(range(0, sent))
    for (const order of seen.values()) {
      expect(order).toEqual([...order].sort((x, y) => Number(x) - Number(y)))
    }
  }, 60_000)
})
