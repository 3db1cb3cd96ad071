/** What travels over the bus, and how a body from outside becomes one. */
import { isTopic } from './topic.ts'

/** Bytes of an encoded envelope, at most (spec/bus.md section 5). */
export const ENVELOPE_MAX_BYTES = 2 ** 20

/**
 * One message. `id`: 32 lower-case hex. `topic`: where it was published. `type`: short
 * discriminator. `ts`: seconds since the epoch, with a fraction. `payload`: a JSON object.
 * @see spec/bus.md section 1
 */
export interface Envelope {
  readonly v: 1
  readonly id: string
  readonly topic: string
  readonly type: string
  readonly ts: number
  readonly payload: Readonly<Record<string, unknown>>
}

/** What a publisher says; the bus adds `v`. */
export type Message = Omit<Envelope, 'v'>

/** Levels a payload is nested, at most: whoever reads it may do so by recursion. */
export const PAYLOAD_MAX_LEVELS = 64

const ID = /^[0-9a-f]{32}$/

/** Whether `text` can be the id of an event. */
export const isEventId = (text: unknown): text is string =>
  typeof text === 'string' && ID.test(text)

/** Whether `value` is nested deeper than any message is; itself it goes no deeper than that. */
export function isTooDeep(value: unknown, levels = PAYLOAD_MAX_LEVELS): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (levels === 0) return true
  if (Array.isArray(value)) return value.some((member) => isTooDeep(member, levels - 1))
  for (const key in value) {
    if (isTooDeep((value as Record<string, unknown>)[key], levels - 1)) return true
  }
  return false
}

/**
 * Reads an envelope that someone else wrote: never throws, never trusts its `topic` or `v`.
 * @param body decoded JSON of any shape
 * @param topic the topic it came in on
 * @param fallback `id` and `ts` (seconds) for a body that has none that can be used
 * @returns the envelope; `coerced` when its payload was no object, or nested too deep, and became
 *   `{}`
 * @see spec/bus.md section 1
 */
export function readEnvelope(
  body: unknown,
  topic: string,
  fallback: { readonly id: string; readonly ts: number },
): { readonly envelope: Envelope; readonly coerced: boolean } {
  const { id, type, ts, payload } = isObject(body) ? body : {}
  const usable = isObject(payload) && !isTooDeep(payload)
  const envelope: Envelope = {
    v: 1,
    id: isEventId(id) ? id : fallback.id,
    topic,
    type: textOf(type),
    ts: typeof ts === 'number' && Number.isFinite(ts) ? ts : fallback.ts,
    payload: usable ? payload : {},
  }
  // A missing payload means `{}`; only one of the wrong kind is worth counting.
  return { envelope, coerced: !usable && Boolean(payload) }
}

/**
 * The `type` that goes with a topic where nobody names one: for `<root>.<event name>` families the
 * whole event name, which may be dotted; for the others, which hold ids, the last segment.
 * @see spec/bus.md section 3
 * @example defaultType('credential.reuse.detected') // 'reuse.detected'
 */
export function defaultType(topic: string): string {
  const [root = ''] = topic.split('.', 1)
  const rest = topic.slice(root.length + 1)
  if (isTopic(topic) && rest !== '' && EVENT_ROOTS.has(root)) return rest
  return topic.slice(topic.lastIndexOf('.') + 1)
}
const EVENT_ROOTS = new Set(['attacker', 'identity', 'campaign', 'credential'])

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'object') return String(value)
  return isTooDeep(value) ? '' : JSON.stringify(value)
}
