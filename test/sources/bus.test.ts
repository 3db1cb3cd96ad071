import { describe, expect, it } from 'vitest'
import type { Bus } from '../../bus/bus.ts'
import type { Message } from '../../bus/envelope.ts'
import { memoryBus } from '../../bus/memory_bus.ts'
import type { Chunk, Context, Draft } from '../../engine/index.ts'
import { bus as busSource } from '../../sources/bus.ts'

const DEFAULTS = { patterns: ['a.>'], queue: 1024, queue_bytes: 2 ** 24, overflow: 'block' }
const id = (n: number) => n.toString(16).padStart(32, '0')
const message = (n: number, payload: Record<string, unknown> = { n }): Message => ({
  id: id(n),
  topic: 'a.b',
  type: 'kind',
  ts: 1_772_355_601.123456,
  payload,
})

async function listening(config: object = {}, position?: unknown) {
  const bus: Bus = memoryBus()
  const stop = new AbortController()
  const counted: [string, number | undefined][] = []
  const context = {
    pipeline: 'campaigns',
    signal: stop.signal,
    use: async () => bus,
    count: (reason: string, by?: number) => counted.push([reason, by]),
  } as unknown as Context
  const chunks = busSource.read({ ...DEFAULTS, ...config }, position, context)
  const pulls = chunks[Symbol.asyncIterator]() as AsyncIterator<Chunk<unknown>>
  const first = pulls.next()
  // in memory, all it takes to subscribe is promises
  await new Promise((resolve) => setImmediate(resolve))
  const writer = await bus.connect('ingest')
  return { bus, stop, counted, pulls, first, writer }
}

describe('the bus source', () => {
  it('turns a message into an event with its id, topic and time, to the microsecond', async () => {
    const { first, writer } = await listening()
    await writer.publish(message(1))
    expect((await first).value).toEqual({
      events: [
        { id: id(1), topic: 'a.b', time: 1_772_355_601_123.456, data: { n: 1, type: 'kind' } },
      ],
      position: { received: 1 },
    })
  })

  it('leaves a payload alone that has a type of its own', async () => {
    const { first, writer } = await listening()
    await writer.publish(message(1, { type: 'mine' }))
    expect((await first).value).toMatchObject({ events: [{ data: { type: 'mine' } }] })
  })

  it('counts on from its position', async () => {
    const { first, writer } = await listening({}, { received: 41 })
    await writer.publish(message(1))
    expect((await first).value).toMatchObject({ position: { received: 42 } })
  })

  it('ends when its input is finished, after all that came in', async () => {
    const { bus, first, pulls, writer } = await listening()
    for (let n = 0; n < 600; n += 1) await writer.publish(message(n))
    await bus.close()
    const sizes = [(await first).value.events.length]
    for (let next = await pulls.next(); !next.done; next = await pulls.next()) {
      sizes.push(next.value.events.length)
    }
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(600)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(512)
  })

  it('hands on what has come in when the pipeline stops, then ends', async () => {
    const { stop, first, pulls, writer } = await listening()
    await writer.publish(message(1))
    stop.abort()
    await writer.publish(message(2))
    expect((await first).value.events).toHaveLength(1)
    expect(await pulls.next()).toMatchObject({ done: true })
  })

  it('lets the publisher wait by default, and loses nothing', async () => {
    const { bus, first, pulls, writer } = await listening({ queue: 2 })
    const sending = (async () => {
      for (let n = 0; n < 50; n += 1) await writer.publish(message(n))
      await bus.close()
    })()
    const seen: unknown[] = []
    for (let next = await first; !next.done; next = await pulls.next()) {
      seen.push(...(next.value.events as Draft[]).map(({ data }) => data.n))
    }
    await sending
    expect(seen).toEqual([...Array(50).keys()])
  })

  it('counts what it lost where it may lose', async () => {
    const { bus, first, pulls, counted, writer } = await listening({
      queue: 2,
      overflow: 'drop_oldest',
    })
    for (let n = 0; n < 10; n += 1) await writer.publish(message(n))
    await bus.close()
    const seen: unknown[] = []
    for (let next = await first; !next.done; next = await pulls.next()) {
      seen.push(...(next.value.events as Draft[]).map(({ data }) => data.n))
    }
    expect(seen.slice(-2)).toEqual([8, 9])
    const lost = counted.reduce((sum, [, by = 1]) => sum + by, 0)
    expect(seen.length + lost).toBe(10)
    expect(counted[0]?.[0]).toBe('queue_full')
  })

  it.each([
    [
      'an event',
      `{"data":{"x":1},"id":"${id(7)}","time":5.5,"topic":"a.b"}`,
      { id: id(7), topic: 'a.b', time: 5.5, data: { x: 1 } },
    ],
    ['an event without an id', '{"data":{},"topic":"a.b"}', { topic: 'a.b', time: 99, data: {} }],
    [
      'an envelope',
      `{"v":1,"id":"${id(7)}","topic":"a.b","type":"t","ts":1.5,"payload":{"x":1}}`,
      { id: id(7), topic: 'a.b', time: 1500, data: { x: 1, type: 't' } },
    ],
    [
      'an envelope without an id',
      '{"topic":"a.b","payload":[]}',
      { topic: 'a.b', time: 99, data: { type: '' } },
    ],
  ])('reads %s from a capture', (_, line, draft) => {
    expect(busSource.fromLine(line, 99, DEFAULTS)).toEqual(draft)
  })

  it.each(['', 'text', '[]', '{}', '{"topic":"a..b"}', '{"topic":7}', '{"topic":"a.b"'])(
    'rejects the captured line %j',
    (line) => {
      expect(busSource.fromLine(line, 99, DEFAULTS)).toMatchObject({
        failure: { code: 'BAD_MESSAGE' },
        draft: { topic: 'line', data: { line } },
      })
    },
  )
})
