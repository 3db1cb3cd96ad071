import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../store/database.ts'
import {
  deadDeliveries,
  replayDeadDeliveries,
  sweepDeliveries,
} from '../../store/webhook_deliveries.ts'
import { listWebhooks, updateWebhook } from '../../store/webhook_subscriptions.ts'
import { testDatabases } from '../services/databases.ts'
import { type Answer, startReceiver, type TestReceiver } from '../services/receivers.ts'
import {
  box,
  type Dispatching,
  dispatching,
  eventId,
  START,
  subscribe,
} from '../sinks/webhook/dispatching.ts'
import { seededRandom } from './mutate.ts'
import { times } from './pipelines.ts'

const RECEIVERS = 6
/** Of the hour, each as long as this, ms. */
const STEPS = times('STEPS', 720)
const STEP = 5000
const EVENTS_A_STEP = 4
const DEAD_LETTERS = 100_000

type Mood = 'up' | 'down' | 'busy' | 'cutting' | 'flaky' | 'hanging'
const MOODS: readonly Mood[] = ['up', 'up', 'up', 'down', 'busy', 'cutting', 'flaky', 'hanging']

/** One receiver, whose mood changes, and what it has been told. */
class Moody {
  mood: Mood = 'up'
  service: TestReceiver | undefined
  /** what was stored for it */
  readonly owed = new Set<number>()
  readonly got = new Set<number>()
  repeats = 0
  /** begun before one they come behind */
  readonly outOfOrder: number[] = []
  /** Since the last start: what was begun, the last of it, and what is tried again behind it. */
  readonly #begun = new Set<number>()
  #last = 0
  readonly #replayed = new Set<number>()
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  answer(id: number): Answer {
    const how = this.#how()
    if (how !== 200) return how
    if (this.got.has(id)) this.repeats += 1
    this.got.add(id)
    return 200
  }

