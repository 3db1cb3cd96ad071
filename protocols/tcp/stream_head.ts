/** The first bytes of one direction of a TCP connection, put together from its segments. */

/**
 * Plain JSON, so that it can be keyed state. Offsets count from the first byte of the stream; bytes
 * are base64, since JSON writes a control character as six: attackers fill state with them.
 */
export interface StreamHead {
  /** Bytes at most; what lies behind is not looked at. */
  readonly limit: number
  /** Sequence number of the first byte. */
  readonly first: number
  /** Bytes from the start on that the caller has kept. */
  kept_b64: string
  /** Pieces behind a gap: sorted, neither touching nor overlapping. */
  held: HeldPiece[]
}

/** Offset and bytes. */
export type HeldPiece = [offset: number, bytes_b64: string]

/** More gaps than that at once are no stream that anybody sends; further pieces are dropped. */
const MOST_PIECES = 64

/**
 * @param limit bytes of the stream that are of interest
 * @param first sequence number of its first byte: that of the SYN plus 1, or where no SYN was seen
 *   the one of the first segment. A SYN's own data begins at the SYN's number plus 1, too.
 */
export const newHead = (limit: number, first: number): StreamHead => ({
  limit,
  first: first >>> 0,
  kept_b64: '',
  held: [],
})

/**
 * Adds the payload of one segment. Where two segments overlap, the bytes that came first count.
 * @param seq sequence number of `bytes[0]`
 * @returns the stream from its first byte on, as far as it goes without a gap, if this segment made
 *   it longer; else undefined. Nothing of that is stored: a caller that waits for more hands it to
 *   `keepHead` before the next segment, one that has enough forgets the head. It shares memory with
 *   `bytes` where the segment alone is the stream, which is the usual case.
 */
export function addSegment(head: StreamHead, seq: number, bytes: Buffer): Buffer | undefined {
  // Half of the sequence space lies before a number, half behind: RFC 9293 section 3.4.
  const offset = (seq - head.first) | 0
  const have = lengthOf(head.kept_b64)
  const start = Math.max(offset, have)
  const end = Math.min(offset + bytes.length, head.limit)
  if (end <= start) return undefined
  const fresh = bytes.subarray(start - offset, end - offset)
  if (start === have && have === 0 && head.held.length === 0) return fresh
  const [before, touching, after] = around(head.held, start, end)
  const [from, piece] = filled(touching, start, fresh)
  if (from === have) {
    head.held = after
    return have === 0 ? piece : Buffer.concat([Buffer.from(head.kept_b64, 'base64'), piece])
  }
  const pieces = before.length + 1 + after.length
  if (pieces <= MOST_PIECES) head.held = [...before, [from, piece.toString('base64')], ...after]
  return undefined
}

const lengthOf = (base64: string): number => Buffer.byteLength(base64, 'base64')

/** The pieces that lie before `start..end`, those that touch it, and those behind. */
function around(
  held: readonly HeldPiece[],
  start: number,
  end: number,
): [HeldPiece[], HeldPiece[], HeldPiece[]] {
  const first = held.findIndex(([from, text]) => from + lengthOf(text) >= start)
  if (first < 0) return [[...held], [], []]
  const behind = held.findIndex(([from]) => from > end)
  const last = behind < 0 ? held.length : behind
  return [held.slice(0, first), held.slice(first, last), held.slice(last)]
}

/** Pieces and what fills the gaps between them, as one; the pieces came first, so they count. */
function filled(
  pieces: readonly HeldPiece[],
  start: number,
  fresh: Buffer,
): readonly [from: number, bytes: Buffer] {
  const known = pieces.map(([from, text]) => [from, Buffer.from(text, 'base64')] as const)
  const [first] = known
  const last = known.at(-1)
  if (!first || !last) return [start, fresh]
  const from = Math.min(start, first[0])
  const whole = Buffer.alloc(Math.max(start + fresh.length, last[0] + last[1].length) - from)
  whole.set(fresh, start - from)
  for (const [at, piece] of known) whole.set(piece, at - from)
  return [from, whole]
}

/** Stores what `addSegment` returned, so that the next segment is added to it. */
export function keepHead(head: StreamHead, contiguous: Buffer): void {
  head.kept_b64 = contiguous.toString('base64')
}

/** Whether no segment can make the stream longer. */
export const isHeadFull = (head: StreamHead): boolean => lengthOf(head.kept_b64) >= head.limit

/** Whether bytes are held behind a gap. */
export const hasGap = (head: StreamHead): boolean => head.held.length > 0
