/** A dispatcher with a real database and real receivers, whose time is the test's. */
import { setImmediate as turn } from 'node:timers/promises'
import { type WebhookPost, webhookClient } from '../../../bus/webhook/client.ts'
import { webhookGuard } from '../../../bus/webhook/guard.ts'
import { Dispatcher } from '../../../sinks/webhook/dispatcher.ts'
import type { Pace } from '../../../sinks/webhook/parts.ts'
import type { Database } from '../../../store/database.ts'
import { makeSecretBox } from '../../../store/secret_box.ts'
import { createWebhook, type NewWebhook } from '../../../store/webhook_subscriptions.ts'

export const START = 1_772_355_600_000
export const box = makeSecretBox('a key of the test, long enough for it')

/** Pauses as short as this are none to a test: bookings that wait for each other, ms. */
const BRIEF = 50

/** Time that only the test moves; pauses up to `through` ms take none. */
interface TestPace extends Pace {
  through: number
  /** ms of each pause, in order */
  readonly pauses: readonly number[]
  /** Ends every pause that is over by then. */
  advance(ms: number): void
  /** Pauses that have not ended. */
  readonly waiting: number
}

function testPace(): TestPace {
  let time = START
  const pauses: number[] = []
  const waiting = new Set<{ at: number; end: () => void }>()
  return {
    through: 0,
    pauses,
    now: () => time,
    chance: () => 0.5,
    get waiting() {
      return waiting.size
    },
    async pause(ms, signal) {
      if (ms <= BRIEF) return turn()
      pauses.push(ms)
      if (signal.aborted) return
      if (ms <= this.through) return turn()
      await new Promise<void>((resolve) => {
        const one = { at: time + ms, end: () => end() }
        const end = () => {
          waiting.delete(one)
          signal.removeEventListener('abort', end)
          resolve()
        }
        signal.addEventListener('abort', end, { once: true })
        waiting.add(one)
      })
    },
    advance(ms) {
      time += ms
      for (const one of [...waiting]) if (one.at <= time) one.end()
    },
  }
}

export interface Dispatching {
  readonly dispatcher: Dispatcher
  readonly pace: TestPace
  readonly counted: Record<string, number>
  readonly logged: string[]
  /** Stores events `from` to `to` of a topic for whoever wants them. */
  announce(topic: string, from: number, to?: number): Promise<void>
}

export const eventId = (n: number): string => n.toString(16).padStart(32, '0')

export async function dispatching(
  database: Database,
  more: {
    threshold?: number
    inFlight?: number
    backlog?: number
    deadLetters?: number
    /** instead of 10 s for an answer, ms of the host's time */
    stepMs?: number
    /** told of each post before it is made */
    onPost?: (post: WebhookPost) => void
  } = {},
): Promise<Dispatching> {
  const {
    threshold = 5,
    inFlight = 2,
    backlog = 20_000,
    deadLetters = 20_000,
    stepMs,
    onPost,
  } = more
  const pace = testPace()
  const counted: Record<string, number> = {}
  const logged: string[] = []
  const log = (fields: object, message: string) => {
    logged.push(`${message} ${JSON.stringify(fields)}`)
  }
  const now = () => pace.now()
  const guard = webhookGuard({ allowPrivate: true, now })
  const client = webhookClient({ guard, now, ...(stepMs !== undefined && { stepMs }) })
  const dispatcher = new Dispatcher({
    database,
    box,
    client: {
      attempt(post, signal) {
        onPost?.(post)
        return client.attempt(post, signal)
      },
      close: () => client.close(),
    },
    pace,
    log: { debug: log, info: log, warn: log, error: log },
    count(reason, by = 1) {
      counted[reason] = (counted[reason] ?? 0) + by
    },
    limits: { backlog, deadLetters },
    threshold,
    inFlight,
  })
  await dispatcher.start()
  return {
    dispatcher,
    pace,
    counted,
    logged,
    async announce(topic, from, to = from) {
      const receivers = dispatcher.receiversOf(topic)
      const numbers = Array.from({ length: to - from + 1 }, (_, index) => from + index)
      await dispatcher.announce(
        numbers.map((n) => ({ id: eventId(n), topic, body: `{"id":"${eventId(n)}"}`, receivers })),
      )
    },
  }
}

/** @returns the uuid of a new webhook at a port of this host */
export async function subscribe(
  database: Database,
  name: string,
  port: number,
  more: Partial<NewWebhook> = {},
): Promise<string> {
  const url = `http://127.0.0.1:${port}/`
  const webhook = { name, url, topicPatterns: ['attacker.>'], enabled: true, ...more }
  const { subscription } = await createWebhook(database, box, webhook, START * 1000)
  return subscription.uuid
}
