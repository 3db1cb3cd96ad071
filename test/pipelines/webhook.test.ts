import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Bus, busResource } from '../../bus/bus.ts'
import { memoryBus } from '../../bus/memory_bus.ts'
import { registry } from '../../cli/registry.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { type ResourceUse, silentLog } from '../../engine/context.ts'
import { startPipelines } from '../../engine/run.ts'
import { type Database, database, openDatabase } from '../../store/database.ts'
import { openSecretBox, secretBox } from '../../store/secret_box.ts'
import { storeDeliveries } from '../../store/webhook_deliveries.ts'
import { createWebhook, getWebhook, updateWebhook } from '../../store/webhook_subscriptions.ts'
import { RawPeer } from '../bus/broker.ts'
import { decnet, root } from '../cli/decnet.ts'
import { type ReceiverOptions, startReceiver } from '../services/receivers.ts'

const KEY = 'a key of the test, long enough for it'
const CHANGED = 'system.webhook.subscriptions_changed'
const box = openSecretBox(KEY, '/nowhere')
const text = readFileSync(join(root, 'pipelines/webhook.yaml'), 'utf8')

let dir = ''
let db: Database
const closing: (() => unknown)[] = []
beforeEach(async () => {
  vi.stubEnv('DECNET_WEBHOOK_ALLOW_PRIVATE', 'true')
  dir = mkdtempSync(join(tmpdir(), 'decnet-webhook-'))
  db = await openDatabase(`sqlite:${join(dir, 'w.db')}`)
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await db.close()
  rmSync(dir, { recursive: true, force: true })
  vi.unstubAllEnvs()
})

async function receiverOf(options?: ReceiverOptions) {
  const receiver = await startReceiver(options)
  closing.push(() => receiver.close())
  return receiver
}
async function subscribe(name: string, port: number, topicPatterns: readonly string[]) {
  const url = `http://127.0.0.1:${port}/`
  const webhook = { name, url, topicPatterns, enabled: true, secret: 'correct-horse-battery' }
  const { subscription } = await createWebhook(db, box, webhook, 1_000_000)
  return subscription.uuid
}

describe('the webhook pipeline', { timeout: 30_000 }, () => {
  async function started() {
    const bus: Bus = memoryBus()
    const { plan } = compilePipeline(text, 'webhook.yaml', { registry, env: {} })
    if (!plan) throw new Error('webhook.yaml does not compile')
    const use: ResourceUse = async ({ name }) => {
      const known = { [busResource.name]: bus, [database.name]: db, [secretBox.name]: box }
      return known[name] as never
    }
    const run = await startPipelines({
      plans: [plan],
      stateDir: dir,
      use,
      log: silentLog,
      fedFromOutside: true,
    })
    closing.push(async () => {
      run.stop()
      await run.done
      await bus.close()
    })
    return bus
  }
  async function running() {
    const api = await (await started()).connect('api')
    let said = 0
    const say = (topic: string, type: string, payload: Record<string, unknown> = {}) =>
      api.publish({ id: (said++).toString(16).padStart(32, '0'), topic, type, ts: 1.5, payload })
    // Heard once the pipeline listens.
    const probe = await receiverOf()
    await subscribe('probe', probe.port, ['probe'])
    await expect
      .poll(async () => {
        await say(CHANGED, 'changed')
        await say('probe', '')
        return probe.received.length
      })
      .toBeGreaterThan(0)
    return { say }
  }
  const topicsOf = (receiver: { received: readonly { body: string }[] }) =>
    receiver.received.map(({ body }) => (JSON.parse(body) as { topic: string }).topic)

  it('posts what fits, as it was said, and nothing else', async () => {
    const receiver = await receiverOf()
    const uuid = await subscribe('siem', receiver.port, ['attacker.>', 'attacker.observed'])
    const { say } = await running()
    await say('system.log', 'x')
    await say('attacker.observed', 'observed', { type: 'own', attacker_ip: '198.51.100.7' })
    await expect.poll(() => topicsOf(receiver)).toEqual(['attacker.observed'])
    expect(JSON.parse(receiver.received[0]?.body ?? '')).toMatchObject({
      payload: { type: 'own', attacker_ip: '198.51.100.7' },
      type: 'observed',
      ts: '1970-01-01T00:00:01.500000+00:00',
    })
    await expect.poll(async () => (await getWebhook(db, uuid))?.lastSuccessAt).toBeGreaterThan(0)
  })

  it('goes on at its start with what was left, though nothing is said', async () => {
    const receiver = await receiverOf()
    const subscription = await subscribe('siem', receiver.port, ['attacker.>'])
    const left = { subscription, eventId: 'ab'.repeat(16), topic: 'attacker.observed', body: '{}' }
    await storeDeliveries(db, [left], { backlog: 9, deadLetters: 9 }, 1_000_000)
    await started()
    await expect.poll(() => receiver.received.length).toBe(1)
  })

  it('takes up a new subscription before what is said after the news of it', async () => {
    const receiver = await receiverOf()
    const { say } = await running()
    await say('system.log', 'early')
    await subscribe('siem', receiver.port, ['system.>'])
    await say(CHANGED, 'changed')
    await say('system.log', 'late')
    await say('system.ingest.health', 'health')
    await say('system.ingest.control', 'control')
    await say('system.log', 'last')
    const typesOf = () =>
      receiver.received.map(({ body }) => (JSON.parse(body) as { type: string }).type)
    // Two are under way at once, so neighbours may arrive either way round.
    await expect.poll(() => typesOf().slice(-3).sort()).toEqual(['changed', 'last', 'late'])
    expect(new Set(topicsOf(receiver))).toEqual(new Set([CHANGED, 'system.log']))
  })

  it('stops at a receiver that fails, and goes on once it is armed again', async () => {
    vi.stubEnv('DECNET_WEBHOOK_CIRCUIT_THRESHOLD', '2')
    let status = 400
    const receiver = await receiverOf({ answer: () => status })
    const uuid = await subscribe('siem', receiver.port, ['attacker.>'])
    const { say } = await running()
    await say('attacker.observed', 'observed')
    await say('attacker.observed', 'observed')
    await expect.poll(async () => (await getWebhook(db, uuid))?.enabled).toBe(false)
    const posts = receiver.received.length
    await say('attacker.observed', 'observed')
    status = 200
    await updateWebhook(db, box, uuid, { enabled: true }, 2_000_000)
    await say(CHANGED, 'changed')
    await say('attacker.scored', 'scored')
    await expect.poll(() => topicsOf(receiver).slice(posts)).toEqual(['attacker.scored'])
  })
})

