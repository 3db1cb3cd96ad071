/** Makes the event of one NDJSON line. Not a component. */
import type { Data, Draft, Reject } from '../../engine/index.ts'
import { isoMicros } from '../../protocols/iso_time.ts'
import { lineTime } from '../../protocols/line_time.ts'
import { quote } from '../../protocols/quote.ts'
import { lineDraft, type RawLine } from './text_line.ts'

/** Deeper JSON is no log record; a bound keeps whoever walks it from running out of stack. */
const MAX_DEPTH = 64
/** How much of a line that cannot be used is shown. */
const SHOWN = 1024
/** A number below this is seconds (until the year 5138), above it milliseconds (since 1973). */
const SECONDS_BELOW = 1e11
/** What a Date can hold, ms. */
const LATEST = 8.64e15

const EVENT_ID = /^[0-9a-f]{32}$/
const EVENT_KEYS = new Set(['id', 'topic', 'time', 'data'])
const TOPIC = /^[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,15}$/

export interface JsonLineOptions {
  /** Topic of an object that is no event. */
  readonly topic: string
  /** Key that holds its time. */
  readonly time_field?: string
}

/**
 * An object that has the shape of an event (`topic`, `time`, `data`, maybe `id`, and nothing
 * else) is that event; any other object becomes the `data` of one.
 * @returns a Reject with `LINE_TOO_LONG`, `BAD_JSON`, `NOT_AN_OBJECT` or `TOO_DEEP` otherwise
 */
export function jsonDraft(
  line: RawLine,
  receivedAt: number,
  options: JsonLineOptions,
): Draft | Reject {
  const { text, truncated, id } = line
  const reject = (code: string, message: string): Reject => ({
    failure: { code, message },
    draft: lineDraft({ ...line, text: text.slice(0, SHOWN) }, receivedAt),
  })
  if (truncated) return reject('LINE_TOO_LONG', 'the line is longer than max_line')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return reject('BAD_JSON', `not JSON: ${quote(text)}`)
  }
  if (!isObject(value)) return reject('NOT_AN_OBJECT', `not a JSON object: ${quote(text)}`)
  // Each level takes two characters at least, so most lines cannot be too deep.
  if (text.length > MAX_DEPTH * 2 && isDeeper(value, MAX_DEPTH)) {
    return reject('TOO_DEEP', `nested deeper than ${MAX_DEPTH} levels`)
  }
  const event = asEvent(value)
  if (event) return event.id === undefined && id !== undefined ? { ...event, id } : event
  const time = timeOf(value, options.time_field) ?? lineTime(text) ?? receivedAt
  return { ...(id !== undefined && { id }), topic: options.topic, time, data: value }
}

const isObject = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function asEvent(value: Data): Draft | undefined {
  const { id, topic, time, data } = value
  if (typeof topic !== 'string' || typeof time !== 'number' || !isObject(data)) return undefined
  if (!TOPIC.test(topic) || Math.abs(time) > LATEST) return undefined
  if (!Object.keys(value).every((key) => EVENT_KEYS.has(key))) return undefined
  const known = typeof id === 'string' && EVENT_ID.test(id)
  return known ? { id, topic, time, data } : { topic, time, data }
}

/** @returns ms, or undefined where the field is absent or no time */
function timeOf(value: Data, field: string | undefined): number | undefined {
  if (field === undefined || !Object.hasOwn(value, field)) return undefined
  const given = value[field]
  if (typeof given === 'number') {
    const time = Math.abs(given) < SECONDS_BELOW ? given * 1000 : given
    return Math.abs(time) <= LATEST ? time : undefined
  }
  if (typeof given !== 'string') return undefined
  const time = isoMicros(given) / 1000
  return Number.isNaN(time) ? undefined : time
}

function isDeeper(value: object, levels: number): boolean {
  if (levels === 0) return true
  for (const inner of Object.values(value)) {
    if (typeof inner === 'object' && inner !== null && isDeeper(inner, levels - 1)) return true
  }
  return false
}
