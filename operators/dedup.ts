/** Drops repeats within a window of event time; with `when`, a rate limit for some events. */
import { Type } from 'typebox'
import { TOPIC_PATTERN } from '../bus/topic.ts'
import { cel, defineOperator, duration, EngineError, type Event, holds } from '../engine/index.ts'
import { keyText } from '../protocols/key_text.ts'
import { quote } from '../protocols/quote.ts'

/** Before any time a Date can tell; state is JSON, which has no infinity. */
const BEFORE_ALL = -8.64e15

/** Expressions a key may be made of. */
const MAX_PARTS = 16

const keyPart = cel({
  result: 'any',
  description: 'One part of the key, over id, topic, time and data.',
})

export const dedup = defineOperator({
  type: 'dedup',
  summary: 'Passes the first event of a key and drops its repeats for `window` of event time.',
  promise:
    'Exact across restarts for the keys it still holds; beyond `max_keys` the key longest unseen ' +
    'is forgotten, so a repeat may pass, and nothing is dropped that is no repeat.',
  config: Type.Object({
    key: Type.Optional(
      Type.Array(keyPart, {
        minItems: 1,
        maxItems: MAX_PARTS,
        description:
          'What makes two events repeats; default: nothing, for topics that `keys` does not name.',
      }),
    ),
    keys: Type.Record(
      Type.String({ pattern: TOPIC_PATTERN }),
      Type.Array(keyPart, { minItems: 1, maxItems: MAX_PARTS }),
      {
        default: {},
        maxProperties: 64,
        description: 'Topic to key, for topics of which each has its own; the topic is part of it.',
      },
    ),
    window: duration({
      description:
        'How long after the event that passed its repeats are dropped; they do not prolong it. ' +
        '0s: nothing is dropped.',
    }),
    when: Type.Optional(
      cel({
        result: 'bool',
        description: 'Only events this is true of are limited; default: all.',
      }),
    ),
    sum: Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
      default: [],
      maxItems: 16,
      description:
        'Fields of data that hold whole numbers, as such or as text: those of dropped repeats are ' +
        'added to the next event of the key that passes.',
    }),
    collect: Type.Record(Type.String({ minLength: 1 }), Type.String({ minLength: 1 }), {
      default: {},
      maxProperties: 16,
      description:
        'New field to field of data: the next event of the key that passes gets the distinct texts ' +
        'of the dropped repeats and its own, in order, comma-joined; 64 at most.',
    }),
  }),
  check: ({ key, keys }) => {
    if (key === undefined && Object.keys(keys).length === 0) {
      throw new EngineError('CONFIG', 'neither key nor keys says what makes two events repeats')
    }
  },
  state: Type.Object({
    until: Type.Number({ description: 'Event time (ms) at which the window of this key ends.' }),
    sums: Type.Optional(
      Type.Array(Type.Number(), { description: 'Of what was dropped, in the order of `sum`.' }),
    ),
    collected: Type.Optional(
      Type.Array(Type.Array(Type.String()), {
        description: 'Of what was dropped, in the order of `collect`.',
      }),
    ),
  }),
  examples: [
    {
      title: 'One connect or disconnect per attacker, decky and second',
      yaml:
        'type: dedup\nkey: [data.attacker_ip, data.decky, data.event_type]\nwindow: 1s\n' +
        'when: data.event_type in ["connect", "disconnect"]\nmax_keys: 10000\nttl: 60s',
      run: {
        send: [
          { time: 0, data: { attacker_ip: 'a', decky: 'd', event_type: 'connect' } },
          { time: 400, data: { attacker_ip: 'a', decky: 'd', event_type: 'connect' } },
          { time: 500, data: { attacker_ip: 'a', decky: 'd', event_type: 'command' } },
          { time: 1000, data: { attacker_ip: 'a', decky: 'd', event_type: 'connect' } },
        ],
        expect: [{ time: 0 }, { time: 500 }, { time: 1000 }],
      },
    },
    {
      title: 'Each kind of event by its own key, and nothing lost of what is counted',
      yaml:
        'type: dedup\nwindow: 300s\nkeys:\n  flow: [data.src_ip]\n  syn: [data.src_ip, data.class]\n' +
        'sum: [retransmits]\ncollect: { deckies_seen: decky }',
      run: {
        send: [
          { topic: 'flow', time: 0, data: { src_ip: 'a', retransmits: '1', decky: 'x' } },
          { topic: 'flow', time: 1, data: { src_ip: 'a', retransmits: '2', decky: 'y' } },
          { topic: 'other', time: 2, data: { src_ip: 'a' } },
          { topic: 'flow', time: 300_000, data: { src_ip: 'a', retransmits: '4', decky: 'x' } },
        ],
        expect: [
          { topic: 'flow', data: { retransmits: '1' } },
          { topic: 'other' },
          { topic: 'flow', data: { retransmits: '6', deckies_seen: 'x,y' } },
        ],
      },
    },
  ],
  keyed: ({ key, keys, window, when, sum, collect }, context) => {
    const byTopic = new Map(Object.entries(keys))
    const kept: Kept = { sum, collect: Object.entries(collect) }
    const keyOf = (event: Event): string | undefined => {
      const own = byTopic.get(event.topic)
      const parts = own ?? key
      if (!parts) return undefined
      const texts: unknown[] = own ? [event.topic] : []
      for (const part of parts) texts.push(part.evaluate(event))
      return keyText(texts)
    }
    return {
      key(event) {
        if (window === 0 || (when && !holds(when, event))) return undefined
        return keyOf(event)
      },
      init: (): Repeats => ({ until: BEFORE_ALL }),
      step(state: Repeats, event: Event) {
        // Less than a window apart on either side: an event that comes late is a repeat too. One
        // that is a window or more behind starts anew, so that a clock set back is limited at once.
        if (event.time < state.until && event.time > state.until - 2 * window) {
          const more = state.until - event.time
          context.explain?.(
            `a repeat of key ${quote(keyOf(event) ?? '')}, which passes again in ${more} ms`,
          )
          keep(state, event, kept)
          return undefined
        }
        state.until = event.time + window
        if (!state.sums && !state.collected) return event
        keep(state, event, kept)
        return withKept(state, event, kept)
      },
    }
  },
})

