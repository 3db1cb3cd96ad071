import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../store/database.ts'
import { makeSecretBox } from '../../store/secret_box.ts'
import { createWebhook } from '../../store/webhook_subscriptions.ts'
import { root, scratchFolder } from '../cli/decnet.ts'
import { testDatabases } from '../services/databases.ts'
import { startReceiver } from '../services/receivers.ts'
import { seededRandom } from './mutate.ts'
import { times } from './pipelines.ts'

const KEY = 'a key of the test, long enough for it'
const EVENTS = 20_000
const KILLS = times('KILLS', 20)
/** Posts that have arrived and are not booked yet, at most: of each receiver's own window and what it holds back. */
const OPEN = 16 + 256

const idOf = (n: number) => n.toString(16).padStart(32, '0')
const lines = Array.from({ length: EVENTS }, (_, n) =>
  JSON.stringify({
    id: idOf(n),
    topic: 'attacker.observed',
    time: 1_772_355_600_000 + n,
    data: {},
  }),
)
const PIPELINE = (path: string) => `
name: kills
description: Events of a file to webhooks
sources:
  events: { type: ndjson_file, path: ${JSON.stringify(path)} }
sinks:
  receivers: { type: webhook, inputs: [events], backlog: 100000 }
settings: { checkpoint: { interval: 1s } }
`

describe.each(testDatabases)('webhooks on %s', (_, databases) => {
  beforeAll(() => databases.start(), 120_000)
  afterAll(() => databases.stop())

  it(`tell two receivers of every event through ${KILLS} kills at random moments`, async () => {
    const dir = scratchFolder()
    writeFileSync(join(dir, 'events.ndjson'), `${lines.join('\n')}\n`)
    const pipeline = join(dir, 'kills.yaml')
    writeFileSync(pipeline, PIPELINE(join(dir, 'events.ndjson')))
    const random = seededRandom(times('SEED', 9))
    const told = [0, 1].map(() => ({ posts: 0, ids: new Set<string>() }))
    const receivers = await Promise.all(
      told.map((one, which) =>
        startReceiver({
          // Two posts are under way at a time: slow enough that all kills come before the end.
          delay: 2,
          answer({ headers }) {
            // One of them fails now and then, which costs its delivery a second.
            if (which === 1 && random() < 0.002) return 503
            one.posts += 1
            one.ids.add(String(headers['webhook-id']))
            return 200
          },
        }),
      ),
    )
    const url = await databases.fresh()
    const database = await openDatabase(url)
    for (const [which, { port }] of receivers.entries()) {
      const webhook = { name: `to ${which}`, topicPatterns: ['>'], enabled: true }
      const place = { url: `http://127.0.0.1:${port}/` }
      await createWebhook(database, makeSecretBox(KEY), { ...webhook, ...place }, which + 1)
    }
    const env = {
      ...process.env,
      DECNET_DB_URL: url,
      DECNET_SECRET_KEY: KEY,
      DECNET_WEBHOOK_ALLOW_PRIVATE: 'true',
    }
    const start = () =>
      spawn(
        join(root, 'bin/decnet'),
        ['pipeline', 'run', pipeline, '--state-dir', join(dir, 'state')],
        { env, stdio: 'ignore' },
      )
    for (let kill = 0; kill < KILLS; kill += 1) {
      const child = start()
      const ended = once(child, 'exit')
      setTimeout(() => child.kill('SIGKILL'), 300 + random() * 1500)
      expect((await ended)[1]).toBe('SIGKILL')
    }
    const counts = () => told.map(({ ids }) => ids.size)
    expect(Math.max(...counts())).toBeLessThan(EVENTS)
    const last = start()
    await expect.poll(counts, { timeout: 240_000, interval: 500 }).toEqual([EVENTS, EVENTS])
    last.kill('SIGTERM')
    expect((await once(last, 'exit'))[0]).toBe(0)
    const repeats = told.map(({ posts }) => posts - EVENTS)
    process.stdout.write(`repeats after ${KILLS} kills: ${repeats.join(', ')}\n`)
    for (const count of repeats) expect(count).toBeLessThanOrEqual(KILLS * OPEN)
    const left = await database.select(
      `select count(*) as n from webhook_deliveries where state <> 'delivered'`,
    )
    expect(Number(left[0]?.n)).toBe(0)
    await database.close()
    for (const receiver of receivers) await receiver.close()
    rmSync(dir, { recursive: true })
  }, 600_000)
})
