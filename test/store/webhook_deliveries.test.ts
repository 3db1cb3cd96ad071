import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../store/database.ts'
import { makeSecretBox } from '../../store/secret_box.ts'
import {
  type Room,
  settleDeliveries,
  storeDeliveries,
  sweepDeliveries,
} from '../../store/webhook_deliveries.ts'
import { createWebhook, getWebhook } from '../../store/webhook_subscriptions.ts'
import { testDatabases } from '../services/databases.ts'

const MINUTE = 60_000
const box = makeSecretBox('a key of the test, long enough for it')

describe.each(testDatabases)('the outbox of webhooks on %s', (_, databases) => {
  beforeAll(() => databases.start(), MINUTE)
  afterAll(() => databases.stop(), MINUTE)

  const opened = async () => {
    const database = await openDatabase(await databases.fresh())
    const subscribed = async (name: string) => {
      const webhook = { name, url: 'http://x/', topicPatterns: ['>'], enabled: true }
      return (await createWebhook(database, box, webhook, 1)).subscription.uuid
    }
    const rows = async () => {
      const found = await database.select(
        'select event_id, state from webhook_deliveries order by id',
      )
      return found.map(({ event_id, state }) => `${event_id} ${state}`)
    }
    return { database, subscribed, rows }
  }
  const delivery = (subscription: string, eventId: string) => ({
    subscription,
    eventId,
    topic: 'attacker.observed',
    body: '{}',
  })

  it('forgets what arrived more than 50,000 deliveries ago, and what nobody wants any more', async () => {
    const { database, subscribed, rows } = await opened()
    const uuid = await subscribed('siem')
    const states = ['delivered', 'pending', 'dead', 'delivered', 'delivered']
    await database.transaction(async ({ update }) => {
      for (const [index, id] of [1, 2, 3, 10_000, 60_000].entries()) {
        const values = [id, uuid, `e${id}`, states[index] ?? '']
        await update(
          `insert into webhook_deliveries (id, subscription, event_id, topic, body, state, attempts,
           created_at, updated_at) values (?, ?, ?, 'a', '', ?, 0, 1, 1)`,
          values,
        )
      }
    })
    await storeDeliveries(database, [delivery('gone', 'lost')], { backlog: 9, deadLetters: 9 }, 2)
    await sweepDeliveries(database)
    expect(await rows()).toEqual(['e2 pending', 'e3 dead', 'e60000 delivered'])
    await database.close()
  })

  it('counts what waits only where there may be too much of it, and is never over its limit', async () => {
    const { database, subscribed, rows } = await opened()
    const uuid = await subscribed('siem')
    const room: Room = new Map()
    const store = (...ids: string[]) =>
      storeDeliveries(
        database,
        ids.map((id) => delivery(uuid, id)),
        { backlog: 4, deadLetters: 2 },
        5,
        room,
      )
    expect(await store('a')).toEqual({ displaced: 0, forgotten: 0 })
    expect(room.get(uuid)).toBe(3)
    expect(await store('a', 'b', 'c')).toEqual({ displaced: 0, forgotten: 0 })
    expect(room.get(uuid)).toBe(0)
    // What was there already took none of it.
    expect(await store('d')).toEqual({ displaced: 0, forgotten: 0 })
    expect(await store('e', 'f', 'g')).toEqual({ displaced: 3, forgotten: 1 })
    expect(await rows()).toEqual([
      ...['b dead', 'c dead'],
      ...['d pending', 'e pending', 'f pending', 'g pending'],
    ])
    await database.close()
  })

  it('is booked for several receivers at once, each with its own breaker', async () => {
    const { database, subscribed, rows } = await opened()
    const [bad, good] = [await subscribed('bad'), await subscribed('good')]
    const events = ['a', 'b', 'c']
    await storeDeliveries(
      database,
      [bad, good].flatMap((uuid) => events.map((id) => delivery(uuid, id))),
      { backlog: 9, deadLetters: 9 },
      5,
    )
    const ids = async (uuid: string) => {
      const sql = 'select id from webhook_deliveries where subscription = ? order by id'
      return (await database.select(sql, [uuid])).map(({ id }) => Number(id))
    }
    const outcome = (error: string | null) => (id: number) => ({ id, error, attempts: 1, at: 7 })
    const settled = await settleDeliveries(
      database,
      [
        { subscription: bad, outcomes: (await ids(bad)).slice(0, 2).map(outcome('http 503')) },
        { subscription: good, outcomes: (await ids(good)).slice(0, 2).map(outcome(null)) },
      ],
      { threshold: 2, deadLetters: 2 },
    )
    expect(settled).toEqual({ tripped: new Set([bad]), forgotten: 1 })
    expect(await rows()).toEqual([
      ...['b dead', 'c dead'],
      ...['a delivered', 'b delivered', 'c pending'],
    ])
    expect(await getWebhook(database, bad)).toMatchObject({ enabled: false, lastError: 'http 503' })
    expect(await getWebhook(database, good)).toMatchObject({ lastSuccessAt: 7, updatedAt: 7 })
    await database.close()
  })
})
