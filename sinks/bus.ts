/** Publishes events on the bus, without the secrets they hold. */
import { Type } from 'typebox'
import { type BusConnection, busResource } from '../bus/bus.ts'
import { BusError } from '../bus/bus_error.ts'
import { busKeepsMessages } from '../bus/bus_type.ts'
import { defaultType, type Message } from '../bus/envelope.ts'
import { PARTITIONS_MAX, partitionOf, partOf, WHOLE } from '../bus/nats/subject.ts'
import { isSegment, TOPIC_PATTERN } from '../bus/topic.ts'
import { cel, type Data, defineSink, type Event, type Refusal } from '../engine/index.ts'
import { keyText } from '../protocols/key_text.ts'
import { quote } from '../protocols/quote.ts'
import { WITHHELD, withoutSecrets } from '../protocols/withheld.ts'

const FIELD = `^(?!(?:${[...WITHHELD].join('|')})$).+$`

/** What the sheets fix about a topic, where nobody says otherwise. */
interface Family {
  readonly fields: readonly string[]
  /** Field of `data` that gives the envelope's `type`. */
  readonly typeField?: string
}
const FAMILIES: Readonly<Record<string, Family>> = {
  // spec/credential-reuse.md section 2: these five and nothing else, so that no later field of a
  // credential can slip out.
  'credential.captured': {
    fields: ['secret_sha256', 'secret_kind', 'attacker_ip', 'decky', 'service'],
  },
  // spec/log-format.md section 7
  'system.log': {
    fields: ['decky', 'service', 'event_type', 'attacker_ip', 'timestamp'],
    typeField: 'event_type',
  },
}

/** Stands for the name of a decky in a topic. */
const DECKY = '{decky}'
const hasDecky = (topic: string): boolean => topic.includes(DECKY)
/** Names that are logged, once each. */
const MOST_NOTED = 64

export const bus = defineSink({
  type: 'bus',
  summary: 'Publishes one message per event: id and time of the event, payload from its data.',
  promise:
    'Over NATS at least once: an event counts as written when the server has stored its message, ' +
    'and while it cannot, the sink waits; a repeat has the same id and is stored once. Over any ' +
    'other transport at most once per listener, and only to those who listen now: a bus that is ' +
    'down costs the message, counted as not_published, never the event.',
  effect: 'at_most_once',
  effectHere: () => (busKeepsMessages(process.env) ? 'at_least_once' : 'at_most_once'),
  internal: true,
  config: Type.Object({
    topic: Type.Union(
      [
        Type.String({ pattern: TOPIC_PATTERN, maxLength: 1024 }),
        Type.Array(Type.String({ pattern: TOPIC_PATTERN, maxLength: 1024 }), {
          minItems: 1,
          maxItems: 64,
        }),
      ],
      {
        description:
          'Where to publish; a constant, so that no outside text becomes a topic. Of a list, to that ' +
          'which is the topic of the event, so that messages of several topics keep their order.',
      },
    ),
    message_type: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description:
          "Its envelope's type; default: the event name in the topic, and for system.log the " +
          'event_type of the event.',
      }),
    ),
    type_from_topic: Type.Boolean({
      default: false,
      description: "The last segment of the event's own topic is its envelope's type.",
    }),
    fields: Type.Optional(
      Type.Array(Type.String({ pattern: FIELD }), {
        maxItems: 64,
        description:
          'Members of data to publish; default: those the topic is known for (credential.captured, ' +
          'system.log), else all. Secrets and raw lines are always left out.',
      }),
    ),
    partition_by: Type.Array(
      cel({ result: 'any', description: 'One part of the key, over id, topic, time and data.' }),
      {
        default: [],
        maxItems: 16,
        description:
          'Over NATS, spread the messages by this key, so that processes can share them and those ' +
          'of one key stay in order. None: whoever reads the topic in parts does not get them.',
      },
    ),
    partitions: Type.Integer({
      default: 16,
      minimum: 2,
      maximum: PARTITIONS_MAX,
      description: 'Parts they are spread over; the same wherever the topic is written or read.',
    }),
  }),
  examples: [
    { title: 'Announce captured credentials', yaml: 'type: bus\ntopic: credential.captured' },
    {
      title: 'Announce what the sniffer sees, each at its decky',
      yaml: 'type: bus\ntopic: decky.{decky}.traffic\ntype_from_topic: true',
    },
    {
      title: 'Announce what becomes of identities, in order',
      yaml: 'type: bus\ntopic: [identity.formed, identity.merged, identity.unmerged]',
    },
    {
      title: 'Announce bursts with three fields',
      yaml: 'type: bus\ntopic: attacker.login_burst\nfields: [attacker_ip, failures, window]',
    },
  ],
  async open(config, context) {
    const { topic, message_type, type_from_topic, fields, partition_by, partitions } = config
    const connection = await (await context.use(busResource)).connect(context.pipeline)
    const listed = typeof topic === 'string' ? [topic] : topic
    const makers = new Map(
      listed.map((one) => {
        const family = Object.hasOwn(FAMILIES, one) ? FAMILIES[one] : undefined
        const parts = {
          type: message_type,
          fields: fields ?? family?.fields,
          typeField: family?.typeField,
          fromTopic: type_from_topic,
        }
        return [one, messageMaker(one, parts)] as const
      }),
    )
    const message = (event: Event): Message => {
      const make = makers.get(typeof topic === 'string' ? topic : event.topic)
      if (make) return make(event)
      throw new BusError('BUS_TOPIC', `${quote(event.topic)} is not one of the topics of the sink`)
    }
    const noted = new Set<string>()
    const isNameless = (event: Event): boolean => {
      if (!listed.some(hasDecky) || isSegment(event.data.decky)) return false
      context.count('no_topic')
      const decky = quote(String(event.data.decky), 64)
      if (noted.size < MOST_NOTED && !noted.has(decky)) {
        noted.add(decky)
        context.log.warn({ decky }, 'its events are not published: the name cannot be in a topic')
      }
      return true
    }
    let down = false
    const publish = async (event: Event): Promise<Refusal | undefined> => {
      try {
        await connection.publish(message(event))
        down = false
      } catch (error) {
        if (!(error instanceof BusError)) throw error
        const { code } = error
        if (code === 'BUS_TOO_LARGE' || code === 'BUS_TOPIC')
          return { event, failure: { code, message: error.message } }
        // The row is the truth and the message only a hint, so the stream goes on without it.
        context.count('not_published')
        if (!down) context.log.warn({ topic, code }, 'the bus takes no messages; events go on')
        down = true
      }
      return undefined
    }
    const part = (event: Event): string => {
      if (partition_by.length === 0) return WHOLE
      const key = keyText(partition_by.map((one) => one.evaluate(event)))
      return partOf(partitionOf(key, partitions), partitions)
    }
    const store = connection.store?.bind(connection)
    if (store) {
      return {
        write: (events) =>
          storeAll(
            events.filter((event) => !isNameless(event)),
            message,
            part,
            store,
          ),
        close: () => connection.close(),
      }
    }
    return {
      async write(events) {
        const refusals: Refusal[] = []
        for (const event of events) {
          if (isNameless(event)) continue
          const refusal = await publish(event)
          if (refusal) refusals.push(refusal)
        }
        return refusals
      },
      close: () => connection.close(),
    }
  },
})

