/** Counts and measures events per key in windows of event time. */
import { Type } from 'typebox'
import { TOPIC_PATTERN } from '../bus/topic.ts'
import { cel, type Data, defineOperator, duration, EngineError } from '../engine/index.ts'
import {
  AGGREGATES,
  addTo,
  mergeInto,
  newTally,
  prepare,
  resultOf,
  type Tally,
} from '../protocols/aggregate.ts'
import { canonicalJson } from '../protocols/canonical_json.ts'
import { eventTime } from '../protocols/iso_time.ts'

/** Expressions a key may be made of, and aggregates of one window. */
const MAX_PARTS = 16
/** Windows one event may lie in, and windows of one key that lateness keeps open. */
const MAX_OPEN = 1000
/** Windows named in a reason. */
const MAX_TOLD = 8
/** `key`, `window_start`, `window_end` and `capped` are the window's own. */
const NAME = '^(?!(?:key|window_start|window_end|capped)$)[a-z][a-z0-9_]{0,62}$'

/** A window that has not closed yet. `end` is the first moment after it; both in ms. */
interface Open {
  start: number
  end: number
  tallies: Record<string, Tally>
}

/** Lengths in ms, as the kind of window has them. */
interface Shape {
  readonly kind: 'tumbling' | 'sliding' | 'session'
  readonly size: number
  readonly slide: number
  readonly gap: number
}

