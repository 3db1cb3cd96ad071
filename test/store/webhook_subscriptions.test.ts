import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../store/database.ts'
import { makeSecretBox } from '../../store/secret_box.ts'
import {
  createWebhook,
  deleteWebhook,
  enabledReceivers,
  getReceiver,
  getWebhook,
  isWebhookName,
  listWebhooks,
  recordFailure,
  recordSuccess,
  updateWebhook,
} from '../../store/webhook_subscriptions.ts'
import { testDatabases } from '../services/databases.ts'

const MINUTE = 60_000
const NOW = 1_772_355_600_000_000
const box = makeSecretBox('a key of the test, long enough for it')
const siem = {
  name: 'siem',
  url: 'https://siem.example/hook',
  topicPatterns: ['attacker.>'],
  enabled: true,
}

describe.each(testDatabases)('webhooks on %s', (_, databases) => {
  const open: Database[] = []
  const fresh = async (): Promise<Database> => {
    const database = await openDatabase(await databases.fresh())
    open.push(database)
    return database
  }
  beforeAll(() => databases.start(), MINUTE)
  afterEach(async () => {
    await Promise.all(open.splice(0).map((database) => database.close()))
  })
  afterAll(() => databases.stop(), MINUTE)

  it('are made with a secret that is told once and is not in the database', async () => {
    const database = await fresh()
    const { subscription, secret } = await createWebhook(database, box, siem, NOW)
    expect(secret).toMatch(/^[\w-]{43}$/)
    expect(subscription).toEqual({
      ...siem,
      uuid: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-/),
      consecutiveFailures: 0,
      lastSuccessAt: null,
      lastFailureAt: null,
      lastError: null,
      autoDisabledAt: null,
      createdAt: NOW,
      updatedAt: NOW,
    })
    const rows = await database.select('select * from webhook_subscriptions')
    expect(JSON.stringify(rows)).not.toContain(secret)
    expect(await getReceiver(database, box, subscription.uuid)).toEqual({ subscription, secret })
    expect(await getWebhook(database, subscription.uuid)).toEqual(subscription)
    expect(await getWebhook(database, 'nobody')).toBeUndefined()
  })

  it('have names of their own, also when two are made at once', async () => {
    const database = await fresh()
    const both = await Promise.allSettled([
      createWebhook(database, box, siem, NOW),
      createWebhook(database, box, siem, NOW),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { code: 'WEBHOOK_NAME' },
    })
    const other = await createWebhook(database, box, { ...siem, name: 'soar' }, NOW + 1)
    const { uuid } = other.subscription
    await expect(updateWebhook(database, box, uuid, { name: 'siem' }, NOW)).rejects.toMatchObject({
      code: 'WEBHOOK_NAME',
    })
    expect(await isWebhookName(database, 'soar')).toBe(true)
    expect(await isWebhookName(database, 'soar', uuid)).toBe(false)
    expect((await listWebhooks(database)).map(({ name }) => name)).toEqual(['siem', 'soar'])
  })

  it('change only where something is new, and are deleted once', async () => {
    const database = await fresh()
    const { subscription, secret } = await createWebhook(database, box, siem, NOW)
    const { uuid } = subscription
    const same = { ...siem, secret }
    expect(await updateWebhook(database, box, uuid, same, NOW + 1)).toEqual({
      subscription,
      changed: false,
    })
    const changes = { url: 'http://x/', topicPatterns: ['custom.>'], secret: 's'.repeat(16) }
    expect(await updateWebhook(database, box, uuid, changes, NOW + 2)).toEqual({
      subscription: {
        ...subscription,
        url: 'http://x/',
        topicPatterns: ['custom.>'],
        updatedAt: NOW + 2,
      },
      changed: true,
    })
    expect((await getReceiver(database, box, uuid))?.secret).toBe('s'.repeat(16))
    expect(await updateWebhook(database, box, 'nobody', changes, NOW)).toBeUndefined()
    expect(await deleteWebhook(database, uuid)).toBe(true)
    expect(await deleteWebhook(database, uuid)).toBe(false)
  })

  it('trip once at the threshold however many failures are counted at once, and are armed again', async () => {
    const database = await fresh()
    const { subscription } = await createWebhook(database, box, siem, NOW)
    const { uuid } = subscription
    const fail = (count: number, threshold: number) =>
      Promise.all(
        Array.from({ length: count }, () =>
          database.transaction((statements) =>
            recordFailure(statements, uuid, `http 503 ${'é'.repeat(600)}`, { now: NOW, threshold }),
          ),
        ),
      )
    expect(await fail(4, 5)).toEqual([false, false, false, false])
    expect((await getWebhook(database, uuid))?.consecutiveFailures).toBe(4)
    await database.transaction((statements) => recordSuccess(statements, uuid, NOW + 1))
    expect(await getWebhook(database, uuid)).toMatchObject({
      consecutiveFailures: 0,
      lastError: null,
      lastSuccessAt: NOW + 1,
    })
    expect((await fail(8, 5)).filter(Boolean)).toHaveLength(1)
    const tripped = await getWebhook(database, uuid)
    expect(tripped).toMatchObject({ enabled: false, autoDisabledAt: NOW })
    expect(tripped?.consecutiveFailures).toBe(5)
    expect(tripped?.lastError).toHaveLength(512)
    expect(await enabledReceivers(database, box)).toEqual([])
    await database.transaction((statements) => recordSuccess(statements, uuid, NOW + 2))
    expect(await getWebhook(database, uuid)).toEqual(tripped)

    const armed = await updateWebhook(database, box, uuid, { enabled: true }, NOW + 3)
    expect(armed?.subscription).toMatchObject({
      enabled: true,
      autoDisabledAt: null,
      consecutiveFailures: 0,
      lastError: null,
    })
    await fail(1, 5)
    const again = await updateWebhook(database, box, uuid, { enabled: true }, NOW + 4)
    expect(again).toMatchObject({ changed: false, subscription: { consecutiveFailures: 1 } })
  })

  it('whose secret was sealed with another key fail alone, and say why', async () => {
    const database = await fresh()
    const other = makeSecretBox('another key, which is long enough too')
    await createWebhook(database, other, siem, NOW)
    const { secret } = await createWebhook(database, box, { ...siem, name: 'soar' }, NOW + 1)
    const [bad, good] = await enabledReceivers(database, box)
    expect(good).toMatchObject({ subscription: { name: 'soar' }, secret })
    expect(bad).toMatchObject({ secret: undefined, fault: expect.stringContaining('another key') })
    const { uuid } = bad?.subscription ?? { uuid: '' }
    await updateWebhook(database, box, uuid, { secret: 'a new secret of the same' }, NOW + 2)
    expect((await getReceiver(database, box, uuid))?.secret).toBe('a new secret of the same')
  })

  it('survive patterns that somebody else has written', async () => {
    const database = await fresh()
    const { subscription } = await createWebhook(database, box, siem, NOW)
    const patternsOf = async (json: string) => {
      await database.transaction((statements) =>
        statements.update('update webhook_subscriptions set topic_patterns = ?', [json]),
      )
      return (await getWebhook(database, subscription.uuid))?.topicPatterns
    }
    expect(await patternsOf('[')).toEqual([])
    expect(await patternsOf('{"a":1}')).toEqual([])
    expect(await patternsOf('["a.>",1,null,"b"]')).toEqual(['a.>', 'b'])
  })
})
