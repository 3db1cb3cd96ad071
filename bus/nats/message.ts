/** Envelopes as NATS messages, and back. */
import { createHash } from 'node:crypto'
import { BusError } from '../bus_error.ts'
import { ENVELOPE_MAX_BYTES, type Envelope, type Message, readEnvelope } from '../envelope.ts'
import { topicOf } from './subject.ts'

/** Name of the peer that published, and the process it is in. */
export const PEER_HEADER = 'Decnet-Peer'
export const PROCESS_HEADER = 'Decnet-Process'

/** Nested deeper than this is no message: whoever walks it later must not run out of stack. */
const MAX_DEPTH = 64

/**
 * @returns the JSON of spec/bus.md section 1, in its order of keys
 * @throws {BusError} `BUS_TOO_LARGE`
 */
export function encodeEnvelope({ id, topic, type, ts, payload }: Message): Uint8Array {
  const bytes = Buffer.from(JSON.stringify({ v: 1, id, topic, type, ts, payload }))
  if (bytes.length <= ENVELOPE_MAX_BYTES) return bytes
  throw new BusError('BUS_TOO_LARGE', `a message of more than ${ENVELOPE_MAX_BYTES} bytes`)
}

/**
 * Reads what anybody may have published.
 * @param place what is the same at every delivery, e.g. stream and sequence: an id is made of it
 *   where the message has none
 * @param now ms, for a message without a time
 * @returns undefined where it is no message
 */
export function decodeEnvelope(
  prefix: string,
  subject: string,
  data: Uint8Array,
  place: string,
  now: number,
): Envelope | undefined {
  const topic = topicOf(prefix, subject)
  if (topic === undefined || data.length > ENVELOPE_MAX_BYTES) return undefined
  const text = Buffer.from(data.buffer, data.byteOffset, data.length).toString('utf8')
  const body = text === '' ? {} : parse(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  if (isDeep(body, 0)) return undefined
  const id = createHash('sha256').update(place).digest('hex').slice(0, 32)
  return readEnvelope(body, topic, { id, ts: now / 1000 }).envelope
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function isDeep(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (depth > MAX_DEPTH) return true
  return Object.values(value).some((item) => isDeep(item, depth + 1))
}
