/** Finds where a protocol begins in one direction of a TCP connection, by what it begins with. */
import { addSegment, type HeldPiece, keepHead, newHead, type StreamHead } from './stream_head.ts'

/** Plain JSON, so that it can be keyed state. Times in ms of event time. */
export interface StreamStart {
  /** from where the protocol begins, once that is known */
  head?: StreamHead
  /** segments that came ahead of the beginning, by their sequence numbers */
  early?: HeldPiece[]
  /** segments looked at that do not begin it */
  tries: number
  /** when `head` was made */
  since: number
  /** nothing more is looked for in this direction */
  over?: true
}

export interface StartOptions {
  /** whether bytes, as many of them as there are, may be the beginning */
  readonly begins: (bytes: Uint8Array, start: number, end: number) => boolean
  /** bytes from there on that are of interest, and the most that is kept of a direction */
  readonly limit: number
  /** segments that may come before it */
  readonly tries: number
}

export const newStart = (): StreamStart => ({ tries: 0, since: 0 })

/** Segments that may overtake the first one. */
const MOST_EARLY = 3
/** How long the rest of a beginning is waited for, ms. */
const PATIENCE = 10_000

/**
 * Adds the payload of one segment. No SYN is asked for: connections are found in the middle of a
 * capture too, and a flood of SYNs costs nothing here.
 * @returns the stream from its beginning on, if this segment made it longer; as with `addSegment`, a
 *   caller that needs more hands it to `keepHead`, one that has enough calls `finish`
 */
export function feedStart(
  start: StreamStart,
  seq: number,
  bytes: Buffer,
  time: number,
  { begins, limit, tries }: StartOptions,
): Buffer | undefined {
  if (start.over) return undefined
  if (start.head) {
    if (time - start.since <= PATIENCE) return addSegment(start.head, seq, bytes)
    finish(start)
    return undefined
  }
  if (!begins(bytes, 0, bytes.length)) {
    start.tries += 1
    if (start.tries > tries) finish(start)
    else if (start.tries <= MOST_EARLY && earlyBytes(start) + bytes.length <= limit) {
      start.early ??= []
      start.early.push([seq, bytes.toString('base64')])
    } else delete start.early
    return undefined
  }
  start.head = newHead(limit, seq)
  start.since = time
  let whole = addSegment(start.head, seq, bytes)
  for (const [earlySeq, text] of start.early ?? []) {
    if (whole) keepHead(start.head, whole)
    whole = addSegment(start.head, earlySeq, Buffer.from(text, 'base64')) ?? whole
  }
  delete start.early
  return whole
}

const earlyBytes = ({ early = [] }: StreamStart): number =>
  early.reduce((sum, [, text]) => sum + Buffer.byteLength(text, 'base64'), 0)

/** Nothing more is looked for, and nothing kept. */
export function finish(start: StreamStart): void {
  start.over = true
  delete start.head
  delete start.early
}