/** One key. */
interface Repeats {
  until: number
  sums?: number[]
  collected?: string[][]
}

/** Distinct texts of one field that are kept, and characters of each. */
const MOST_TEXTS = 64
const MOST_CHARACTERS = 255

/** What is kept of dropped events. */
interface Kept {
  readonly sum: readonly string[]
  /** pairs of new field and field */
  readonly collect: readonly (readonly [string, string])[]
}

function keep(state: Repeats, { data }: Event, { sum, collect }: Kept): void {
  for (let index = 0; index < sum.length; index++) {
    const value = data[sum[index] as string]
    if (value === undefined) continue
    const number = Number(value)
    if (!Number.isSafeInteger(number)) continue
    state.sums ??= sum.map(() => 0)
    const total = (state.sums[index] ?? 0) + number
    state.sums[index] = Math.min(total, Number.MAX_SAFE_INTEGER)
  }
  for (let index = 0; index < collect.length; index++) {
    const value = data[(collect[index] as readonly [string, string])[1]]
    if (typeof value !== 'string') continue
    state.collected ??= collect.map(() => [])
    const texts = state.collected[index]
    if (!texts || texts.length >= MOST_TEXTS) continue
    const text = value.length > MOST_CHARACTERS ? value.slice(0, MOST_CHARACTERS) : value
    if (!texts.includes(text)) texts.push(text)
  }
}

/** The event with what was kept, its own share included; nothing is kept any more. */
function withKept(state: Repeats, event: Event, { sum, collect }: Kept): Event {
  const data = { ...event.data }
  for (const [index, total] of (state.sums ?? []).entries()) {
    const field = sum[index]
    if (field === undefined || !Object.hasOwn(data, field)) continue
    data[field] = typeof data[field] === 'string' ? String(total) : total
  }
  for (const [index, texts] of (state.collected ?? []).entries()) {
    const [into] = collect[index] ?? []
    if (into !== undefined && texts.length > 0) data[into] = texts.toSorted().join(',')
  }
  delete state.sums
  delete state.collected
  return { ...event, data }
}
