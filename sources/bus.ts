/** Messages of the bus as events. */
import { Type } from 'typebox'
import { busResource, type Place, type Subscription } from '../bus/bus.ts'
import { busKeepsMessages } from '../bus/bus_type.ts'
import { type Envelope, isEventId, readEnvelope } from '../bus/envelope.ts'
import { PARTITIONS_MAX } from '../bus/nats/subject.ts'
import { isTopic, SUBSCRIPTION_PATTERN } from '../bus/topic.ts'
import { type Data, type Draft, defineSource, type Reject, size } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'

/** Messages per pull, at most. */
const CHUNK = 512

export const bus = defineSource({
  type: 'bus',
  summary: 'Messages on some topics of the bus; what this pipeline publishes itself is left out.',
  promise:
    'Over NATS replayable, at least once: the position is the place in the streams, and what a ' +
    'checkpoint or the journal has is acknowledged. Else not replayable: a message is there once, ' +
    'for those who listen. From a pipeline of the same process nothing is lost while overflow is ' +
    'block; from other processes, or with drop_oldest, the oldest messages go first, counted as ' +
    'queue_full, and what is said while the bus is away is gone.',
  replayable: () => busKeepsMessages(process.env),
  internal: true,
  config: Type.Object({
    patterns: Type.Array(Type.String({ pattern: SUBSCRIPTION_PATTERN, maxLength: 1024 }), {
      minItems: 1,
      maxItems: 64,
      description:
        'Topics to listen to: `*` is one segment, a final `>` one or more. A message that fits ' +
        'several comes once.',
    }),
    queue: Type.Integer({
      default: 1024,
      minimum: 1,
      maximum: 1_000_000,
      description: 'Messages held for this source, at most.',
    }),
    queue_bytes: size({ default: '16MiB', description: 'Bytes of messages held, at most.' }),
    overflow: Type.Enum(['block', 'drop_oldest'], {
      default: 'block',
      description:
        'When the queue is full: block lets publishers of this process wait; drop_oldest, and ' +
        'every transport that cannot wait, loses the oldest message. Over NATS nothing is lost.',
    }),
    partitions: Type.Optional(
      Type.Integer({
        minimum: 2,
        maximum: PARTITIONS_MAX,
        description:
          'Share the messages with other processes of this pipeline, by parts that are spread ' +
          'anew when one comes or goes: as many as partitions of the sinks that publish with ' +
          'partition_by. Over NATS only; what is not published in parts is not read.',
      }),
    ),
    reconnect_event: Type.Boolean({
      default: false,
      description:
        'Whether there is an event of topic system.bus.reconnected after the bus was away: what was ' +
        'said meanwhile is gone, and a db_poll that wakes by this source catches up at once. Over ' +
        'NATS what was said meanwhile still comes, and there is one only where a stream was lost.',
    }),
    envelope: Type.Boolean({
      default: false,
      description:
        'Whether data is {type, payload} as the message has them; else it is the payload, with the ' +
        "message's type added where the payload has none of its own.",
    }),
  }),
  examples: [
    { title: 'All that is said of credentials', yaml: 'type: bus\npatterns: [credential.>]' },
    {
      title: 'A share of them, each attacker in one process',
      yaml: 'type: bus\npatterns: [credential.captured]\npartitions: 16',
    },
    {
      title: 'A hint to look into the database, also after the bus was away',
      yaml: 'type: bus\npatterns: [attacker.observed, attacker.scored]\nreconnect_event: true',
    },
  ],
  shared: ({ partitions }) => partitions !== undefined,
  async *read(
    { patterns, queue, queue_bytes, overflow, partitions, reconnect_event, envelope },
    position: { received: number; place?: Place } | undefined,
    context,
  ) {
    const connection = await (await context.use(busResource)).connect(context.pipeline)
    const subscription = await connection.subscribe(patterns, {
      maxMessages: queue,
      maxBytes: queue_bytes,
      overflow,
      durable: {
        name: `${context.pipeline}_${context.node}`,
        from: position?.place,
        partitions,
        onFull: () => context.checkpointSoon?.(),
      },
      reconnected: reconnect_event,
    })
    // On a stop nothing more comes in, but what has come in is still handed on.
    const finish = () => subscription.finish()
    context.signal.addEventListener('abort', finish, { once: true })
    if (context.signal.aborted) finish()
    let received = position?.received ?? 0
    let dropped = 0
    try {
      for (;;) {
        const envelopes = await subscription.take(CHUNK)
        if (!envelopes) return
        if (subscription.dropped > dropped) {
          context.count(lossOf(subscription), subscription.dropped - dropped)
          dropped = subscription.dropped
        }
        received += envelopes.length
        const events = envelopes.map((message) => toDraft(message, envelope))
        const place = subscription.place?.()
        if (place === undefined) yield { events, position: { received } }
        else {
          const saved = () => subscription.settle?.(place)
          yield { events, position: { received, place }, saved }
        }
      }
    } finally {
      context.signal.removeEventListener('abort', finish)
      await connection.close()
    }
  },
  fromLine: (line, receivedAt, { envelope }) => fromLine(line, receivedAt, envelope),
})

/** Where messages wait in a stream none is lost for want of room, but some may be no messages. */
const lossOf = ({ place }: Subscription): string => (place ? 'bad_message' : 'queue_full')

/**
 * Unless it is to be `whole`, `data` is the payload; the envelope's `type` goes into `data.type`,
 * unless the payload has one: some topics carry several kinds of message that nothing else tells
 * apart.
 */
function toDraft({ id, topic, type, ts, payload }: Envelope, whole: boolean): Draft {
  const merged = Object.hasOwn(payload, 'type') ? payload : { ...payload, type }
  const data = whole ? { type, payload } : merged
  // To the microsecond: seconds as a double are that exact, and no more.
  const draft = { topic, time: Math.round(ts * 1e6) / 1000, data }
  return isEventId(id) ? { ...draft, id } : draft
}

/** A captured line: an event as `ndjson_file` writes it, or an envelope. */
function fromLine(line: string, receivedAt: number, whole: boolean): Draft | Reject {
  const read = parseObject(line)
  const topic = read?.topic
  if (!read || typeof topic !== 'string' || !isTopic(topic)) {
    return {
      failure: { code: 'BAD_MESSAGE', message: `no event and no message: ${quote(line)}` },
      draft: { topic: 'line', time: receivedAt, data: { line } },
    }
  }
  if ('payload' in read) {
    return toDraft(readEnvelope(read, topic, { id: '', ts: receivedAt / 1000 }).envelope, whole)
  }
  const time = Number.isFinite(read.time) ? (read.time as number) : receivedAt
  const data = isObject(read.data) ? read.data : {}
  return isEventId(read.id) ? { id: read.id, topic, time, data } : { topic, time, data }
}

function parseObject(line: string): Data | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return isObject(value) ? value : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

const isObject = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
