import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../../store/database.ts'
import { makeSecretBox } from '../../../store/secret_box.ts'
import {
  deadDeliveries,
  dropDeadDeliveries,
  replayDeadDeliveries,
} from '../../../store/webhook_deliveries.ts'
import {
  createWebhook,
  deleteWebhook,
  getWebhook,
  updateWebhook,
} from '../../../store/webhook_subscriptions.ts'
import { testDatabases } from '../../services/databases.ts'
import { hasMariadb, type MariadbService, startMariadb } from '../../services/mariadb.ts'
import {
  type Received,
  type ReceiverOptions,
  startReceiver,
  type TestReceiver,
} from '../../services/receivers.ts'
import { box, type Dispatching, dispatching, eventId, START, subscribe } from './dispatching.ts'

const MINUTE = 60_000
const ids = ({ received }: TestReceiver) =>
  received.map(({ headers }) => Number.parseInt(String(headers['x-decnet-event-id']), 16))
const idOf = ({ headers }: Received) => String(headers['x-decnet-event-id'])
const mapValues = <A, B>(all: Readonly<Record<string, A>>, made: (one: A) => B) =>
  Object.fromEntries(Object.entries(all).map(([name, one]) => [name, made(one)]))
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** One for all, for it takes seconds to start. */
let mariadb: MariadbService | undefined
const databases = {
  SQLite: testDatabases[0]?.[1],
  MariaDB: {
    async start() {
      mariadb = await startMariadb()
    },
    fresh: async () => (await mariadb?.freshDatabase()) ?? '',
    stop: async () => undefined,
  },
}
afterAll(() => mariadb?.stop(), MINUTE)

