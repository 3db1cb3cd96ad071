/** Handshake messages out of the first bytes of one TCP direction, while they are in clear. */
import { u16, u24 } from '../big_endian.ts'
import { type HandshakeMessage, handshakeType, MESSAGE_HEADER } from './handshake_message.ts'

const ALERT_RECORD = 21
const HANDSHAKE_RECORD = 22
const RECORD_HEADER = 5
const ALERT_LENGTH = 2
const WARNING = 1
/** RFC 8446 section 5.1: what a record in clear may hold. */
const MAX_FRAGMENT = 16_384
/** A handshake in clear has seven messages at most; a peer that sends more is playing. */
const MAX_MESSAGES = 32

/** What the bytes so far amount to. */
export interface HandshakeRead {
  /**
   * `more`: the handshake goes on beyond the bytes. `done`: nothing in clear comes after
   * `messages` (ChangeCipherSpec, an alert, encrypted data, ServerHelloDone). `not_tls`: not one
   * byte of this is of interest.
   */
  readonly state: 'more' | 'done' | 'not_tls'
  /** Whole messages, in order; their bodies are views into the input, or into a joined copy. */
  readonly messages: readonly HandshakeMessage[]
  /**
   * With `more`: how many bytes, counted from `start`, have to be there before another call can
   * find a further message. To call only then keeps a peer that sends byte by byte from costing
   * more than its bytes; a number above the caller's own limit says that waiting is no use.
   */
  readonly need: number
}

const NOT_TLS: HandshakeRead = { state: 'not_tls', messages: [], need: 0 }

/**
 * Whether a direction may begin with a TLS ClientHello or ServerHello, judged by as many of its
 * first six bytes as are there. A warning may come before: servers send one (unrecognized_name) and
 * go on. A hello in SSL 2.0 framing has no record header and is none: no fingerprint is defined for
 * it.
 */
export function startsTls(bytes: Uint8Array, start: number, end: number): boolean {
  const length = end - start
  const record = bytes[start]
  if (length < 1 || (record !== HANDSHAKE_RECORD && record !== ALERT_RECORD)) return false
  if (length > 1 && bytes[start + 1] !== 3) return false
  if (length > 2 && (bytes[start + 2] as number) > 4) return false
  if (length > 4 && !isFragmentLength(record, u16(bytes, start + 3))) return false
  if (length <= RECORD_HEADER) return true
  const first = bytes[start + RECORD_HEADER] as number
  return record === ALERT_RECORD ? first === WARNING : isHello(first)
}

// RFC 8446 5.1: handshake fragments of no length must not be sent.
const isFragmentLength = (record: number, length: number): boolean =>
  record === ALERT_RECORD ? length === ALERT_LENGTH : length > 0 && length <= MAX_FRAGMENT

const isHello = (type: number): boolean =>
  type === handshakeType.clientHello || type === handshakeType.serverHello

/**
 * Reads the messages, joined where they are cut over records and split where they share one.
 * @param start the first byte of the direction (or of TLS, after a STARTTLS)
 * @param end exclusive: as far as the direction is known without a gap
 * @see RFC 8446 section 5.1, RFC 5246 section 6.2.1
 */
export function readHandshake(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): HandshakeRead {
  if (end <= start) return { state: 'more', messages: [], need: RECORD_HEADER + 1 }
  if (!startsTls(bytes, start, end)) return NOT_TLS
  const { fragments, next, header, over } = fragmentsIn(bytes, start, end)
  const [joined, from, to] = join(bytes, fragments)
  if (from < to && !isHello(joined[from] as number)) return NOT_TLS
  const messages: HandshakeMessage[] = []
  const rest = splitMessages(joined, from, to, messages)
  const last = messages.at(-1)
  if (over || last?.type === handshakeType.serverHelloDone || messages.length >= MAX_MESSAGES) {
    return { state: 'done', messages, need: 0 }
  }
  const missing = missingOf(joined, rest, to)
  const inRecord = Math.max(0, next - end)
  // What the record at hand does not hold comes in another, if it does: between two messages the
  // header of that record is enough to know.
  const beyond = rest === to && inRecord === 0 ? header : missing + header
  return { state: 'more', messages, need: end - start + (missing <= inRecord ? missing : beyond) }
}

interface Fragments {
  /** pairs of start and end (exclusive) */
  readonly fragments: readonly number[]
  /** Where the record after them begins, which may be past the end. */
  readonly next: number
  /** Bytes of that record that it takes, and that are not there, to know whether it goes on. */
  readonly header: number
  /** That record is none of a handshake in clear. */
  readonly over: boolean
}

function fragmentsIn(bytes: Uint8Array, start: number, end: number): Fragments {
  const fragments: number[] = []
  let next = start
  while (end - next >= RECORD_HEADER) {
    const record = bytes[next] as number
    const length = u16(bytes, next + 3)
    const from = next + RECORD_HEADER
    const isAlert = record === ALERT_RECORD
    const known = (record === HANDSHAKE_RECORD || isAlert) && bytes[next + 1] === 3
    const level = from < end ? bytes[from] : WARNING
    if (!known || !isFragmentLength(record, length) || (isAlert && level !== WARNING)) {
      return { fragments, next, header: 0, over: true }
    }
    if (isAlert && from + length > end) {
      return { fragments, next, header: from + length - end, over: false }
    }
    next = from + length
    if (!isAlert) fragments.push(from, Math.min(next, end))
  }
  return { fragments, next, header: RECORD_HEADER - Math.max(0, end - next), over: false }
}

/** The fragments as one range of bytes; a single one is not copied. */
function join(bytes: Uint8Array, fragments: readonly number[]): [Uint8Array, number, number] {
  const [first = 0, firstEnd = 0] = fragments
  if (fragments.length <= 2) return [bytes, first, firstEnd]
  let length = 0
  for (let index = 0; index < fragments.length; index += 2) {
    length += (fragments[index + 1] as number) - (fragments[index] as number)
  }
  const joined = new Uint8Array(length)
  length = 0
  for (let index = 0; index < fragments.length; index += 2) {
    const fragment = bytes.subarray(fragments[index], fragments[index + 1])
    joined.set(fragment, length)
    length += fragment.length
  }
  return [joined, 0, length]
}

/** Appends whole messages; returns where the first unfinished one begins. */
function splitMessages(
  bytes: Uint8Array,
  from: number,
  to: number,
  messages: HandshakeMessage[],
): number {
  let at = from
  while (messages.length < MAX_MESSAGES && to - at >= MESSAGE_HEADER) {
    const start = at + MESSAGE_HEADER
    const end = start + u24(bytes, at + 1)
    if (end > to) break
    const type = bytes[at] as number
    messages.push({ type, bytes, start, end })
    at = end
    // So that the answer does not depend on how much had come when the question was put.
    if (type === handshakeType.serverHelloDone) break
  }
  return at
}

/** Bytes of message that the unfinished one in `from..to` lacks, as far as that can be known. */
function missingOf(bytes: Uint8Array, from: number, to: number): number {
  const have = to - from
  if (have < MESSAGE_HEADER) return MESSAGE_HEADER - have
  return MESSAGE_HEADER + u24(bytes, from + 1) - have
}