describe('the webhook worker', { timeout: 60_000 }, () => {
  const env = () => ({
    ...process.env,
    DECNET_DB_URL: `sqlite:${join(dir, 'w.db')}`,
    DECNET_BUS_TYPE: 'unix',
    DECNET_BUS_SOCKET: join(dir, 'bus.sock'),
    DECNET_STATE_DIR: join(dir, 'state'),
    DECNET_SECRET_KEY: KEY,
    DECNET_WEBHOOK_ALLOW_PRIVATE: 'true',
  })
  const start = (...args: string[]): ChildProcess => {
    const child = spawn(join(root, 'bin/decnet'), args, { env: env(), stdio: 'ignore' })
    closing.push(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    })
    return child
  }
  let said = 0
  /** As the API does it, which is at once: a process for each would take most of the time. */
  const publish = async () => {
    const panel = new RawPeer(join(dir, 'bus.sock'))
    const id = (said++).toString(16).padStart(32, '0')
    panel.say('PUB', 'attacker.observed', { id, type: 'observed', ts: 1.5, payload: { n: 1 } })
    await new Promise<void>((resolve) => panel.socket.end(resolve))
  }

  it('waits for a bus that comes later, outlives its restart, and stops when it is told to', async () => {
    const receiver = await receiverOf({ answer: (_post, nth) => (nth === 0 ? 400 : 200) })
    await subscribe('siem', receiver.port, ['attacker.>'])
    const worker = start('pipeline', 'run', 'webhook')
    const heard = async (count: number) =>
      expect
        .poll(
          async () => {
            await publish()
            return receiver.received.length
          },
          { timeout: 25_000, interval: 50 },
        )
        .toBeGreaterThanOrEqual(count)
    const first = start('bus', 'serve')
    await heard(1)
    first.kill('SIGTERM')
    await once(first, 'exit')
    start('bus', 'serve')
    await heard(receiver.received.length + 1)

    const dead = decnet(['webhook', 'dead', 'ls', '--webhook', 'siem'], { env: env() })
    expect(dead).toMatchObject({ code: 0, stdout: expect.stringContaining('non-retryable 400') })
    const before = receiver.received.length
    const replayed = decnet(['webhook', 'dead', 'replay', '--webhook', 'siem'], { env: env() })
    expect(replayed).toMatchObject({ code: 0, stdout: '1 to be tried again\n' })
    const ids = () => receiver.received.map(({ headers }) => headers['webhook-id'])
    // Others may be under way before it.
    await expect.poll(() => ids().slice(before), { timeout: 10_000 }).toContain(ids()[0])

    const asked = performance.now()
    worker.kill('SIGTERM')
    expect((await once(worker, 'exit'))[0]).toBe(0)
    expect(performance.now() - asked).toBeLessThan(15_000)
  })
})