describe.each([
  ['SQLite', 10_000],
  ['MariaDB', 3000],
] as const)('webhooks, over %s,', (name, many) => {
  if (name === 'MariaDB' && !hasMariadb()) return
  const closing: (() => Promise<unknown>)[] = []
  let url = ''
  beforeAll(async () => {
    await databases[name]?.start()
    url = (await databases[name]?.fresh()) ?? ''
  }, MINUTE)
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })
  afterAll(() => databases[name]?.stop(), MINUTE)

  /** The same one each time, emptied: to make its tables takes longer than the test. */
  const fresh = async (): Promise<Database> => {
    const database = await openDatabase(url)
    closing.push(() => database.close())
    await database.transaction(async (statements) => {
      await statements.update('delete from webhook_deliveries', [])
      await statements.update('delete from webhook_subscriptions', [])
    })
    return database
  }
  const receiverOf = async (options?: ReceiverOptions): Promise<TestReceiver> => {
    const receiver = await startReceiver(options)
    closing.push(() => receiver.close())
    return receiver
  }
  const started = async (
    database: Database,
    more?: Parameters<typeof dispatching>[1],
  ): Promise<Dispatching> => {
    const run = await dispatching(database, more)
    closing.push(() => {
      // No time is given to what hangs.
      run.pace.through = 3000
      return run.dispatcher.close()
    })
    return run
  }
  const states = async (database: Database) => {
    const rows = await database.select(
      'select state, count(*) as n from webhook_deliveries group by state',
    )
    return Object.fromEntries(rows.map(({ state, n }) => [String(state), Number(n)]))
  }

  it('tell an event once, however many patterns it fits and however often it is written', async () => {
    const database = await fresh()
    const receiver = await receiverOf()
    const uuid = await subscribe(database, 'siem', receiver.port, {
      topicPatterns: ['attacker.>', 'attacker.observed', '>'],
    })
    const { announce, counted } = await started(database)
    await announce('attacker.observed', 1)
    await expect.poll(() => counted.delivered).toBe(1)
    await announce('attacker.observed', 1, 2)
    await expect.poll(() => counted.delivered).toBe(2)
    await expect.poll(() => states(database)).toEqual({ delivered: 2 })
    expect(ids(receiver)).toEqual([1, 2])
    expect(await getWebhook(database, uuid)).toMatchObject({
      lastSuccessAt: START * 1000,
      consecutiveFailures: 0,
    })
  })

  it('tell nobody who did not ask', async () => {
    const database = await fresh()
    const receiver = await receiverOf()
    await subscribe(database, 'siem', receiver.port)
    const { announce } = await started(database)
    await announce('system.log', 1)
    await announce('attacker.observed', 2)
    await expect.poll(() => ids(receiver)).toEqual([2])
    await expect.poll(() => states(database)).toEqual({ delivered: 1 })
  })

  it('are tried again after 1, 2 and 4 seconds, with the same bytes, and then given up', async () => {
    const database = await fresh()
    const receiver = await receiverOf({ answer: () => 503 })
    const uuid = await subscribe(database, 'siem', receiver.port)
    const { announce, counted, pace } = await started(database)
    await announce('attacker.observed', 1)
    for (const [posts, wait] of [
      [1, 1000],
      [2, 2000],
      [3, 4000],
    ] as const) {
      await expect.poll(() => pace.pauses.at(-1)).toBe(wait)
      expect(receiver.received).toHaveLength(posts)
      pace.advance(wait - 1)
      expect(receiver.received).toHaveLength(posts)
      pace.advance(1)
    }
    await expect.poll(() => states(database)).toEqual({ dead: 1 })
    expect(counted).toEqual({ retried: 3, given_up: 1 })
    const signed = receiver.received.map(({ body, headers }) => [
      body,
      headers['x-decnet-timestamp'],
      headers['webhook-signature'],
    ])
    expect(signed).toHaveLength(4)
    for (const one of signed) expect(one).toEqual(signed[0])
    expect(await getWebhook(database, uuid)).toMatchObject({
      enabled: true,
      consecutiveFailures: 1,
      lastError: 'http 503',
      lastFailureAt: pace.now() * 1000,
    })
    expect(await deadDeliveries(database, {}, 0, 10)).toMatchObject([
      { name: 'siem', eventId: eventId(1), attempts: 4, lastError: 'http 503' },
    ])
  })

  it('wait as long as a receiver asks for by Retry-After', async () => {
    const database = await fresh()
    const headers = { 'retry-after': '30' }
    const receiver = await receiverOf({
      answer: (_post, nth) => (nth === 0 ? { status: 429, headers } : 200),
    })
    await subscribe(database, 'siem', receiver.port)
    const { announce, counted, pace } = await started(database)
    await announce('attacker.observed', 1)
    await expect.poll(() => pace.pauses.at(-1)).toBe(30_000)
    pace.advance(30_000)
    await expect.poll(() => counted.delivered).toBe(1)
  })

  it('are given up at once where no other answer is to be hoped for', async () => {
    const database = await fresh()
    const location = 'http://169.254.169.254/latest'
    const receiver = await receiverOf({
      answer: (_post, nth) => (nth === 0 ? 400 : { status: 302, headers: { location } }),
    })
    await subscribe(database, 'siem', receiver.port)
    const bad = await subscribe(database, 'bad', 1, { url: 'ftp://x/' })
    const { announce, counted } = await started(database, { inFlight: 1 })
    await announce('attacker.observed', 1, 2)
    await expect.poll(() => states(database)).toEqual({ dead: 4 })
    expect(counted).toEqual({ given_up: 2, refused_destination: 2 })
    expect(receiver.received).toHaveLength(2)
    const [first] = await deadDeliveries(database, { subscription: bad }, 0, 1)
    expect(first).toMatchObject({ attempts: 0, lastError: expect.stringContaining('refused') })
  })

  it('keep the order of one receiver, where nothing has to be tried again', async () => {
    const database = await fresh()
    const receiver = await receiverOf()
    await subscribe(database, 'siem', receiver.port)
    const { announce } = await started(database, { inFlight: 1 })
    await announce('attacker.observed', 1, 150)
    await announce('attacker.scored', 151, 200)
    await expect.poll(() => ids(receiver).length, { timeout: 20_000 }).toBe(200)
    expect(ids(receiver)).toEqual(numbers(1, 200))
  }, 30_000)

  it('keep a healthy receiver from waiting for dead ones, whose time stands still', async () => {
    const database = await fresh()
    const healthy = await receiverOf()
    const hanging = await receiverOf({ answer: () => 'hang' })
    const failing = await receiverOf({ answer: () => 503 })
    await subscribe(database, 'healthy', healthy.port)
    for (const n of numbers(1, 4)) await subscribe(database, `hanging ${n}`, hanging.port)
    for (const n of numbers(1, 4)) await subscribe(database, `failing ${n}`, failing.port)
    const { announce, pace } = await started(database)
    await announce('attacker.observed', 0)
    await expect.poll(() => healthy.received.length).toBe(1)
    // Dead receivers hold every place they can get; no retry has come due, for no time passes.
    await announce('attacker.observed', 1, 100)
    await expect.poll(() => ids(healthy).length, { timeout: 20_000 }).toBe(101)
    expect(pace.now()).toBe(START)
    expect(hanging.received.length).toBeGreaterThan(0)
    expect(hanging.received.length).toBeLessThanOrEqual(8)
  }, 30_000)

  it('stop at a receiver that failed too often: once, with all that waits kept as dead', async () => {
    const database = await fresh()
    const receiver = await receiverOf({ answer: () => 503 })
    const uuid = await subscribe(database, 'siem', receiver.port)
    const { announce, counted, dispatcher, pace } = await started(database, { threshold: 2 })
    pace.through = 10_000
    await announce('attacker.observed', 1, 30)
    await expect.poll(() => states(database), { timeout: 20_000 }).toEqual({ dead: 30 })
    // What is committed may be seen before we hear that it is.
    await expect.poll(() => counted.tripped).toBe(1)
    const tripped = await getWebhook(database, uuid)
    expect(tripped).toMatchObject({ enabled: false, consecutiveFailures: 2 })
    expect(tripped?.autoDisabledAt).toBe(START * 1000)
    const posts = receiver.received.length
    await expect.poll(() => dispatcher.receiversOf('attacker.observed')).toEqual([])
    await announce('attacker.observed', 31, 40)
    await dispatcher.reload()
    expect(receiver.received.length).toBe(posts)
    expect(await states(database)).toEqual({ dead: 30 })
  }, 30_000)

  it('go on where a receiver is armed again, and tell what was dead once that is asked for', async () => {
    const database = await fresh()
    let status = 503
    const receiver = await receiverOf({ answer: () => status })
    const uuid = await subscribe(database, 'siem', receiver.port)
    const { announce, dispatcher, pace } = await started(database, { threshold: 1, inFlight: 1 })
    pace.through = 10_000
    await announce('attacker.observed', 1, 5)
    await expect.poll(() => states(database), { timeout: 20_000 }).toEqual({ dead: 5 })
    await expect.poll(() => dispatcher.receiversOf('attacker.observed')).toEqual([])
    status = 200
    await updateWebhook(database, box, uuid, { enabled: true }, START * 1000)
    await dispatcher.reload()
    const before = receiver.received.length
    await announce('attacker.observed', 6)
    await expect.poll(() => states(database)).toEqual({ dead: 5, delivered: 1 })
    const [first] = await deadDeliveries(database, { subscription: uuid }, 0, 10)
    const some = { subscription: uuid, ids: [first?.id ?? 0] }
    expect(await replayDeadDeliveries(database, some, START * 1000)).toBe(1)
    await dispatcher.reload()
    await expect.poll(() => states(database)).toEqual({ dead: 4, delivered: 2 })
    expect(await replayDeadDeliveries(database, { subscription: 'nobody' }, 0)).toBe(0)
    expect(await replayDeadDeliveries(database, {}, START * 1000)).toBe(4)
    await dispatcher.reload()
    await expect.poll(() => states(database)).toEqual({ delivered: 6 })
    expect(ids(receiver).slice(before).sort()).toEqual([1, 2, 3, 4, 5, 6])
  }, 30_000)

  it('take up new, changed and deleted subscriptions, and touch nothing else', async () => {
    const database = await fresh()
    const first = await receiverOf()
    const second = await receiverOf()
    const one = await subscribe(database, 'one', first.port)
    const { announce, dispatcher, pace } = await started(database)
    const before = dispatcher.receiversOf('attacker.observed')
    const two = await subscribe(database, 'two', second.port, { topicPatterns: ['system.>'] })
    await announce('system.log', 1)
    await dispatcher.reload()
    expect(dispatcher.receiversOf('attacker.observed')).toEqual(before)
    await announce('system.log', 2)
    await expect.poll(() => ids(second)).toEqual([2])

    const url = `http://127.0.0.1:${second.port}/moved`
    await updateWebhook(database, box, one, { url, topicPatterns: ['x.*'] }, START * 1000)
    await deleteWebhook(database, two)
    // Nobody says so, and after a minute it is known all the same.
    pace.advance(60_000)
    await expect.poll(() => dispatcher.receiversOf('system.log')).toEqual([])
    await announce('x.y', 3)
    await expect.poll(() => second.received.at(-1)?.path).toBe('/moved')
    expect(ids(first)).toEqual([])
  })

  it('wait while a receiver is paused, and come when it is enabled', async () => {
    const database = await fresh()
    const receiver = await receiverOf({ answer: () => 503 })
    const healthy = await receiverOf()
    const uuid = await subscribe(database, 'siem', receiver.port)
    const { announce, dispatcher, pace } = await started(database)
    await announce('attacker.observed', 1)
    await expect.poll(() => pace.pauses.at(-1)).toBe(1000)
    await updateWebhook(database, box, uuid, { enabled: false }, START * 1000)
    await dispatcher.reload()
    const url = `http://127.0.0.1:${healthy.port}/`
    await updateWebhook(database, box, uuid, { enabled: true, url }, START * 1000)
    await dispatcher.reload()
    await expect.poll(() => ids(healthy)).toEqual([1])
    await expect.poll(() => states(database)).toEqual({ delivered: 1 })
  })

  it('are no more than ten under way, however many receivers are slow, and two to each', async () => {
    const database = await fresh()
    let most = 0
    let under = 0
    const slow = await receiverOf({
      delay: 5,
      answer: () => {
        under += 1
        most = Math.max(most, under)
        setTimeout(() => {
          under -= 1
        }, 4)
        return 200
      },
    })
    for (const n of numbers(1, 8)) await subscribe(database, `slow ${n}`, slow.port)
    const { announce, counted } = await started(database)
    await announce('attacker.observed', 1, 40)
    await expect.poll(() => counted.delivered, { timeout: 20_000 }).toBe(320)
    expect(most).toBeLessThanOrEqual(10)
    expect(most).toBeGreaterThan(2)
  }, 30_000)

  it('end as the sheet says at receivers that are down, cut, slow, busy, lost or elsewhere', async () => {
    const database = await fresh()
    const gone = await startReceiver()
    await gone.close()
    const location = 'http://169.254.169.254/latest/meta-data'
    const retryAfter = { status: 429, headers: { 'retry-after': '30' } }
    const receivers: Record<string, TestReceiver> = {
      cut: await receiverOf({ answer: () => 'cut' }),
      slow: await receiverOf({ answer: () => 'hang' }),
      failing: await receiverOf({ answer: () => 500 }),
      busy: await receiverOf({ answer: (_post, nth) => (nth < 2 ? retryAfter : 200) }),
      elsewhere: await receiverOf({ answer: () => ({ status: 302, headers: { location } }) }),
      untrusted: await receiverOf(),
    }
    const ports = { gone: gone.port, ...mapValues(receivers, ({ port }) => port) }
    for (const [name, port] of Object.entries(ports)) {
      const scheme = name === 'untrusted' ? 'https' : 'http'
      await subscribe(database, name, port, { url: `${scheme}://127.0.0.1:${port}/` })
    }
    await subscribe(database, 'nowhere', 1, { url: 'http://nowhere.invalid./' })
    const { announce, pace } = await started(database, { stepMs: 200, inFlight: 1 })
    pace.through = 60_000
    await announce('attacker.observed', 1)
    await expect
      .poll(() => states(database), { timeout: 20_000 })
      .toEqual({ dead: Object.keys(ports).length, delivered: 1 })
    expect(pace.pauses.filter((ms) => ms === 30_000)).toHaveLength(2)
    const dead = await deadDeliveries(database, {}, 0, 20)
    expect(Object.fromEntries(dead.map(({ name, attempts }) => [name, attempts]))).toEqual({
      ...{ gone: 4, cut: 4, slow: 4, failing: 4, elsewhere: 1, untrusted: 4 },
      nowhere: expect.any(Number),
    })
    const errors = Object.fromEntries(dead.map(({ name, lastError }) => [name, lastError]))
    expect(errors).toMatchObject({
      gone: expect.stringMatching(/^ECONNREFUSED: /),
      slow: expect.stringMatching(/^(Timeout|UND_ERR_HEADERS_TIMEOUT): /),
      failing: 'http 500',
      elsewhere: 'non-retryable 302',
      nowhere: expect.stringMatching(/^refused: .*cannot be resolved/),
    })
    const posts = mapValues(receivers, ({ received }) => received.length)
    expect(posts).toMatchObject({
      cut: 4,
      slow: 4,
      failing: 4,
      busy: 3,
      elsewhere: 1,
      untrusted: 0,
    })
  }, 40_000)

  it('drop the oldest where too many wait, and forget the oldest where too many are dead', async () => {
    const database = await fresh()
    const receiver = await receiverOf({ answer: () => 'hang' })
    const uuid = await subscribe(database, 'siem', receiver.port)
    const { announce, counted } = await started(database, { backlog: 10, deadLetters: 15 })
    await announce('attacker.observed', 1, 20)
    expect(await states(database)).toEqual({ dead: 10, pending: 10 })
    await announce('attacker.observed', 21, 30)
    expect(await states(database)).toEqual({ dead: 15, pending: 10 })
    expect(counted).toMatchObject({ dropped_oldest: 20, dead_letters_full: 5 })
    const dead = await deadDeliveries(database, { subscription: uuid }, 0, 100)
    expect(dead.map((one) => Number.parseInt(one.eventId, 16))).toEqual(numbers(6, 20))
    expect(dead[0]?.lastError).toContain('more than 10')
    expect(await dropDeadDeliveries(database, { ids: dead.map(({ id }) => id) })).toBe(15)
    expect(await states(database)).toEqual({ pending: 10 })
  })

  it('wait in the database where a secret cannot be opened, and say so at that one alone', async () => {
    const database = await fresh()
    const receiver = await receiverOf()
    const other = makeSecretBox('another key, which is long enough too')
    const url = `http://127.0.0.1:${receiver.port}/`
    const webhook = { name: 'lost', url, topicPatterns: ['>'], enabled: true }
    const { subscription } = await createWebhook(database, other, webhook, START * 1000)
    await subscribe(database, 'found', receiver.port)
    const { announce, dispatcher, logged } = await started(database)
    await dispatcher.reload()
    await announce('attacker.observed', 1)
    await expect.poll(() => states(database)).toEqual({ delivered: 1, pending: 1 })
    expect(await getWebhook(database, subscription.uuid)).toMatchObject({
      enabled: true,
      lastError: expect.stringContaining('another key'),
    })
    expect(logged.filter((line) => line.includes('another key'))).toHaveLength(1)
    const changes = { secret: 'a new one of some length' }
    await updateWebhook(database, box, subscription.uuid, changes, START * 1000)
    await dispatcher.reload()
    await expect.poll(() => states(database)).toEqual({ delivered: 2 })
  })

  it('that were open at a stop are told after the next start, with the same id', async () => {
    const database = await fresh()
    let answer: 'hang' | 200 | 503 = 503
    const receiver = await receiverOf({ answer: () => answer })
    await subscribe(database, 'siem', receiver.port)
    const before = await dispatching(database, { inFlight: 1 })
    await before.announce('attacker.observed', 1)
    await expect.poll(() => before.pace.waiting).toBe(2)
    answer = 'hang'
    await before.announce('attacker.observed', 2, 3)
    await expect.poll(() => receiver.received.length).toBe(2)
    const closed = before.dispatcher.close()
    // What is on its way has three seconds.
    await expect.poll(() => before.pace.pauses.at(-1)).toBe(3000)
    before.pace.advance(3000)
    await closed
    expect(await states(database)).toEqual({ pending: 3 })
    answer = 200
    await started(database)
    await expect.poll(() => states(database)).toEqual({ delivered: 3 })
    const told = receiver.received.slice(2).map(idOf)
    expect(told.sort()).toEqual([1, 2, 3].map(eventId))
  })

  it(
    `lose none of ${many} events at a receiver that fails half the time`,
    async () => {
      const database = await fresh()
      const got = new Set<string>()
      let chance = 12345
      const receiver = await receiverOf({
        answer(post) {
          chance = (chance * 1_103_515_245 + 12_345) % 2 ** 31
          if (chance < 2 ** 30) return [500, 503, 429, 'cut' as const][chance % 4] ?? 500
          got.add(idOf(post))
          return 200
        },
      })
      await subscribe(database, 'siem', receiver.port)
      const { announce, counted, dispatcher, pace } = await started(database, {
        threshold: 1000,
        inFlight: 10,
      })
      pace.through = 10_000
      for (let from = 1; from <= many; from += 500) {
        await announce('attacker.observed', from, from + 499)
      }
      const settled = async () => (await states(database)).pending ?? 0
      await expect.poll(settled, { timeout: 4 * MINUTE, interval: 50 }).toBe(0)
      const { delivered = 0, dead = 0 } = await states(database)
      expect(delivered + dead).toBe(many)
      // One in sixteen fails four times in a row.
      expect(dead).toBeGreaterThan(many * 0.03)
      expect(dead).toBeLessThan(many * 0.12)
      expect(counted).toMatchObject({ delivered, given_up: dead })
      while ((await states(database)).dead) {
        await replayDeadDeliveries(database, {}, START * 1000)
        await dispatcher.reload()
        await expect.poll(settled, { timeout: MINUTE, interval: 20 }).toBe(0)
      }
      expect(got.size).toBe(many)
    },
    6 * MINUTE,
  )
})

