/** The handshake messages of one direction of a TCP connection, segment by segment. */
import { keepHead } from '../tcp/stream_head.ts'
import { feedStart, finish, newStart, type StreamStart } from '../tcp/stream_start.ts'
import type { HandshakeMessage } from './handshake_message.ts'
import { readHandshake, startsTls } from './handshake_reader.ts'

/** Plain JSON, so that it can be keyed state. */
export interface TlsSide {
  readonly start: StreamStart
  /** messages that have been handed out */
  taken: number
  /** bytes without which another look is of no use */
  need: number
}

/** What is read of a client and of a server, bytes: a chain of certificates is long. */
export const CLIENT_BYTES = 16 * 1024
export const SERVER_BYTES = 64 * 1024

/** TLS may begin after some talk in clear: STARTTLS of a mail server, CONNECT of a proxy. */
const TRIES = 32

export const newTlsSide = (): TlsSide => ({ start: newStart(), taken: 0, need: 0 })

/**
 * @param seq sequence number of `bytes[0]`
 * @param time ms since the epoch
 * @param limit `CLIENT_BYTES` or `SERVER_BYTES`
 * @returns the messages that this segment completes; `endTls` tells it that no more are wanted
 */
export function feedTls(
  side: TlsSide,
  seq: number,
  bytes: Buffer,
  time: number,
  limit: number,
): readonly HandshakeMessage[] {
  const { start } = side
  const whole = feedStart(start, seq, bytes, time, { begins: startsTls, limit, tries: TRIES })
  if (!whole || !start.head) return NONE
  if (whole.length < side.need) {
    keepHead(start.head, whole)
    return NONE
  }
  const { state, messages, need } = readHandshake(whole, 0, whole.length)
  if (state === 'more' && need <= limit) {
    keepHead(start.head, whole)
    side.need = need
  } else finish(start)
  const fresh = messages.slice(side.taken)
  side.taken = messages.length
  return fresh
}

const NONE: readonly HandshakeMessage[] = []

/** No more messages of this direction are wanted. */
export const endTls = ({ start }: TlsSide): void => finish(start)
