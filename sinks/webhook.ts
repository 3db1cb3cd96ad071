/** Posts events to those who subscribed to them. */
import { Type } from 'typebox'
import { defaultType } from '../bus/envelope.ts'
import { matcher, SUBSCRIPTION_PATTERN } from '../bus/topic.ts'
import { webhookSettings } from '../bus/webhook/settings.ts'
import { type Data, defineSink, type Event, jitter, pause, type Refusal } from '../engine/index.ts'
import { ProtocolError } from '../protocols/protocol_error.ts'
import { webhookBody } from '../protocols/webhook/body.ts'
import { withoutSecrets } from '../protocols/withheld.ts'
import { database } from '../store/database.ts'
import { secretBox } from '../store/secret_box.ts'
import type { Dispatcher } from './webhook/dispatcher.ts'

/** After a change of subscriptions, by whoever made it; after an outage of the bus, by its source. */
const RECONNECTED = 'system.bus.reconnected'
const RELOADS = new Set(['system.webhook.subscriptions_changed', RECONNECTED])
/** Characters of what the outbox has columns for. */
const ID_MAX = 64
const TOPIC_MAX = 4096
const BODY_MAX = 2 * 2 ** 20

export const webhook = defineSink({
  type: 'webhook',
  summary: 'Posts each event, signed, to every enabled webhook whose patterns fit its topic.',
  promise:
    'At least once: an event is written once it is stored in the database for each of its ' +
    'receivers, each of them is told in order as far as retries allow, and what a crash leaves open ' +
    'is told again, with the same id. What is given up stays as a dead delivery and can be replayed.',
  effect: 'at_least_once',
  goesOnAlone: true,
  config: Type.Object({
    exclude: Type.Array(Type.String({ pattern: SUBSCRIPTION_PATTERN, maxLength: 1024 }), {
      default: [],
      maxItems: 64,
      description: 'Topics nobody is told of, whatever his patterns, e.g. system.*.health.',
    }),
    envelope: Type.Boolean({
      default: false,
      description:
        'Whether data is {type, payload}, as a bus source with envelope makes it; else it is the ' +
        'payload, and the type is the event name in the topic.',
    }),
    in_flight: Type.Integer({
      default: 2,
      minimum: 1,
      maximum: 10,
      description:
        'Posts under way at once to one receiver, of 10 to all; 1: the next begins when one has ended.',
    }),
    backlog: Type.Integer({
      default: 10_000,
      minimum: 1,
      maximum: 1_000_000,
      description:
        'Deliveries that wait for one receiver, at most; the oldest become dead, counted as ' +
        'dropped_oldest.',
    }),
    dead_letters: Type.Integer({
      default: 10_000,
      minimum: 0,
      maximum: 1_000_000,
      description:
        'Dead deliveries kept for one receiver, at most; the oldest are deleted, counted as ' +
        'dead_letters_full.',
    }),
  }),
  examples: [
    { title: 'Tell whoever subscribed', yaml: 'type: webhook' },
    {
      title: 'What is said on the bus, but for the beats of workers',
      yaml: 'type: webhook\nenvelope: true\nexclude: [system.*.health, system.*.control]',
    },
  ],
  async open({ exclude, envelope, in_flight, backlog, dead_letters }, context) {
    // Only here, for every start of the program reads this file.
    const [{ Dispatcher }, { webhookClient }, { webhookGuard }] = await Promise.all([
      import('./webhook/dispatcher.ts'),
      import('../bus/webhook/client.ts'),
      import('../bus/webhook/guard.ts'),
    ])
    const { clock, log } = context
    const { allowPrivate, threshold } = webhookSettings(process.env)
    const now = () => clock.now()
    const dispatcher = new Dispatcher({
      database: await context.use(database),
      box: await context.use(secretBox),
      client: webhookClient({ guard: webhookGuard({ allowPrivate, now }), now }),
      pace: { now, pause, chance: jitter },
      log,
      count: (reason, by) => context.count(reason, by),
      limits: { backlog, deadLetters: dead_letters },
      threshold,
      inFlight: in_flight,
    })
    await dispatcher.start()
    const excluded = exclude.map(matcher)
    const isTold = ({ topic }: Event): boolean =>
      topic !== RECONNECTED && !excluded.some((matches) => matches(topic))
    return {
      async write(events) {
        const refusals: Refusal[] = []
        let batch: Event[] = []
        const tell = async (): Promise<void> => {
          const some = batch
          batch = []
          refusals.push(...(await announced(dispatcher, some, envelope, now() * 1000)))
        }
        for (const event of events) {
          if (RELOADS.has(event.topic)) {
            // What comes behind the news is for those the news is about.
            await tell()
            await dispatcher.reload()
          }
          if (isTold(event)) batch.push(event)
          else context.count('excluded')
        }
        await tell()
        return refusals
      },
      close: () => dispatcher.close(),
    }
  },
})

/** @returns the events that can never be told */
async function announced(
  dispatcher: Dispatcher,
  events: readonly Event[],
  envelope: boolean,
  nowMicros: number,
): Promise<readonly Refusal[]> {
  const refusals: Refusal[] = []
  const announcements = events.flatMap((event) => {
    const receivers = dispatcher.receiversOf(event.topic)
    if (receivers.length === 0) return []
    const body = bodyOf(event, envelope, nowMicros)
    if (typeof body === 'string') return [{ id: event.id, topic: event.topic, body, receivers }]
    refusals.push(body)
    return []
  })
  await dispatcher.announce(announcements)
  return refusals
}

function bodyOf(event: Event, envelope: boolean, nowMicros: number): string | Refusal {
  const { id, topic, time, data } = event
  if (id.length > ID_MAX || topic.length > TOPIC_MAX) {
    const message = `id longer than ${ID_MAX} or topic longer than ${TOPIC_MAX} characters`
    return { event, failure: { code: 'WEBHOOK_TOO_LARGE', message } }
  }
  const { type, payload } = envelope ? whole(data) : { type: defaultType(topic), payload: data }
  try {
    const told = { id, topic, type, ts: time / 1000, payload: withoutSecrets(payload) }
    const body = webhookBody(told, nowMicros)
    if (body.length <= BODY_MAX) return body
    const message = `a body of more than ${BODY_MAX} characters`
    return { event, failure: { code: 'WEBHOOK_TOO_LARGE', message } }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    return { event, failure: { code: error.code, message: error.message } }
  }
}

function whole({ type, payload }: Data): { type: string; payload: Data } {
  const isObject = typeof payload === 'object' && payload !== null && !Array.isArray(payload)
  return { type: typeof type === 'string' ? type : '', payload: isObject ? (payload as Data) : {} }
}