describe.skipIf(!hasMariadb())('webhooks, while MariaDB is away,', () => {
  it('wait, and are told once it is back', async () => {
    mariadb ??= await startMariadb()
    const server = mariadb
    const database = await openDatabase(await server.freshDatabase())
    let answer: 'hang' | 200 = 'hang'
    const receiver = await startReceiver({ answer: () => answer })
    await subscribe(database, 'siem', receiver.port)
    const run = await dispatching(database, { stepMs: 500 })
    const { announce, dispatcher, logged, pace } = run
    await announce('attacker.observed', 1, 20)
    await expect.poll(() => receiver.received.length).toBe(2)
    await server.kill()
    answer = 200
    await expect(announce('attacker.observed', 21)).rejects.toMatchObject({
      name: 'UnavailableError',
    })
    pace.through = 10_000
    // The two that hang end, and what is read ahead goes on; nothing of it can be booked.
    await expect.poll(() => logged.join(), { timeout: 30_000 }).toContain('cannot be booked')
    expect(receiver.received.length).toBeGreaterThan(2)
    await server.start()
    await announce('attacker.observed', 21)
    const rows = async () =>
      database.select('select state, count(*) as n from webhook_deliveries group by state')
    await expect.poll(rows, { timeout: 30_000 }).toEqual([{ state: 'delivered', n: 21 }])
    expect(new Set(ids(receiver)).size).toBe(21)
    pace.through = 3000
    await dispatcher.close()
    await database.close()
    await receiver.close()
  }, 120_000)
})
