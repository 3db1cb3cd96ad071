/**
 * Events → posts of one receiver in a process of its own: stored in the outbox, signed, posted, booked,
 * against a bare undici loop that posts the same bytes with as many requests under way and keeps
 * nothing. Two under way is what a receiver gets by default.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { Agent } from 'undici'
import { webhookClient } from '../bus/webhook/client.ts'
import { webhookGuard } from '../bus/webhook/guard.ts'
import { silentLog } from '../engine/context.ts'
import { jitter, liveClock, pause, turn } from '../engine/index.ts'
import { webhookBody } from '../protocols/webhook/body.ts'
import { Dispatcher } from '../sinks/webhook/dispatcher.ts'
import { openDatabase } from '../store/database.ts'
import { makeSecretBox } from '../store/secret_box.ts'
import { createWebhook } from '../store/webhook_subscriptions.ts'
import { goal, inScratch, pairedRatio, rounds, timesTable } from './_measure.ts'

const EVENTS = Number(process.argv[2] ?? 5000)
const BATCH = 512
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
  const webhook = { name: 'bench', url, topicPatterns: ['attacker.>'], enabled: true }
  await createWebhook(database, box, webhook, now() * 1000)

  let sent = 0
  const nextId = () => (sent++).toString(16).padStart(32, '0')
  const body = (id: string) => {
    const payload = { attacker_ip: '198.51.100.7', decky: 'web-01', service: 'ssh', first_seen: '' }
    return webhookBody({ id, topic: 'attacker.observed', type: 'observed', ts: 1.5, payload }, 0)
  }

  const decnet = async (inFlight: number): Promise<number> => {
    let delivered = 0
    const dispatcher = new Dispatcher({
      database,
      box,
      client: webhookClient({ guard: webhookGuard({ allowPrivate: true, now }), now }),
      pace: { now, pause, chance: jitter },
      log: silentLog,
      count(reason, by = 1) {
        if (reason === 'delivered') delivered += by
      },
      limits: { backlog: EVENTS, deadLetters: EVENTS },
      threshold: 5,
      inFlight,
    })
    await dispatcher.start()
    const begun = performance.now()
    for (let at = 0; at < EVENTS; at += BATCH) {
      const receivers = dispatcher.receiversOf('attacker.observed')
      const some = Array.from({ length: Math.min(BATCH, EVENTS - at) }, nextId)
      await dispatcher.announce(
        some.map((id) => ({ id, topic: 'attacker.observed', body: body(id), receivers })),
      )
    }
    while (delivered < EVENTS) await turn()
    const taken = performance.now() - begun
    await dispatcher.close()
    return taken
  }

  const bare = async (inFlight: number): Promise<number> => {
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
          body: body(nextId()),
        })
        await answer.dump()
      }
    }
    await Promise.all(Array.from({ length: inFlight }, loop))
    const taken = performance.now() - begun
    await agent.close()
    return taken
  }

  for (const inFlight of [2, 10]) {
    const times = await rounds(
      {
        [`decnet, ${inFlight} under way`]: () => decnet(inFlight),
        [`bare undici loop, ${inFlight} under way`]: () => bare(inFlight),
      },
      { count: 5, warmUp: 1 },
    )
    timesTable(times, EVENTS)
    const [ours = [], theirs = []] = times.values()
    goal(
      `deliveries per second over bare posts, ${inFlight} under way`,
      pairedRatio(theirs, ours),
      {
        least: 0.1,
      },
    )
  }
  child.kill()
  await database.close()
}
