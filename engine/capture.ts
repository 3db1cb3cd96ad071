/** Reads a captured file back as the source that would have delivered it: plain, gzip or zstd. */
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { fileFingerprint, lineId } from '../protocols/line_identity.ts'
import { LineSplitter, type SplitLine } from '../protocols/line_splitter.ts'
import { lineTime } from '../protocols/line_time.ts'
import { firstEventTime, itemsOfEvents } from './captured_events.ts'
import type { CapturedChunk, Logger, Reject } from './define.ts'
import { EngineError, toFailure } from './errors.ts'
import type { Draft } from './event.ts'
import type { PlanSource } from './plan.ts'

/** A line longer than this is cut where the source has no `max_line`. */
const MAX_LINE_BYTES = 256 * 1024
const READ_BYTES = 256 * 1024
/** How far into a capture a first time is looked for. */
const TIME_LOOKAHEAD_LINES = 1000

/** One event of a capture with the event time it is merged by: it never runs backwards. */
export interface CapturedItem {
  readonly item: Draft | Reject
  readonly time: number
  /** index of the target it is for, where the capture has several */
  readonly target?: number
  /** byte at which its line or frame starts, or its sequence in a journal */
  readonly at: number
  /** when it arrived, ms, where that was noted: no later event time is believed */
  readonly arrival?: number
  /** no event: nothing arrived, and time went on to `time` in the pipeline of the target */
  readonly isTime?: boolean
}

export interface Capture {
  /**
   * Event time of the first event, or of the first line that tells one, ms; 0 where none of the
   * first 1000 does.
   */
  readonly startTime: number
  /** size of the file, bytes */
  readonly bytesTotal: number
  /** bytes of the file read so far */
  bytesRead(): number
  items(): AsyncGenerator<CapturedItem[]>
  /** index of the target its items are for; undefined: the place of the capture among the others */
  readonly target?: number
}

/**
 * @param log told what does not end the reading
 * @throws {EngineError} `CAPTURE` when the file cannot be read or is damaged; what was read up to
 *   there has been delivered
 */
export async function openCapture(
  file: string,
  source: PlanSource,
  log?: Pick<Logger, 'warn'>,
): Promise<Capture> {
  const failed = (cause: unknown) =>
    new EngineError('CAPTURE', `cannot read capture ${file}: ${toFailure(cause).message}`, {
      cause,
    })
  let read = 0
  const count = (bytes: number) => {
    read += bytes
  }
  const named = async function* <T>(some: AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* some
    } catch (cause) {
      throw failed(cause)
    }
  }
  const events = (onBytes: (bytes: number) => void, warn: (message: string) => void) =>
    named(eventsOf(file, source, onBytes, warn))
  const lines = (onBytes: (bytes: number) => void) =>
    named(splitLines(file, maxLine(source), onBytes))
  const inEvents = source.component.readCapture !== undefined
  const nobody = () => undefined
  const startTime = await (inEvents
    ? firstEventTime(events(nobody, nobody))
    : firstTime(lines(nobody)))
  const { size } = await stat(file).catch((cause) => {
    throw failed(cause)
  })
  const warn = (message: string) => log?.warn({ capture: file }, message)
  return {
    startTime,
    bytesTotal: size,
    bytesRead: () => read,
    items: () =>
      inEvents
        ? itemsOfEvents(events(count, warn), startTime)
        : asItems(lines(count), source, startTime),
  }
}

async function* eventsOf(
  file: string,
  { id, component, config }: PlanSource,
  onBytes: (bytes: number) => void,
  warn: (message: string) => void,
): AsyncGenerator<CapturedChunk> {
  const bytes = await byteStream(file, onBytes)
  yield* component.readCapture?.(bytes, config as never, { node: id, warn }) ?? []
}

async function firstTime(lines: AsyncGenerator<SplitLine[]>): Promise<number> {
  let seen = 0
  for await (const some of lines) {
    for (const { text } of some) {
      const time = lineTime(text)
      if (time !== undefined) return time
      seen += 1
      if (seen >= TIME_LOOKAHEAD_LINES) return 0
    }
  }
  return 0
}

async function* asItems(
  lines: AsyncGenerator<SplitLine[]>,
  source: PlanSource,
  startTime: number,
): AsyncGenerator<CapturedItem[]> {
  let time = startTime
  let fingerprint: string | undefined
  for await (const some of lines) {
    yield some.map(({ text, offset, truncated }) => {
      // As if the file were read live from its start: the ids come out the same.
      fingerprint ??= fileFingerprint(source.id, 0, text)
      const made = source.component.fromLine(text, time, source.config as never, truncated)
      const draft = 'failure' in made ? made.draft : made
      time = Math.max(time, draft.time)
      const item = withId(made, lineId(fingerprint, offset))
      return { item, time, at: offset }
    })
  }
}

function withId(made: Draft | Reject, id: string): Draft | Reject {
  if ('failure' in made) return { failure: made.failure, draft: { id, ...made.draft } }
  return made.id === undefined ? { ...made, id } : made
}

/** A replay cuts a line at the byte at which the source would have. */
function maxLine({ config }: PlanSource): number {
  const { max_line } = (config ?? {}) as { readonly max_line?: unknown }
  return typeof max_line === 'number' ? max_line : MAX_LINE_BYTES
}

async function* splitLines(
  file: string,
  maxLine: number,
  onBytes: (bytes: number) => void,
): AsyncGenerator<SplitLine[]> {
  const splitter = new LineSplitter({ maxLine })
  for await (const chunk of await byteStream(file, onBytes)) {
    splitter.push(chunk as Buffer)
    const lines: SplitLine[] = []
    for (let line = splitter.take(); line; line = splitter.take()) lines.push(line)
    if (lines.length > 0) yield lines
  }
  const last = splitter.end()
  if (last) yield [last]
}

/**
 * The bytes of a file, unpacked where it is gzip or zstd.
 * @param onBytes told how many bytes of the file itself have been read
 */
export async function byteStream(
  file: string,
  onBytes: (bytes: number) => void,
): Promise<Readable> {
  const unpack = await unpackerOf(file)
  const raw = createReadStream(file, { highWaterMark: READ_BYTES })
  raw.on('data', (chunk) => onBytes(chunk.length))
  if (!unpack) return raw
  // An error on either side surfaces to whoever reads the unpacked side.
  pipeline(raw, unpack).catch((error: Error) => unpack.destroy(error))
  return unpack
}

/** Told by the first bytes, not by the name. */
async function unpackerOf(file: string) {
  // Before it is opened: what is read from a pipe is gone, and opening a FIFO waits for a writer.
  const status = await stat(file)
  if (!status.isFile()) {
    throw new Error('it is no regular file, and a capture is read twice; write it to one first')
  }
  const handle = await open(file)
  try {
    const head = Buffer.alloc(4)
    const { bytesRead } = await handle.read(head, 0, 4, 0)
    if (bytesRead >= 2 && head[0] === 0x1f && head[1] === 0x8b) return createGunzip()
    if (bytesRead === 4 && head.readUInt32LE(0) === 0xfd2fb528) return createZstdDecompress()
    return undefined
  } finally {
    await handle.close()
  }
}