export const window = defineOperator({
  type: 'window',
  summary:
    'One event per key and window of event time, with counts, sums, extremes and distinct values.',
  promise:
    'The same results in any order of arrival within `lateness`, and across restarts. A window ' +
    'closes when event time has passed its end by `lateness`; live, when every source has been ' +
    'silent for 1 s, event time follows the clock, so the last window closes as well. An event ' +
    'all of whose windows have closed goes to <node>.errors as LATE. A key beyond `max_keys` or ' +
    '`ttl` takes its open windows with it, counted.',
  config: Type.Object({
    kind: Type.Enum(['tumbling', 'sliding', 'session'], {
      default: 'tumbling',
      description:
        'tumbling: adjacent windows of `size`; sliding: windows of `size` that begin every `slide`; ' +
        'session: from the first event of a key to `gap` after its last.',
    }),
    size: Type.Optional(
      duration({ description: 'Length of a tumbling or sliding window, whole ms.' }),
    ),
    slide: Type.Optional(
      duration({ description: 'Time between the starts of sliding windows, at most `size`.' }),
    ),
    gap: Type.Optional(duration({ description: 'Silence that ends a session window, whole ms.' })),
    lateness: duration({
      default: '0s',
      description: 'How long after its end a window still waits for events that come late.',
    }),
    key: Type.Array(
      cel({ result: 'any', description: 'One part of the key, over id, topic, time and data.' }),
      {
        default: [],
        maxItems: MAX_PARTS,
        description: 'What has windows of its own; none: one window for all events.',
      },
    ),
    aggregate: Type.Record(
      Type.String({ pattern: NAME }),
      Type.Object({
        op: Type.Enum([...AGGREGATES], {
          description:
            'count; sum, min, max of numbers; first, last by event time; distinct: how many values.',
        }),
        of: Type.Optional(
          cel({ result: 'any', description: 'The value, over id, topic, time and data.' }),
        ),
      }),
      {
        default: { count: { op: 'count' } },
        minProperties: 1,
        maxProperties: MAX_PARTS,
        additionalProperties: false,
        description: 'Field of the result to what it is; every `op` but count needs `of`.',
      },
    ),
    max_distinct: Type.Integer({
      default: 1000,
      minimum: 1,
      maximum: 100_000,
      description: 'Distinct values kept per window; one with more is named in `capped`.',
    }),
    topic: Type.String({
      default: 'window.closed',
      pattern: TOPIC_PATTERN,
      maxLength: 1024,
      description: 'Topic of the results; a constant.',
    }),
  }),
  state: Type.Object({
    open: Type.Array(
      Type.Object({
        start: Type.Number(),
        end: Type.Number(),
        tallies: Type.Record(Type.String(), Type.Unknown()),
      }),
    ),
  }),
  examples: [
    {
      title: 'Attempts and distinct deckies per attacker and minute',
      yaml:
        'type: window\nsize: 1m\nkey: [data.attacker_ip]\naggregate:\n  attempts: { op: count }\n' +
        '  deckies: { op: distinct, of: data.decky }',
      run: {
        send: [
          { time: 1000, data: { attacker_ip: 'a', decky: 'd1' } },
          { time: 59_999, data: { attacker_ip: 'a', decky: 'd2' } },
          { time: 60_000, data: { attacker_ip: 'b', decky: 'd1' } },
        ],
        expect: [
          {
            topic: 'window.closed',
            time: 60_000,
            data: { window_start: 0, window_end: 60_000, key: ['a'], attempts: 2, deckies: 2 },
          },
        ],
      },
    },
    {
      title: 'Bytes of a session that five minutes of silence end',
      yaml:
        'type: window\nkind: session\ngap: 5m\nlateness: 10s\nkey: [data.attacker_ip]\n' +
        'aggregate:\n  bytes: { op: sum, of: data.bytes }',
    },
  ],
  check: (config) => {
    shapeOf(config)
    const [name] =
      Object.entries(config.aggregate).find(([, { op, of }]) => op !== 'count' && !of) ?? []
    if (name !== undefined) {
      throw new EngineError('WINDOW', `aggregate "${name}" needs "of", the value it is made of`)
    }
  },
  keyed: (config, context) => {
    const shape = shapeOf(config)
    const { lateness, key, max_distinct, topic } = config
    const aggregates = Object.entries(config.aggregate)
    // Live, a time from the future does not drag time along, so it must not open windows either.
    const ahead = shape.size + shape.gap + lateness

    /** Of another kind it comes from an earlier config and is no count of ours. */
    const tallyOf = (tallies: Open['tallies'], name: string, op: Tally['kind']): Tally => {
      const known = Object.hasOwn(tallies, name) ? tallies[name] : undefined
      if (known?.kind === op) return known
      const made = newTally(op)
      tallies[name] = made
      return made
    }

    return {
      key: (event) => canonicalJson(key.map((part) => part.evaluate(event))),
      init: () => ({ open: [] }),
      step(state, event, timers) {
        const { time } = event
        const now = timers.now()
        const values = aggregates.map(([name, { op, of }]) => {
          return { name, op, value: prepare(op, of?.evaluate(event)) }
        })
        if (time > now + ahead) throw new EngineError('AHEAD', 'the event is from the future')
        const open = state.open as Open[]
        const spans = spansOf(shape, time)
        const wanted = spans.filter(
          ({ start, end }) =>
            end + lateness > now ||
            // A session that is still open takes in what lies within its gap, however late.
            (shape.kind === 'session' && open.some((one) => one.start < end && start < one.end)),
        )
        if (wanted.length < spans.length) {
          const gone = spans.filter((span) => !wanted.includes(span))
          context.explain?.(`late: event time is ${eventTime(now)}, closed is ${spanTexts(gone)}`)
        }
        if (wanted.length === 0) throw new EngineError('LATE', 'its window has closed')
        if (wanted.length < spans.length) context.count('late_in_part')
        const counted: Span[] = []
        for (const span of wanted) {
          const into =
            shape.kind === 'session'
              ? joined(open, span, aggregates, max_distinct, (end) => timers.cancel(end + lateness))
              : found(open, span)
          // Asked for by every event, so that each leads to what the window tells.
          timers.at(into.end + lateness)
          for (const { name, op, value } of values) {
            addTo(tallyOf(into.tallies, name, op), value, time, max_distinct)
          }
          counted.push(into)
        }
        context.explain?.(`counted in the ${shape.kind} window ${spanTexts(counted)}`)
        return undefined
      },
      onTimer(state, time, keyText, timers) {
        const open = state.open as Open[]
        const closing = open.filter(({ end }) => end + lateness <= time)
        state.open = open.filter(({ end }) => end + lateness > time)
        if (state.open.length === 0) timers.forget()
        closing.sort((a, b) => a.end - b.end)
        return closing.map(({ start, end, tallies }) => {
          const data: Data = { window_start: start, window_end: end, key: JSON.parse(keyText) }
          const capped: string[] = []
          for (const [name, { op }] of aggregates) {
            const tally = tallyOf(tallies, name, op)
            data[name] = resultOf(tally)
            if (tally.kind === 'distinct' && tally.capped) capped.push(name)
          }
          return { topic, time: end, data: { ...data, capped } }
        })
      },
    }
  },
})

