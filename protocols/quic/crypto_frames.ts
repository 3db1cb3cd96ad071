/** The pieces of handshake in the payload of an Initial packet. */
import { varint, varintLength } from './varint.ts'

/** `bytes` belong at `offset` of the handshake of one side. */
export interface CryptoPiece {
  readonly offset: number
  readonly bytes: Uint8Array
}

const PADDING = 0x00
const PING = 0x01
const ACK = 0x02
const ACK_ECN = 0x03
const CRYPTO = 0x06

/**
 * Appends the CRYPTO frames of `frames` to `pieces`. It stops where the frames end, are cut or are
 * of a kind that carries no handshake; CONNECTION_CLOSE is one of those.
 * @see RFC 9000 section 17.2.2, 19
 */
export function cryptoPieces(frames: Uint8Array, pieces: CryptoPiece[]): void {
  const end = frames.length
  for (let at = 0; at < end; ) {
    const type = frames[at] as number
    at += 1
    if (type === PADDING || type === PING) continue
    if (type === ACK || type === ACK_ECN) {
      at = afterAck(frames, at, type === ACK_ECN)
      continue
    }
    if (type !== CRYPTO) return
    const lengthAt = afterVarint(frames, at)
    const from = afterVarint(frames, lengthAt)
    if (from > end) return
    const to = from + varint(frames, lengthAt)
    if (to > end) return
    pieces.push({ offset: varint(frames, at), bytes: frames.subarray(from, to) })
    at = to
  }
}

/** Where the next field begins; past the end if there is none, or if this one is cut. */
const afterVarint = (bytes: Uint8Array, at: number): number =>
  at < bytes.length ? at + varintLength(bytes, at) : bytes.length + 1

function afterAck(bytes: Uint8Array, start: number, withEcn: boolean): number {
  const countAt = afterVarint(bytes, afterVarint(bytes, start))
  let at = afterVarint(bytes, countAt)
  if (at > bytes.length) return at
  // First range, then a gap and a range for each that is counted, then the three ECN counts.
  const fields = 1 + 2 * varint(bytes, countAt) + (withEcn ? 3 : 0)
  for (let field = 0; field < fields && at <= bytes.length; field++) at = afterVarint(bytes, at)
  return at
}