type Store = NonNullable<BusConnection['store']>

/** All at once; one by one only where one of them is such that it can never be stored. */
async function storeAll(
  events: readonly Event[],
  message: (event: Event) => Message,
  part: (event: Event) => string,
  store: Store,
): Promise<Refusal[]> {
  const refusals: Refusal[] = []
  const spread: { event: Event; message: Message; part: string }[] = []
  for (const event of events) {
    try {
      spread.push({ event, message: message(event), part: part(event) })
    } catch (error) {
      // A topic or a key that cannot be made of this event cannot be made of it later.
      const text = error instanceof Error ? error.message : String(error)
      const code = error instanceof BusError ? error.code : 'BUS_PARTITION'
      refusals.push({ event, failure: { code, message: text.slice(0, 500) } })
    }
  }
  const storeSome = async (some: typeof spread): Promise<void> => {
    try {
      await store(
        some.map((one) => one.message),
        some.map((one) => one.part),
      )
    } catch (error) {
      if (!(error instanceof BusError) || error.code !== 'BUS_TOO_LARGE') throw error
      const [only] = some
      if (some.length > 1) for (const one of some) await storeSome([one])
      else if (only) {
        const { code, message: text } = error
        refusals.push({ event: only.event, failure: { code, message: text } })
      }
    }
  }
  await storeSome(spread)
  return refusals
}

interface MessageParts {
  readonly type: string | undefined
  readonly fields: readonly string[] | undefined
  readonly typeField: string | undefined
  readonly fromTopic: boolean
}

function messageMaker(topic: string, parts: MessageParts): (event: Event) => Message {
  const { fields, typeField, fromTopic } = parts
  const fallback = defaultType(topic)
  return ({ id, time, data, topic: eventTopic }) => {
    const type = fromTopic ? eventTopic.slice(eventTopic.lastIndexOf('.') + 1) : parts.type
    const own = typeField === undefined ? undefined : data[typeField]
    return {
      id,
      topic: hasDecky(topic) ? topic.replace(DECKY, () => String(data.decky)) : topic,
      type: type ?? (typeof own === 'string' ? own : fallback),
      ts: time / 1000,
      payload: fields ? pick(data, fields) : withoutSecrets(data),
    }
  }
}

function pick(data: Data, fields: readonly string[]): Data {
  const picked = fields.filter((field) => Object.hasOwn(data, field))
  return withoutSecrets(Object.fromEntries(picked.map((field) => [field, data[field]])))
}