/** @throws {EngineError} `WINDOW` where the lengths do not fit the kind, or one another */
function shapeOf(config: {
  kind: Shape['kind']
  size?: number
  slide?: number
  gap?: number
  lateness: number
}): Shape {
  const { kind, lateness } = config
  const needs = { tumbling: ['size'], sliding: ['size', 'slide'], session: ['gap'] } as const
  const given = (['size', 'slide', 'gap'] as const).filter((name) => config[name] !== undefined)
  const needed: readonly string[] = needs[kind]
  if (given.length !== needed.length || given.some((name) => !needed.includes(name))) {
    throw new EngineError('WINDOW', `a ${kind} window takes ${needed.join(' and ')}`)
  }
  const { size = 0, slide = size, gap = 0 } = config
  for (const name of given) {
    if (Number.isInteger(config[name]) && (config[name] ?? 0) > 0) continue
    throw new EngineError('WINDOW', `"${name}" must be whole milliseconds, 1ms at least`)
  }
  if (slide > size) throw new EngineError('WINDOW', '"slide" must not be longer than "size"')
  if (2 * (size + gap + lateness) > MAX_OPEN * (slide + gap)) {
    throw new EngineError('WINDOW', `over ${MAX_OPEN / 2} windows of a key would be open at once`)
  }
  return { kind, size, slide, gap }
}

/** The windows a moment lies in, latest first; of a session, what it would be by itself. */
function spansOf(
  { kind, size, slide, gap }: Shape,
  time: number,
): { start: number; end: number }[] {
  if (kind === 'session') return [{ start: time, end: time + gap }]
  const spans: { start: number; end: number }[] = []
  for (let start = Math.floor(time / slide) * slide; start + size > time; start -= slide) {
    spans.push({ start, end: start + size })
  }
  return spans
}

type Span = Pick<Open, 'start' | 'end'>

function spanTexts(spans: readonly Span[]): string {
  const shown = spans
    .slice(0, MAX_TOLD)
    .map(({ start, end }) => `${eventTime(start)} to ${eventTime(end)}`)
  if (spans.length > MAX_TOLD) shown.push(`${spans.length - MAX_TOLD} more`)
  return shown.join(', ')
}

function found(open: Open[], { start, end }: Span): Open {
  const known = open.find((one) => one.start === start && one.end === end)
  if (known) return known
  const made: Open = { start, end, tallies: {} }
  open.push(made)
  return made
}

/** One session of everything that `span` touches, itself included. */
function joined(
  open: Open[],
  span: Span,
  aggregates: readonly (readonly [string, { op: Tally['kind'] }])[],
  most: number,
  closesNot: (end: number) => void,
): Open {
  const touched = open.filter((one) => one.start < span.end && span.start < one.end)
  const [first] = touched
  const session = first ?? { ...span, tallies: {} }
  if (!first) open.push(session)
  for (const { end } of touched) closesNot(end)
  for (const other of touched.slice(1)) {
    for (const [name, { op }] of aggregates) {
      const from = other.tallies[name]
      if (from?.kind !== op) continue
      const into = session.tallies[name]
      if (into?.kind === op) mergeInto(into, from, most)
      else session.tallies[name] = from
    }
    open.splice(open.indexOf(other), 1)
  }
  session.start = Math.min(span.start, ...touched.map(({ start }) => start))
  session.end = Math.max(span.end, ...touched.map(({ end }) => end))
  return session
}
