import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type Outlet, StreamHub, type StreamHubOptions } from '../../../bus/stream/hub.ts'
import { silentLog } from '../../../engine/context.ts'
import { type SseEvent, SseParser } from '../../../protocols/sse.ts'

const EPOCH = '0123456789abcdef'
const hubs: StreamHub[] = []
afterEach(() => {
  for (const hub of hubs.splice(0)) hub.close()
})

function hubOf(options: Partial<StreamHubOptions> = {}): StreamHub {
  const snapshot = async () => ({ rows: [] })
  const bounds = { maxFrames: 100, maxBytes: 1e6 }
  const hub = new StreamHub({ epoch: EPOCH, snapshot, ...bounds, log: silentLog, ...options })
  hubs.push(hub)
  return hub
}

/** A client that reads all, or nothing while it `isStuck`. */
class Client {
  readonly events: SseEvent[] = []
  readonly #parser = new SseParser()
  readonly follower: ReturnType<StreamHub['join']>
  isStuck = false
  ended = false
  #watching: () => void = () => undefined
  bytes = 0
  constructor(hub: StreamHub, lastEventId?: string) {
    const outlet: Outlet = {
      write: (bytes) => {
        this.bytes += bytes.length
        this.events.push(...this.#parser.push(bytes))
        this.#watching()
        return !this.isStuck
      },
      end: () => {
        this.ended = true
      },
    }
    this.follower = hub.join(outlet, lastEventId)
  }
  /** @param called at each write */
  watch(called: () => void): void {
    this.#watching = called
  }
  resume(): void {
    this.isStuck = false
    this.follower.drained()
  }
  get names(): string[] {
    return this.events.map(({ type }) => type)
  }
  get numbers(): number[] {
    const told = this.events.filter(({ type }) => type === 'n')
    return told.map(({ data }) => JSON.parse(data))
  }
  gap(): unknown {
    return JSON.parse(this.events.find(({ type }) => type === 'gap')?.data ?? 'null')
  }
}

const publish = (hub: StreamHub, ...numbers: number[]) =>
  hub.publish(numbers.map((data) => ({ name: 'n', data })))
const settled = () => new Promise((resolve) => setTimeout(resolve, 20))
const upTo = (n: number) => Array.from({ length: n }, (_, index) => index + 1)

describe('a stream', () => {
  it('shows a snapshot first, and nothing that came while it was read is lost', async () => {
    let answer: (rows: unknown) => void = () => undefined
    const snapshot = () => new Promise<unknown>((resolve) => (answer = resolve))
    const hub = hubOf({ snapshot })
    publish(hub, 1)
    const client = new Client(hub)
    publish(hub, 2)
    await settled()
    publish(hub, 3)
    answer({ rows: ['a'] })
    await settled()
    expect(client.names).toEqual(['snapshot', 'n', 'n'])
    expect(JSON.parse(client.events[0]?.data ?? '')).toEqual({ rows: ['a'] })
    expect(client.numbers).toEqual([2, 3])
    expect(client.events.map(({ lastEventId }) => lastEventId)).toEqual(
      [1, 2, 3].map((number) => `${EPOCH}-${number}`),
    )
  })

  it('gives what comes in the middle of a round to all, those served before it too', async () => {
    const hub = hubOf()
    const clients = upTo(30).map(() => new Client(hub))
    await settled()
    let rounds = 0
    clients[0]?.watch(() => {
      rounds += 1
      // A round that takes long: the others come after a pause, in which there is news.
      const until = performance.now() + 8
      while (performance.now() < until);
      if (rounds <= 3) setImmediate(() => publish(hub, rounds + 1))
    })
    publish(hub, 1)
    await expect.poll(() => clients.every(({ numbers }) => numbers.length === 4)).toBe(true)
    for (const client of clients) expect(client.numbers).toEqual([1, 2, 3, 4])
    expect(rounds).toBe(4)
  })

  it('gives many who come at once one snapshot', async () => {
    let taken = 0
    const hub = hubOf({ snapshot: async () => ({ taken: ++taken }) })
    const clients = upTo(50).map(() => new Client(hub))
    await settled()
    publish(hub, 1)
    await settled()
    expect(taken).toBe(1)
    for (const client of clients) expect(client.names).toEqual(['snapshot', 'n'])
  })

  it('lets one who comes back go on where it was', async () => {
    const hub = hubOf()
    publish(hub, ...upTo(5))
    const client = new Client(hub, `${EPOCH}-3`)
    await settled()
    publish(hub, 6)
    await settled()
    expect(client.names).not.toContain('snapshot')
    expect(client.numbers).toEqual([4, 5, 6])
  })

  it('tells one who was away too long how many it has missed, and begins anew', async () => {
    const hub = hubOf({ maxFrames: 10 })
    publish(hub, ...upTo(50))
    const client = new Client(hub, `${EPOCH}-3`)
    await settled()
    publish(hub, 51)
    await settled()
    expect(client.names).toEqual(['gap', 'snapshot', 'n'])
    expect(client.gap()).toEqual({ missed: 47 })
    expect(client.numbers).toEqual([51])
  })

  it.each([
    ['ffffffffffffffff-3'],
    [`${EPOCH}-999999`],
    [`${EPOCH}-999999999999999`],
    [`${EPOCH}-9999999999999999`],
    [`${EPOCH}--1`],
    [`${EPOCH}-1.5`],
    [`${EPOCH}-1e3`],
    [`${EPOCH.toUpperCase()}-1`],
    ['9'.repeat(10_000)],
    ['nonsense'],
    ['x\n'],
    [`${EPOCH}-`],
  ])('tells one who comes with the id %j that it is not known what was missed', async (id) => {
    const hub = hubOf()
    publish(hub, 1)
    const client = new Client(hub, id)
    await settled()
    expect(client.names).toEqual(['gap', 'snapshot'])
    expect(client.gap()).toEqual({ missed: null })
  })

  it('tells a slow one of its gap, with a snapshot behind it, and holds no more for it meanwhile', async () => {
    const hub = hubOf({ maxFrames: 10, snapshot: async () => ({}) })
    const slow = new Client(hub)
    const fast = new Client(hub)
    await settled()
    slow.isStuck = true
    publish(hub, 1)
    await settled()
    const before = slow.bytes
    for (let n = 2; n <= 60; n++) {
      publish(hub, n)
      while (fast.numbers.at(-1) !== n) await new Promise(setImmediate)
    }
    await settled()
    expect(slow.bytes).toBe(before)
    slow.resume()
    await settled()
    publish(hub, 61)
    await settled()
    expect(fast.numbers).toEqual(upTo(61))
    expect(slow.numbers).toEqual([1, 61])
    expect(slow.gap()).toEqual({ missed: 59 })
    expect(slow.names).toEqual(['snapshot', 'n', 'gap', 'snapshot', 'n'])
  })

  it('goes on after a restart with the numbers it had, and loses nothing that was held', async () => {
    const before = hubOf()
    publish(before, 1, 2, 3)
    const saved = JSON.parse(JSON.stringify(before.position()))
    // A crash: what came after the checkpoint comes again.
    publish(before, 4, 5)
    const after = hubOf({ epoch: 'f'.repeat(16), saved })
    const ahead = new Client(after, `${EPOCH}-5`)
    const behind = new Client(after, `${EPOCH}-1`)
    publish(after, 4, 5, 6)
    await settled()
    expect(ahead.numbers).toEqual([6])
    expect(behind.numbers).toEqual([2, 3, 4, 5, 6])
    expect([...ahead.names, ...behind.names]).not.toContain('gap')
  })

  it('cuts a client off where the snapshot cannot be read', async () => {
    const hub = hubOf({ snapshot: () => Promise.reject(new Error('the database is away')) })
    const client = new Client(hub)
    await settled()
    expect(client.names).toEqual(['error'])
    expect(client.events[0]?.data).toBe('{"message":"Stream interrupted"}')
    expect(client.ended).toBe(true)
    expect(hub.clients).toBe(0)
  })

  it('sends a comment to those who have had nothing for a while', async () => {
    const hub = hubOf({ keepaliveAfter: 150 })
    const client = new Client(hub)
    await settled()
    const before = client.bytes
    await expect.poll(() => client.bytes - before, { interval: 10 }).toBe(': keepalive\n\n'.length)
    client.follower.leave()
    expect(hub.clients).toBe(0)
  })

  it('lets its clients go when it ends, with all that they had coming', async () => {
    const hub = hubOf()
    const client = new Client(hub)
    await settled()
    publish(hub, 1)
    hub.close()
    expect(client.numbers).toEqual([1])
    expect(client.ended).toBe(true)
    expect(new Client(hub).ended).toBe(true)
  })

  it('gives each client all numbers in order but for the gaps it is told of', async () => {
    const step = fc.oneof(
      fc.record({ publish: fc.integer({ min: 1, max: 30 }) }),
      fc.constant({ stuck: true }),
      fc.constant({ stuck: false }),
      fc.constant({ wait: true }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        let sent = 0
        const hub = hubOf({ maxFrames: 20, maxBytes: 2000, snapshot: async () => sent })
        const client = new Client(hub)
        for (const one of steps) {
          if ('publish' in one) publish(hub, ...upTo(one.publish).map(() => ++sent))
          else if ('wait' in one) await new Promise((resolve) => setTimeout(resolve, 2))
          else if (one.stuck) client.isStuck = true
          else client.resume()
        }
        client.resume()
        await expect.poll(() => lastKnown(client), { interval: 2, timeout: 2000 }).toBe(sent)
        // Behind a snapshot of n stands n + 1; else each is the next of the one before.
        let known = 0
        for (const { type, data } of client.events) {
          const told = JSON.parse(data)
          if (type === 'snapshot') known = Math.max(known, told)
          if (type === 'n') {
            if (told > known) expect(told).toBe(known + 1)
            known = Math.max(known, told)
          }
        }
        hub.close()
      }),
      { numRuns: 60 },
    )
  })
})

function lastKnown({ events }: Client): number {
  const numbers = events.filter(({ type }) => type === 'n' || type === 'snapshot')
  return Math.max(0, ...numbers.map(({ data }) => JSON.parse(data)))
}
