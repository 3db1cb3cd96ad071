import { afterEach, describe, expect, it } from 'vitest'
import type { Bus, BusConnection } from '../../../bus/bus.ts'
import { BusError } from '../../../bus/bus_error.ts'
import { memoryBus } from '../../../bus/memory_bus.ts'
import { liveOnBus, type WorkerLife } from '../../../bus/worker/life.ts'

const TS = 1_800_000_000
const quiet = { info: () => {}, warn: () => {}, debug: () => {} }
const control = (payload: Record<string, unknown>) => ({
  id: '0'.repeat(32),
  topic: 'system.mutator.control',
  type: 'control',
  ts: TS,
  payload,
})

describe('a worker on the bus', () => {
  let bus: Bus = memoryBus()
  let life: WorkerLife | undefined
  afterEach(async () => {
    await life?.close()
    life = undefined
    await bus.close()
    bus = memoryBus()
  })

  function begin(more: { extra?: () => Record<string, unknown>; beatEvery?: number } = {}) {
    const stops: string[] = []
    let ids = 0
    life = liveOnBus({
      name: 'mutator',
      connect: () => bus.connect('mutator'),
      clock: { live: true, now: () => TS * 1000 },
      nextId: () => (ids++).toString(16).padStart(32, '0'),
      extra: more.extra ?? (() => ({ queue: 7 })),
      onStop: (by) => stops.push(by),
      log: quiet,
      ...(more.beatEvery !== undefined && { beatEvery: more.beatEvery }),
    })
    return stops
  }
  async function listener(): Promise<BusConnection & { beats: () => Promise<unknown[]> }> {
    const connection = await bus.connect('panel')
    const health = await connection.subscribe(['system.*.health'])
    const beats = async () => (await health.take(100)) as unknown[]
    return Object.assign(connection, { beats })
  }

  it('beats at once, then again and again', async () => {
    const panel = await listener()
    begin({ beatEvery: 1 })
    const [first] = await panel.beats()
    expect(first).toEqual({
      ...{ v: 1, id: '0'.repeat(32), topic: 'system.mutator.health', type: 'health', ts: TS },
      payload: { worker: 'mutator', ts: TS, queue: 7 },
    })
    expect(await panel.beats()).toHaveLength(1)
    await life?.close()
    await panel.publish(control({ action: 'beat' }))
  })

  it('beats when it is asked to, and without what it cannot tell', async () => {
    const panel = await listener()
    begin({
      extra: () => {
        throw new Error('nothing to tell')
      },
    })
    await panel.beats()
    await panel.publish(control({ action: 'beat' }))
    expect(await panel.beats()).toMatchObject([{ payload: { worker: 'mutator', ts: TS } }])
  })

  it('stops once, whatever was said before', async () => {
    const panel = await listener()
    const stops = begin()
    await panel.beats()
    for (const payload of [{}, { action: 'start' }, { action: ['stop'] }, { action: 'nonsense' }]) {
      await panel.publish(control(payload))
    }
    await panel.publish(control({ action: 'stop', requested_by: 'x'.repeat(100) }))
    await panel.publish(control({ action: 'stop', requested_by: 'ops' }))
    await panel.publish(control({ action: 'beat' }))
    await panel.beats()
    expect(stops).toEqual(['x'.repeat(64)])
  })

  it('goes on where a beat cannot be sent, and ends at once while it waits for a bus', async () => {
    const panel = await listener()
    const connect = bus.connect
    bus.connect = async (name) => {
      const connection = await connect(name)
      let tries = 0
      return {
        subscribe: (patterns, options) => connection.subscribe(patterns, options),
        close: () => connection.close(),
        async publish(message) {
          if (tries++ === 0) throw new BusError('BUS_CLOSED', 'the broker is gone')
          await connection.publish(message)
        },
      }
    }
    begin({ beatEvery: 1 })
    expect(await panel.beats()).toHaveLength(1)
    await life?.close()
    bus.connect = () => Promise.reject(new Error('nobody listens'))
    begin()
    await life?.close()
  })
})
