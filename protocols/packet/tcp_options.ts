/** TCP options of one segment. */
import { u8, u16, u32 } from './octets.ts'

const OPTION = {
  END: 0,
  NOP: 1,
  MSS: 2,
  WINDOW_SCALE: 3,
  SACK_PERMITTED: 4,
  SACK: 5,
  TIMESTAMPS: 8,
} as const

/** A value is there only where its option has the length the standard gives it; the last one counts. */
export interface TcpOptions {
  /** Kinds in wire order; 0 at most once, at the end. */
  readonly kinds: readonly number[]
  readonly mss: number | undefined
  /** Shift count as sent, so also above 14. */
  readonly windowScale: number | undefined
  /** Kind 4 is there. */
  readonly sackPermitted: boolean
  /** Kind 8: the sender's clock, and what it echoes. 32 bits each. */
  readonly ownTimestamp: number | undefined
  readonly peerTimestamp: number | undefined
  /** Bytes behind the end-of-list option. */
  readonly eolPadding: number
  /** One of those bytes is not 0. */
  readonly nonZeroAfterEol: boolean
  /** A length below 2, past the end, or not the one of its kind. */
  readonly bad: boolean
}

/** The header has room for so many, RFC 9293 section 3.1. Bytes */
const MOST_BYTES = 40

/**
 * Walks the options `bytes[start..end)`. A length below 2 is taken as 2, one past the end is cut.
 * Nothing is an error: what is broken shows in `bad`.
 * @see RFC 9293 section 3.2, RFC 7323 (window scale, timestamps), RFC 2018 (SACK)
 */
export function readTcpOptions(bytes: Uint8Array, start: number, end: number): TcpOptions {
  const kinds: number[] = []
  let mss: number | undefined
  let windowScale: number | undefined
  let sackPermitted = false
  let ownTimestamp: number | undefined
  let peerTimestamp: number | undefined
  let eolPadding = 0
  let nonZeroAfterEol = false
  let bad = false

  const stop = Math.min(end, start + MOST_BYTES, bytes.length)
  let at = start
  while (at < stop) {
    const kind = u8(bytes, at)
    kinds.push(kind)
    if (kind === OPTION.END) {
      eolPadding = stop - at - 1
      nonZeroAfterEol = bytes.subarray(at + 1, stop).some((byte) => byte !== 0)
      break
    }
    if (kind === OPTION.NOP) {
      at += 1
      continue
    }
    const length = at + 1 < stop ? u8(bytes, at + 1) : 0
    const whole = length >= 2 && at + length <= stop
    if (!whole || !isLengthOf(kind, length)) bad = true
    else if (kind === OPTION.MSS) mss = u16(bytes, at + 2)
    else if (kind === OPTION.WINDOW_SCALE) windowScale = u8(bytes, at + 2)
    else if (kind === OPTION.TIMESTAMPS) {
      ownTimestamp = u32(bytes, at + 2)
      peerTimestamp = u32(bytes, at + 6)
    }
    if (kind === OPTION.SACK_PERMITTED) sackPermitted = true
    at += Math.max(length, 2)
  }
  return {
    kinds,
    mss,
    windowScale,
    sackPermitted,
    ownTimestamp,
    peerTimestamp,
    eolPadding,
    nonZeroAfterEol,
    bad,
  }
}

function isLengthOf(kind: number, length: number): boolean {
  switch (kind) {
    case OPTION.MSS:
      return length === 4
    case OPTION.WINDOW_SCALE:
      return length === 3
    case OPTION.SACK_PERMITTED:
      return length === 2
    case OPTION.SACK:
      // One to four blocks of eight bytes.
      return length >= 10 && length <= 34 && length % 8 === 2
    case OPTION.TIMESTAMPS:
      return length === 10
    default:
      return true
  }
}
