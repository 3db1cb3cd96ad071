/** Reads a journal back, entry by entry. */
import { createReadStream } from 'node:fs'
import { EngineError } from '../errors.ts'
import { type Entry, unpackEntries } from './entry.ts'
import { type Frame, FrameSplitter, journalOf, SEGMENT_HEADER } from './frame.ts'
import type { SegmentFile } from './segments.ts'

const READ_BYTES = 256 * 1024

/** An entry, where it stands in the journal, and when it was written. */
export interface StoredEntry extends Entry {
  /** sequence of its first item */
  readonly sequence: number
  /** ms since the epoch */
  readonly arrival: number
}

/**
 * The frames in the bytes of one segment. A torn end is left out.
 * @returns how many bytes are good and how many at the end are torn, header included
 * @throws {EngineError} `JOURNAL_DAMAGED`, `NOT_A_JOURNAL`
 */
export async function* framesOf(
  bytes: AsyncIterable<unknown>,
): AsyncGenerator<Frame, { good: number; torn: number; pipeline: string | undefined }> {
  const splitter = new FrameSplitter()
  let head = Buffer.alloc(0)
  let pipeline: string | undefined
  for await (const chunk of bytes) {
    let rest = chunk as Buffer
    if (pipeline === undefined) {
      head = Buffer.concat([head, rest])
      if (head.length < SEGMENT_HEADER) continue
      pipeline = journalOf(head)
      if (pipeline === undefined) throw new EngineError('NOT_A_JOURNAL', 'this is no journal')
      rest = head.subarray(SEGMENT_HEADER)
    }
    splitter.push(rest)
    for (let frame = splitter.take(); frame; frame = splitter.take()) yield frame
  }
  // A crash right after a segment was made leaves less than its header.
  if (pipeline === undefined) return { good: 0, torn: head.length, pipeline }
  const torn = splitter.end()
  return { good: SEGMENT_HEADER + splitter.goodBytes, torn, pipeline }
}

/** The entries of one frame, with their sequences. */
export async function entriesOf(frame: Frame): Promise<StoredEntry[]> {
  let { sequence } = frame
  return (await unpackEntries(frame.payload)).map((entry) => {
    const stored = { ...entry, sequence, arrival: frame.arrival }
    sequence += entry.events.length
    return stored
  })
}

/**
 * The entries of segments in order.
 * @param from sequence of the first item wanted; whole frames before it are not unpacked
 * @throws {EngineError} `JOURNAL_DAMAGED`, naming the file
 */
export async function* readEntries(
  segments: readonly SegmentFile[],
  from = 0,
): AsyncGenerator<StoredEntry> {
  for (const [index, { path }] of segments.entries()) {
    const next = segments[index + 1]
    if (next && next.first <= from) continue
    try {
      for await (const frame of framesOf(createReadStream(path, { highWaterMark: READ_BYTES }))) {
        if (frame.sequence + frame.items <= from) continue
        for (const entry of await entriesOf(frame)) if (entry.sequence >= from) yield entry
      }
    } catch (error) {
      throw located(error, path)
    }
  }
}

/** Says which file it is that is damaged. */
export function located(error: unknown, path: string): unknown {
  if (!(error instanceof EngineError)) return error
  return new EngineError(error.code, `${path}: ${error.message}`, { cause: error })
}
