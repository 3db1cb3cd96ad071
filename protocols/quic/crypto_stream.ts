/** The handshake of one side of QUIC, put together from pieces that come in any order. */
import { u24 } from '../big_endian.ts'
import { type HandshakeMessage, MESSAGE_HEADER } from '../tls/handshake_message.ts'
import type { CryptoPiece } from './crypto_frames.ts'

/** A hello that is longer is given up, as over TCP. */
const MAX_BYTES = 16_384
/** Browsers cut a hello into some twenty frames and shuffle them; a peer with more gaps is lost. */
const MAX_RANGES = 64

/** Plain data, so that it can be saved with the state of a flow. */
export interface CryptoStream {
  /** What has come, by offset, without overlap; empty once the message is out. */
  ranges: readonly { readonly offset: number; readonly bytes_b64: string }[]
  /** The first message has been given out, or given up: nothing more is kept. */
  over: boolean
}

export const newCryptoStream = (): CryptoStream => ({ ranges: [], over: false })

/**
 * Takes in pieces. Where copies differ the one that begins earlier wins; honest peers send the same
 * bytes again (RFC 9000 section 2.2).
 * @returns the first message of the side, once, as soon as it is whole
 */
export function addPieces(
  stream: CryptoStream,
  pieces: readonly CryptoPiece[],
): HandshakeMessage | undefined {
  if (stream.over || pieces.length === 0) return undefined
  const kept = stream.ranges.map(({ offset, bytes_b64 }) => ({
    offset,
    bytes: Buffer.from(bytes_b64, 'base64'),
  }))
  const ranges = joinPieces([...kept, ...pieces])
  const [first] = ranges
  if (first?.offset === 0 && first.bytes.length >= MESSAGE_HEADER) {
    const end = MESSAGE_HEADER + u24(first.bytes, 1)
    if (end > MAX_BYTES || end <= first.bytes.length) {
      stream.ranges = []
      stream.over = true
      if (end > MAX_BYTES) return undefined
      return { type: first.bytes[0] as number, bytes: first.bytes, start: MESSAGE_HEADER, end }
    }
  }
  stream.ranges = ranges.slice(0, MAX_RANGES).map(({ offset, bytes }) => ({
    offset,
    bytes_b64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
  }))
  return undefined
}

/** By offset, with what touches made one; the bytes of the result are copies or whole pieces. */
function joinPieces(pieces: readonly CryptoPiece[]): CryptoPiece[] {
  const sorted = pieces
    .filter(({ offset, bytes }) => bytes.length > 0 && offset + bytes.length <= MAX_BYTES)
    .sort((one, other) => one.offset - other.offset)
  const ranges: CryptoPiece[] = []
  let run: Uint8Array[] = []
  let offset = 0
  let end = -1
  const close = () => {
    const [only, more] = run
    if (only) ranges.push({ offset, bytes: more ? Buffer.concat(run) : only })
  }
  for (const piece of sorted) {
    const pieceEnd = piece.offset + piece.bytes.length
    if (piece.offset > end) {
      close()
      run = [piece.bytes]
      offset = piece.offset
    } else if (pieceEnd > end) {
      run.push(piece.bytes.subarray(end - piece.offset))
    }
    end = Math.max(end, pieceEnd)
  }
  close()
  return ranges
}
