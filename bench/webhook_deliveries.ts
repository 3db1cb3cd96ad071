/**
 * Events → posts of receivers in a process of their own: stored in the outbox, signed, posted, booked,
 * against a bare undici loop that posts the same bytes with as many requests under way and keeps
 * nothing. Two under way is what a receiver gets by default, ten what all together get. For shares of
 * the CPU rather than of time that others may want as well: DECNET_BENCH_CLOCK=cpu.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Agent } from 'undici'
import { webhookClient } from '../bus/webhook/client.ts'
import { webhookGuard } from '../bus/webhook/guard.ts'
import { silentLog } from '../engine/context.ts'
import { jitter, liveClock, pause } from '../engine/index.ts'
import { webhookBody } from '../protocols/webhook/body.ts'
import { Dispatcher } from '../sinks/webhook/dispatcher.ts'
import { openDatabase } from '../store/database.ts'
import { makeSecretBox } from '../store/secret_box.ts'
import { createWebhook } from '../store/webhook_subscriptions.ts'
import { goal, inScratch, pairedRatio, rounds, timesTable } from './_measure.ts'

const EVENTS = Number(process.argv[2] ?? 8000)
const BATCH = 512
/** Receivers of every event, where it is not one. */
const MANY = 8
const topicOf = (receivers: number): string => `attacker.observed_by_${receivers}`
/** Of the CPU, where little else is done; by the clock a busy machine shows anything. */
const GOAL = process.env.DECNET_BENCH_CLOCK === 'cpu' ? 0.5 : 0.25
const now = () => liveClock.now()

if (process.send) serve()
else await inScratch(measure)

function serve(): void {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.writeHead(200).end())
  })
  server.listen(0, '127.0.0.1', () => process.send?.(server.address()))
}

async function measure(folder: string): Promise<void> {
  const child = fork(import.meta.filename)
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const url = `http://127.0.0.1:${port}/`
  const database = await openDatabase(`sqlite:${join(folder, 'bench.db')}`)
  const box = makeSecretBox('a key of the benchmark, long enough for it')
  for (const receivers of [1, MANY]) {
    for (let n = 0; n < receivers; n += 1) {
      const name = `${n} of ${receivers}`
      const webhook = { name, url: `${url}${n}`, topicPatterns: [topicOf(receivers)] }
      await createWebhook(database, box, { ...webhook, enabled: true }, now() * 1000)
    }
  }

  let sent = 0
  const nextId = () => (sent++).toString(16).padStart(32, '0')
  const body = (id: string, topic: string) => {
    const payload = { attacker_ip: '198.51.100.7', decky: 'web-01', service: 'ssh', first_seen: '' }
    return webhookBody({ id, topic, type: 'observed', ts: 1.5, payload }, 0)
  }

  const decnet = async (receivers: number, inFlight: number): Promise<number> => {
    const topic = topicOf(receivers)
    const events = EVENTS / receivers
    let delivered = 0
    const all = Promise.withResolvers<void>()
    const dispatcher = new Dispatcher({
      database,
      box,
      client: webhookClient({ guard: webhookGuard({ allowPrivate: true, now }), now }),
      pace: { now, pause, chance: jitter },
      log: silentLog,
      count(reason, by = 1) {
        if (reason === 'delivered') delivered += by
        if (delivered === EVENTS) all.resolve()
      },
      limits: { backlog: EVENTS, deadLetters: EVENTS },
      threshold: 5,
      inFlight,
    })
    await dispatcher.start()
    const begun = performance.now()
    for (let at = 0; at < events; at += BATCH) {
      const told = dispatcher.receiversOf(topic)
      const some = Array.from({ length: Math.min(BATCH, events - at) }, nextId)
      await dispatcher.announce(
        some.map((id) => ({ id, topic, body: body(id, topic), receivers: told })),
      )
    }
    // Not by turns of the event loop: they would be counted as its work.
    await all.promise
    const taken = performance.now() - begun
    await dispatcher.close()
    return taken
  }

  const bare = async (receivers: number, inFlight: number): Promise<number> => {
    const topic = topicOf(receivers)
    const agent = new Agent({ connections: inFlight, allowH2: false })
    let left = EVENTS
    const begun = performance.now()
    const loop = async () => {
      while (left-- > 0) {
        const { body: answer } = await agent.request({
          origin: url.slice(0, -1),
          path: '/',
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: body(nextId(), topic),
        })
        await answer.dump()
      }
    }
    await Promise.all(Array.from({ length: inFlight }, loop))
    const taken = performance.now() - begun
    await agent.close()
    return taken
  }

  for (const [receivers, inFlight, underWay] of [
    [1, 2, 2],
    [1, 10, 10],
    [MANY, 2, 10],
  ] as const) {
    const what = `${receivers === 1 ? '1 receiver' : `${receivers} receivers`}, ${underWay} under way`
    const times = await rounds(
      {
        [`decnet, ${what}`]: () => decnet(receivers, inFlight),
        [`bare undici loop, ${underWay} under way`]: () => bare(receivers, underWay),
      },
      { count: 5, warmUp: 1 },
    )
    timesTable(times, EVENTS)
    const [ours = [], theirs = []] = times.values()
    goal(`deliveries over bare posts, ${what}`, pairedRatio(theirs, ours), { least: GOAL })
  }
  child.kill()
  await database.close()
}
