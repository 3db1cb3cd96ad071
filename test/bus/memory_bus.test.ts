import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Subscription } from '../../bus/bus.ts'
import type { Message } from '../../bus/envelope.ts'
import { memoryBus } from '../../bus/memory_bus.ts'

const message = (n: number, topic = 'a.b', extra = {}): Message => ({
  id: n.toString(16).padStart(32, '0'),
  topic,
  type: 't',
  ts: n,
  payload: { n, ...extra },
})
const numbers = async (subscription: Subscription, limit = 100) =>
  (await subscription.take(limit))?.map(({ payload }) => payload.n)

/** Whether a promise is settled once everything that can run now has run. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  let settled = false
  void promise.finally(() => {
    settled = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  return settled
}

async function pair() {
  const bus = memoryBus()
  return { bus, reader: await bus.connect('reader'), writer: await bus.connect('writer') }
}

describe('the bus in memory', () => {
  it('delivers what was published, with version 1', async () => {
    const { reader, writer } = await pair()
    const subscription = await reader.subscribe(['a.>'])
    await writer.publish(message(1))
    expect(await subscription.take(10)).toEqual([{ v: 1, ...message(1) }])
  })

  it('delivers once however many patterns of a subscription match, and to each subscription', async () => {
    const { reader, writer } = await pair()
    const one = await reader.subscribe(['a.>', 'a.b', '*.b'])
    const two = await reader.subscribe(['a.b'])
    const other = await reader.subscribe(['c.*'])
    await writer.publish(message(1))
    expect(await numbers(one)).toEqual([1])
    expect(await numbers(two)).toEqual([1])
    other.finish()
    expect(await numbers(other)).toBeUndefined()
  })

  it('returns nothing to a peer that published it, unless it asks for the echo', async () => {
    const { bus, reader } = await pair()
    const silent = await reader.subscribe(['a.b'])
    const echoed = await reader.subscribe(['a.b'], { echo: true })
    const sameName = await bus.connect('reader')
    await sameName.publish(message(1))
    expect(await numbers(echoed)).toEqual([1])
    silent.finish()
    expect(await numbers(silent)).toBeUndefined()
  })

  it('loses the oldest when a queue of 2 gets five, and says how many', async () => {
    const { reader, writer } = await pair()
    const subscription = await reader.subscribe(['a.b'], { maxMessages: 2 })
    for (let n = 0; n < 5; n += 1) await writer.publish(message(n))
    expect(subscription.dropped).toBe(3)
    // closing with a full queue still ends the iterator
    await reader.close()
    const seen: unknown[] = []
    for await (const { payload } of subscription) seen.push(payload.n)
    expect(seen).toEqual([3, 4])
  })

  it('holds the newest 1024 where nothing else is said', async () => {
    const { reader, writer } = await pair()
    const subscription = await reader.subscribe(['a.b'])
    for (let n = 0; n < 5000; n += 1) await writer.publish(message(n))
    const held = (await numbers(subscription, 5000)) ?? []
    expect([held.length, held[0], held.at(-1)]).toEqual([1024, 3976, 4999])
  })

  it('bounds the bytes of a queue too, and always lets one message in', async () => {
    const { reader, writer } = await pair()
    const subscription = await reader.subscribe(['a.b'], { maxBytes: 2500 })
    const text = 'x'.repeat(1000)
    for (let n = 0; n < 4; n += 1) await writer.publish(message(n, 'a.b', { text }))
    expect(await numbers(subscription)).toEqual([2, 3])
    await writer.publish(message(9, 'a.b', { text: 'x'.repeat(5000) }))
    expect(await numbers(subscription)).toEqual([9])
  })

  it('lets a publisher wait for a reader that wants everything', async () => {
    const { reader, writer } = await pair()
    const subscription = await reader.subscribe(['a.b'], { maxMessages: 2, overflow: 'block' })
    await writer.publish(message(0))
    await writer.publish(message(1))
    const third = writer.publish(message(2))
    const fourth = writer.publish(message(3))
    expect(await isSettled(third)).toBe(false)
    expect(await numbers(subscription, 1)).toEqual([0])
    expect(await isSettled(third)).toBe(true)
    expect(await isSettled(fourth)).toBe(false)
    expect(await numbers(subscription)).toEqual([1, 2])
    await fourth
    expect(await numbers(subscription)).toEqual([3])
    expect(subscription.dropped).toBe(0)
  })

  it('keeps no publisher waiting for a reader that has gone', async () => {
    const { reader, writer } = await pair()
    const subscription = await reader.subscribe(['a.b'], { maxMessages: 1, overflow: 'block' })
    await writer.publish(message(0))
    const waiting = writer.publish(message(1))
    subscription.close()
    await waiting
    expect(await subscription.take(1)).toBeUndefined()
    await writer.publish(message(2))
  })

  it('does not let a peer wait for itself', async () => {
    const { reader } = await pair()
    const options = { maxMessages: 1, overflow: 'block', echo: true } as const
    const subscription = await reader.subscribe(['a.b'], options)
    await reader.publish(message(0))
    await reader.publish(message(1))
    expect(await numbers(subscription)).toEqual([1])
    expect(subscription.dropped).toBe(1)
  })

  it('finishes a subscription: what has come in can be read, then it ends, and nothing more comes', async () => {
    const { reader, writer } = await pair()
    const options = { maxMessages: 1, overflow: 'block' } as const
    const subscription = await reader.subscribe(['a.b'], options)
    await writer.publish(message(0))
    const waiting = writer.publish(message(1))
    subscription.finish()
    await waiting
    await writer.publish(message(2))
    expect(await numbers(subscription)).toEqual([0, 1])
    expect(await numbers(subscription)).toBeUndefined()
  })

  it('keeps nothing for a reader that has left its loop', async () => {
    const { reader, writer } = await pair()
    const subscription = await reader.subscribe(['a.b'], { maxMessages: 1, overflow: 'block' })
    await writer.publish(message(0))
    for await (const { payload } of subscription) {
      expect(payload.n).toBe(0)
      break
    }
    await writer.publish(message(1))
    await writer.publish(message(2))
    expect(await subscription.take(1)).toBeUndefined()
  })

  it('wakes a reader that waits when it ends', async () => {
    const { bus, reader } = await pair()
    const waiting = (await reader.subscribe(['a.b'])).take(1)
    await bus.close()
    expect(await waiting).toBeUndefined()
  })

  it('refuses what it cannot carry', async () => {
    const { reader, writer } = await pair()
    const refused = (code: string) => expect.objectContaining({ name: 'BusError', code })
    await expect(writer.publish(message(0, 'a.*'))).rejects.toEqual(refused('BUS_TOPIC'))
    await expect(writer.publish(message(0, 'a..b'))).rejects.toEqual(refused('BUS_TOPIC'))
    await expect(reader.subscribe(['a.b', 'a..b'])).rejects.toEqual(refused('BUS_PATTERN'))
    const huge = message(0, 'a.b', { text: 'x'.repeat(2 ** 20) })
    await expect(writer.publish(huge)).rejects.toEqual(refused('BUS_TOO_LARGE'))
    const deep = message(0, 'a.b', { deep: JSON.parse('['.repeat(9999) + ']'.repeat(9999)) })
    await expect(writer.publish(deep)).rejects.toEqual(refused('BUS_TOO_LARGE'))
  })

  it('refuses everything after it was closed, and may be closed again', async () => {
    const { bus, reader, writer } = await pair()
    await reader.close()
    await reader.close()
    await expect(reader.publish(message(0))).rejects.toThrow(/closed/)
    await writer.publish(message(0))
    await bus.close()
    await bus.close()
    await expect(writer.publish(message(0))).rejects.toThrow(/closed/)
    await expect(writer.subscribe(['a.b'])).rejects.toThrow(/closed/)
  })

  it('keeps the order of each publisher under any mix of publishing and taking', async () => {
    const steps = fc.array(fc.oneof(fc.constantFrom('x', 'y'), fc.integer({ min: 1, max: 4 })), {
      maxLength: 60,
    })
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (plan, maxMessages) => {
        const { bus, reader } = await pair()
        const peers = { x: await bus.connect('x'), y: await bus.connect('y') }
        const options = { maxMessages, overflow: 'block' } as const
        const subscription = await reader.subscribe(['a.*'], options)
        const sent: Record<string, number[]> = { x: [], y: [] }
        const seen: Record<string, unknown[]> = { x: [], y: [] }
        const publishing: Promise<void>[] = []
        let held = 0
        const take = async (limit: number) => {
          for (const { topic, payload } of (await subscription.take(limit)) ?? []) {
            seen[topic.slice(2)]?.push(payload.n)
            held -= 1
          }
        }
        for (const [n, step] of plan.entries()) {
          if (typeof step === 'number') {
            if (held > 0) await take(step)
            continue
          }
          sent[step]?.push(n)
          held += 1
          publishing.push(peers[step as 'x' | 'y'].publish(message(n, `a.${step}`)))
        }
        while (held > 0) await take(3)
        await Promise.all(publishing)
        expect(seen).toEqual(sent)
      }),
    )
  })
})
