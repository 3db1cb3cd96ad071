/** The long header of QUIC packets, as far as it is in clear. */
import { u32 } from '../big_endian.ts'
import { varint, varintLength } from './varint.ts'

/** QUIC versions whose Initial packets we can open. RFC 9000 section 15, RFC 9369 section 3.1 */
export const quicVersion = { v1: 1, v2: 0x6b3343cf } as const

/** A connection id of version 1 and 2. RFC 9000 section 17.2 */
const MAX_CONNECTION_ID = 20
const LONG_HEADER = 0x80
const FIXED_BIT = 0x40

/** Offsets count as the one given to {@link readLongHeader} does. */
export interface LongHeader {
  readonly version: number
  /** Only Initial packets can be opened; the others are here to be stepped over. */
  readonly initial: boolean
  readonly dcidStart: number
  readonly dcidEnd: number
  /** Of a token, which a client has from a Retry or from an earlier connection; 0 if it has none. */
  readonly tokenLength: number
  /** of the first byte of the packet */
  readonly start: number
  /** of the packet number, which is the first protected byte but one */
  readonly packetNumber: number
  /** exclusive; where a next packet may begin in the same datagram */
  readonly end: number
}

/** Whether a datagram may begin with an Initial packet of a version we can open. */
export function startsInitial(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 7) return false
  const first = bytes[start] as number
  if ((first & (LONG_HEADER | FIXED_BIT)) !== (LONG_HEADER | FIXED_BIT)) return false
  const version = u32(bytes, start + 1)
  return isKnown(version) && isInitial(first, version)
}

/**
 * Reads the header of the packet at `start`.
 * @param end of the datagram
 * @returns `undefined` for a short header, a Retry, another version, or a length that does not fit
 * @see RFC 9000 section 17.2, RFC 9369 section 3.2
 */
export function readLongHeader(
  bytes: Uint8Array,
  start: number,
  end: number,
): LongHeader | undefined {
  const first = bytes[start] as number
  if (end - start < 7 || (first & LONG_HEADER) === 0 || (first & FIXED_BIT) === 0) return undefined
  const version = u32(bytes, start + 1)
  if (!isKnown(version) || isRetry(first, version)) return undefined
  const dcidStart = start + 6
  const dcidEnd = dcidStart + (bytes[start + 5] as number)
  if (dcidEnd - dcidStart > MAX_CONNECTION_ID || dcidEnd >= end) return undefined
  const scidLength = bytes[dcidEnd] as number
  let at = dcidEnd + 1 + scidLength
  if (scidLength > MAX_CONNECTION_ID || at >= end) return undefined

  const initial = isInitial(first, version)
  let tokenLength = 0
  if (initial) {
    const size = varintLength(bytes, at)
    if (at + size > end) return undefined
    tokenLength = varint(bytes, at)
    at += size + tokenLength
    if (at >= end) return undefined
  }
  const size = varintLength(bytes, at)
  if (at + size > end) return undefined
  const packetNumber = at + size
  const packetEnd = packetNumber + varint(bytes, at)
  if (packetEnd > end) return undefined
  return { version, initial, dcidStart, dcidEnd, tokenLength, start, packetNumber, end: packetEnd }
}

const isKnown = (version: number): boolean =>
  version === quicVersion.v1 || version === quicVersion.v2

// Version 2 counts the four types from another start, so that nothing relies on them.
const packetType = (first: number, version: number): number =>
  ((first >> 4) + (version === quicVersion.v2 ? 3 : 0)) & 3

const isInitial = (first: number, version: number): boolean => packetType(first, version) === 0

const isRetry = (first: number, version: number): boolean => packetType(first, version) === 3