  #how(): Answer {
    switch (this.mood) {
      case 'up':
        return 200
      case 'down':
        return this.#random() < 0.9 ? 503 : 400
      case 'busy':
        return { status: 429, headers: { 'retry-after': String(Math.floor(this.#random() * 90)) } }
      case 'cutting':
        return 'cut'
      case 'hanging':
        return this.#random() < 0.3 ? 'hang' : 200
      case 'flaky':
        return this.#random() < 0.5 ? 500 : 200
    }
  }

  begins(id: number): void {
    if (this.#begun.has(id) || this.#replayed.has(id)) return
    this.#begun.add(id)
    if (id < this.#last) this.outOfOrder.push(id)
    this.#last = id
  }

  replays(id: number): void {
    this.#replayed.add(id)
  }

  restarts(): void {
    this.#begun.clear()
    this.#replayed.clear()
    this.#last = 0
  }
}

describe.each(testDatabases)('an hour of webhooks on %s', (_, databases) => {
  const closing: (() => Promise<unknown>)[] = []
  beforeAll(() => databases.start(), 120_000)
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })
  afterAll(() => databases.stop())

  const counts = async (database: Database) => {
    const rows = await database.select(
      'select state, count(*) as n from webhook_deliveries group by state',
    )
    return Object.fromEntries(rows.map(({ state, n }) => [String(state), Number(n)]))
  }

  it('with receivers up and down, breakers and restarts loses nothing and leaves nothing', async () => {
    const random = seededRandom(times('SEED', 11))
    const database = await openDatabase(await databases.fresh())
    closing.push(() => database.close())
    const receivers = Array.from({ length: RECEIVERS }, () => new Moody(random))
    const byUuid = new Map<string, Moody>()
    for (const [n, one] of receivers.entries()) {
      const service = await startReceiver({
        answer: ({ headers }) => one.answer(Number.parseInt(String(headers['webhook-id']), 16)),
      })
      one.service = service
      closing.push(() => service.close())
      byUuid.set(await subscribe(database, `receiver ${n}`, service.port), one)
    }
    const byPort = new Map(receivers.map((one) => [one.service?.port, one]))
    const of = (url: string) => byPort.get(Number(new URL(url).port))
    // The worker's limits are high, so that what is dead was given up and not pushed out.
    const onPost = ({ url, id }: { url: string; id: string }) =>
      of(url)?.begins(Number.parseInt(id, 16))
    const begin = () =>
      dispatching(database, { inFlight: 1, stepMs: 100, deadLetters: DEAD_LETTERS, onPost })
    let run: Dispatching = await begin()
    closing.push(() => run.dispatcher.close())
    const tallies: Record<string, number> = { restarts: 0, rearmed: 0, replays: 0 }
    const add = (name: string, by = 1) => {
      tallies[name] = (tallies[name] ?? 0) + by
    }
    const restart = async () => {
      const closed = run.dispatcher.close()
      run.pace.through = 3000
      run.pace.advance(3000)
      await closed
      for (const [name, by] of Object.entries(run.counted)) add(name, by)
      for (const one of receivers) one.restarts()
      run = await begin()
      add('restarts')
    }
    /** What admins do: enable who was tripped, and have tried again what is dead. */
    const mend = async () => {
      await quiet(run)
      const dead = await deadDeliveries(database, {}, 0, DEAD_LETTERS)
      for (const { uuid, url, enabled } of await listWebhooks(database)) {
        for (const one of dead) {
          if (one.subscription === uuid) of(url)?.replays(Number.parseInt(one.eventId, 16))
        }
        if (enabled) continue
        await updateWebhook(database, box, uuid, { enabled: true }, START * 1000)
        add('rearmed')
      }
      add('replays', await replayDeadDeliveries(database, {}, START * 1000))
      await run.dispatcher.reload()
    }

    let said = 0
    let mostPending = 0
    for (let step = 0; step < STEPS; step += 1) {
      for (const one of receivers) {
        if (random() < 0.05) one.mood = MOODS[Math.floor(random() * MOODS.length)] ?? 'up'
      }
      await run.announce('attacker.observed', said + 1, said + EVENTS_A_STEP)
      // Whoever is tripped just now is not owed what is said until he is armed again.
      const stored = await database.select(
        'select subscription, event_id from webhook_deliveries where event_id > ?',
        [eventId(said)],
      )
      for (const { subscription, event_id } of stored) {
        byUuid.get(String(subscription))?.owed.add(Number.parseInt(String(event_id), 16))
      }
      said += EVENTS_A_STEP
      for (let turns = 0; turns < 5; turns += 1) {
        await new Promise((resolve) => setTimeout(resolve, 2))
        run.pace.advance(STEP / 5)
      }
      if (random() < 0.02) await restart()
      if (step % 60 === 59) {
        mostPending = Math.max(mostPending, (await counts(database)).pending ?? 0)
        await mend()
      }
    }
    for (const one of receivers) one.mood = 'up'
    const left = async () => {
      const { pending = 0, dead = 0 } = await counts(database)
      return pending + dead
    }
    for (let tries = 0; (await left()) > 0 && tries < 600; tries += 1) {
      await mend()
      for (let turns = 0; turns < 20; turns += 1) {
        run.pace.advance(60_000)
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    }
    expect(await left()).toBe(0)
    const owed = receivers.map((one) => one.owed.size)
    for (const one of receivers) {
      const missing = [...one.owed].filter((id) => !one.got.has(id))
      expect(missing.map(eventId)).toEqual([])
      expect(one.outOfOrder).toEqual([])
    }
    for (const [name, by] of Object.entries(run.counted)) add(name, by)
    const repeats = receivers.map((one) => one.repeats)
    process.stdout.write(`${JSON.stringify({ said, owed, mostPending, repeats, ...tallies })}\n`)
    expect(Math.min(...owed)).toBeGreaterThan(said / 4)
    expect(tallies.tripped).toBeGreaterThan(0)
    expect(tallies.restarts).toBeGreaterThan(0)
    expect(tallies.replays).toBeGreaterThan(0)
    // Only an answer that came too late makes a repeat: a stop books what has arrived.
    for (const count of repeats) expect(count).toBeLessThan(said / 20)
    await sweepDeliveries(database)
    expect((await counts(database)).delivered).toBeLessThanOrEqual(50_000)
  }, 600_000)
})

/** Until nothing more happens by itself: all that is left waits for its time. */
async function quiet({ counted }: Dispatching): Promise<void> {
  let before = ''
  for (let same = 0; same < 3; ) {
    await new Promise((resolve) => setTimeout(resolve, 20))
    const now = JSON.stringify(counted)
    same = now === before ? same + 1 : 0
    before = now
  }
}
