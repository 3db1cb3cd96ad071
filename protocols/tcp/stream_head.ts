/** The first bytes of one direction of a TCP connection, put together from its segments. */

/**
 * Plain JSON, so that it can be keyed state. Offsets count from the first byte of the stream; bytes
 * are kept as text of one character each (Latin-1).
 */
export interface StreamHead {
  /** Bytes at most; what lies behind is not looked at. */
  readonly limit: number
  /** Sequence number of the first byte. */
  readonly first: number
  /** Bytes from the start on that the caller has kept. */
  kept: string
  /** Pieces behind a gap: sorted, neither touching nor overlapping. */
  held: HeldPiece[]
}

/** Offset and bytes. */
export type HeldPiece = [number, string]

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
  kept: '',
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
  const have = head.kept.length
  const start = Math.max(offset, have)
  const end = Math.min(offset + bytes.length, head.limit)
  if (end <= start) return undefined
  if (start === have && have === 0 && head.held.length === 0) {
    return bytes.subarray(start - offset, end - offset)
  }
  const pieces = withPiece(head.held, start, bytes.toString('latin1', start - offset, end - offset))
  const [begin] = pieces
  if (begin?.[0] === have) {
    head.held = pieces.slice(1)
    return Buffer.from(head.kept + begin[1], 'latin1')
  }
  if (pieces.length <= MOST_PIECES) head.held = pieces
  return undefined
}

/** The pieces with what they lack of `text`, those that touch joined. */
function withPiece(held: readonly HeldPiece[], start: number, text: string): HeldPiece[] {
  const pieces: HeldPiece[] = []
  const end = start + text.length
  let at = start
  for (const [from, known] of held) {
    if (at < Math.min(from, end)) append(pieces, at, text.slice(at - start, from - start))
    append(pieces, from, known)
    at = Math.max(at, from + known.length)
  }
  if (at < end) append(pieces, at, text.slice(at - start))
  return pieces
}

function append(pieces: HeldPiece[], from: number, text: string): void {
  const last = pieces.at(-1)
  if (last && last[0] + last[1].length === from) last[1] += text
  else pieces.push([from, text])
}

/** Stores what `addSegment` returned, so that the next segment is added to it. */
export function keepHead(head: StreamHead, contiguous: Buffer): void {
  head.kept = contiguous.toString('latin1')
}

/** Whether no segment can make the stream longer. */
export const isHeadFull = (head: StreamHead): boolean => head.kept.length >= head.limit

/** Whether bytes are held behind a gap. */
export const hasGap = (head: StreamHead): boolean => head.held.length > 0
