/** A journal as captured input: several sources in the order in which their input arrived. */
import { statSync } from 'node:fs'
import { byteStream, type Capture, type CapturedItem } from '../capture.ts'
import { EngineError, toFailure } from '../errors.ts'
import { isAnswers } from './answer_entry.ts'
import { TIME } from './entry.ts'
import { journalOf, SEGMENT_HEADER } from './frame.ts'
import { entriesOf, framesOf, located } from './reader.ts'
import { journalFiles, type SegmentFile } from './segments.ts'

/**
 * Told by its content, packed or not.
 * @param path a file, or a directory of segments
 * @returns the pipeline it is a journal of, or undefined where it is none
 * @throws {EngineError} `CAPTURE` on a directory that is none, and where nothing can be read
 */
export async function journalPipeline(path: string): Promise<string | undefined> {
  const [first] = await journalFiles(path)
  if (!first) {
    // Whoever opens as a log file what is not there will say so.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return undefined
    throw new EngineError('CAPTURE', `${path} is a directory without a journal in it`)
  }
  try {
    return journalOf(await headOf(first.path))
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

async function headOf(path: string): Promise<Buffer> {
  let head = Buffer.alloc(0)
  for await (const chunk of await byteStream(path, () => undefined)) {
    head = Buffer.concat([head, chunk as Buffer])
    if (head.length >= SEGMENT_HEADER) break
  }
  return head
}

/** Who gets the items of a source: indices of targets; of `TIME`, one for each pipeline. */
export type Receivers = (source: string) => readonly number[]

/**
 * @param path a file, packed or not, or a directory of segments
 * @throws {EngineError} `CAPTURE`
 */
export async function openJournal(path: string, receivers: Receivers): Promise<Capture> {
  const segments = await journalFiles(path).catch((cause: unknown) => {
    throw unreadable(path, cause)
  })
  let read = 0
  const items = (countBytes: boolean) =>
    readItems(path, segments, receivers, (bytes) => {
      if (countBytes) read += bytes
    })
  return {
    startTime: await firstTime(items(false)),
    bytesTotal: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    bytesRead: () => read,
    items: () => items(true),
  }
}

async function firstTime(items: AsyncGenerator<CapturedItem[]>): Promise<number> {
  for await (const [first] of items) if (first) return first.time
  return 0
}

async function* readItems(
  path: string,
  segments: readonly SegmentFile[],
  receivers: Receivers,
  onBytes: (bytes: number) => void,
): AsyncGenerator<CapturedItem[]> {
  let time = Number.NEGATIVE_INFINITY
  for (const segment of segments) {
    try {
      for await (const frame of framesOf(await byteStream(segment.path, onBytes))) {
        for (const { source, sequence, arrival, events } of await entriesOf(frame)) {
          if (isAnswers(source)) continue
          const targets = receivers(source)
          const isTime = source === TIME
          const items: CapturedItem[] = []
          for (const [index, item] of events.entries()) {
            const own = 'failure' in item ? item.draft.time : item.time
            time = Math.max(time, Math.min(own, arrival))
            const at = sequence + index
            for (const target of targets) items.push({ item, time, target, at, arrival, isTime })
          }
          if (items.length > 0) yield items
        }
      }
    } catch (cause) {
      throw unreadable(path, located(cause, segment.path))
    }
  }
}

const unreadable = (path: string, cause: unknown): EngineError =>
  new EngineError('CAPTURE', `cannot read capture ${path}: ${toFailure(cause).message}`, { cause })
