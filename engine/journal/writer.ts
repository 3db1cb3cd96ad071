/** Writes a journal: entries that wait go into one frame together, and are safe once it is synced. */
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type Clock, pause } from '../clock.ts'
import type { Logger } from '../define.ts'
import { EngineError, UnavailableError } from '../errors.ts'
import { failpoint } from '../failpoint.ts'
import { Body } from './body.ts'
import { type Entry, encodeEntry, packBody } from './entry.ts'
import { encodeFrame, SEGMENT_HEADER, segmentHeader } from './frame.ts'
import { framesOf, located } from './reader.ts'
import { Retention } from './retention.ts'
import { journalFiles, type SegmentFile, segmentName } from './segments.ts'

export interface WriterOptions {
  /** a directory of segments, or one file that is never rotated */
  readonly path: string
  readonly kind: 'directory' | 'file'
  readonly pipeline: string
  /** what is kept, at most; undefined: everything */
  readonly bound?: { readonly maxSize: number; readonly maxAge: number | undefined } | undefined
  /** sequence it goes on from at least, where segments that a checkpoint knows of are gone */
  readonly least?: number
  readonly clock: Clock
  readonly log: Logger
  /** aborted when a write that fails is not to be tried again */
  readonly giveUp: AbortSignal
}

/** A segment is the unit that goes: small enough that the bound is kept closely. */
const SEGMENTS = 16
const MOST_PER_SEGMENT = 64 * 1024 * 1024
const LEAST_PER_SEGMENT = 64 * 1024
/** ms before a write that failed is tried again: a full disk may be freed */
const RETRY_AFTER = 500

/** An entry that would survive a crash of the host. */
export interface Written {
  /** of its first item */
  readonly sequence: number
  /** when it was written, as a reader will be told, ms since the epoch */
  readonly arrival: number
}

interface Waiting {
  readonly items: number
  readonly resolve: (written: Written) => void
  readonly reject: (error: unknown) => void
}

export class JournalWriter {
  readonly retention: Retention
  readonly #options: WriterOptions
  readonly #segmentBytes: number
  #file: FileHandle | undefined
  #path = ''
  #end = 0
  #sequence = 0
  #waiting: Waiting[] = []
  /** the entries that wait, and what is being written */
  #body = new Body()
  #spare = new Body()
  #writing: Promise<void> | undefined
  #failure: unknown

  private constructor(options: WriterOptions) {
    this.#options = options
    const { bound, kind } = options
    this.retention = new Retention(options)
    this.#segmentBytes =
      kind === 'file'
        ? Number.POSITIVE_INFINITY
        : Math.min(
            MOST_PER_SEGMENT,
            Math.max(LEAST_PER_SEGMENT, (bound?.maxSize ?? Number.POSITIVE_INFINITY) / SEGMENTS),
          )
  }

  /**
   * Opens or makes a journal; a torn end is cut off.
   * @throws {EngineError} `JOURNAL_DAMAGED`, `JOURNAL_PIPELINE` when it is of another pipeline,
   *   `NOT_A_JOURNAL`, `JOURNAL` when it cannot be opened
   */
  static async open(options: WriterOptions): Promise<JournalWriter> {
    const writer = new JournalWriter(options)
    try {
      await writer.#open()
    } catch (cause) {
      if (cause instanceof EngineError) throw cause
      const { code = 'unknown error' } = cause as NodeJS.ErrnoException
      throw new EngineError('JOURNAL', `cannot open the journal ${options.path}: ${code}`, {
        cause,
      })
    }
    return writer
  }

  /** Sequence of the item that will be written next. */
  get sequence(): number {
    return this.#sequence
  }

  /** Bytes the journal takes on disk. */
  get bytes(): number {
    return this.retention.bytes
  }

  async #open(): Promise<void> {
    const { path, kind } = this.#options
    await mkdir(kind === 'directory' ? path : dirname(path), { recursive: true, mode: 0o750 })
    const segments = await journalFiles(path)
    for (const segment of segments.slice(0, -1)) this.retention.add(segment)
    const last = segments.at(-1)
    if (last) await this.#resume(last)
    await this.#skipTo(this.#options.least ?? 0)
  }

  /** A sequence that has been given once is never given again. */
  async #skipTo(least: number): Promise<void> {
    if (least <= this.#sequence) return
    this.#sequence = least
    await this.#file?.close()
    this.#file = undefined
  }

  /** Goes on in a segment that is there, after its last whole frame. */
  async #resume({ path, first, bytes, modified }: SegmentFile): Promise<void> {
    this.#sequence = first
    const good = await this.#scan(path)
    if (good < bytes) {
      const cut = bytes - good
      this.#options.log.warn({ path, cut }, 'cut off the end of a journal that a crash had torn')
    }
    const file = await open(path, 'r+')
    await file.truncate(good)
    if (good === 0) await file.write(segmentHeader(this.#options.pipeline), 0, SEGMENT_HEADER, 0)
    await file.sync()
    this.#file = file
    this.#path = path
    this.#end = Math.max(good, SEGMENT_HEADER)
    this.retention.add({ path, first, bytes: this.#end, modified })
  }

  /** @returns the bytes of the segment that are good */
  async #scan(path: string): Promise<number> {
    try {
      const frames = framesOf(createReadStream(path))
      for (;;) {
        const next = await frames.next()
        if (!next.done) {
          this.#sequence = next.value.sequence + next.value.items
          continue
        }
        const { good, pipeline = this.#options.pipeline } = next.value
        if (pipeline === this.#options.pipeline) return good
        const message = `it is a journal of the pipeline ${pipeline}`
        throw new EngineError('JOURNAL_PIPELINE', message)
      }
    } catch (error) {
      throw located(error, path)
    }
  }

  /**
   * Writes one pull of a source, with others that wait, and syncs it.
   * @returns `safe`: where it stands, once it would survive a crash of the host; `bytes`: how long
   *   it is before it is compressed
   */
  append(entry: Entry): { safe: Promise<Written>; bytes: number } {
    const before = this.#body.length
    encodeEntry(entry, this.#body)
    const safe = new Promise<Written>((resolve, reject) => {
      this.#waiting.push({ items: entry.events.length, resolve, reject })
    })
    const bytes = this.#body.length - before
    this.#writing ??= this.#writeAll()
    return { safe, bytes }
  }

  async #writeAll(): Promise<void> {
    // Those who append in this same step are to share the first frame.
    await undefined
    while (this.#waiting.length > 0) {
      const group = this.#waiting
      const body = this.#body
      this.#waiting = []
      this.#body = this.#spare
      try {
        if (this.#failure !== undefined) throw this.#failure
        let sequence = this.#sequence
        const sum = group.reduce((total, { items }) => total + items, 0)
        const arrival = await this.#write(body, sum)
        for (const { items, resolve } of group) {
          resolve({ sequence, arrival })
          sequence += items
        }
      } catch (error) {
        // What comes after a gap would be taken for all there is.
        this.#failure ??= error
        for (const { reject } of group) reject(error)
      }
      body.clear()
      this.#spare = body
    }
    // In the same step as the last look: whoever appends after it has to start anew.
    this.#writing = undefined
  }

  /** @returns when, ms since the epoch */
  async #write(body: Body, items: number): Promise<number> {
    const payload = await packBody(body)
    const arrival = this.#options.clock.now()
    const frame = encodeFrame({ sequence: this.#sequence, items, arrival, payload })
    await this.#untilItWorks(async () => {
      if (!this.#file || this.#end >= this.#segmentBytes) await this.#rotate()
      const file = this.#file as FileHandle
      await writeFully(file, frame, this.#end)
      failpoint('journal.before_sync')
      await file.datasync()
    })
    failpoint('journal.after_sync')
    this.#end += frame.length
    this.#sequence += items
    this.retention.grow(frame.length, arrival)
    return arrival
  }

  async #rotate(): Promise<void> {
    const { path, kind, pipeline } = this.#options
    const name = kind === 'file' ? path : join(path, segmentName(this.#sequence))
    const file = await open(name, 'w', 0o640)
    try {
      await writeFully(file, segmentHeader(pipeline), 0)
      await file.sync()
      await syncDirectory(dirname(name))
    } catch (error) {
      await file.close()
      throw error
    }
    await this.#file?.close()
    this.#file = file
    this.#path = name
    this.#end = SEGMENT_HEADER
    const modified = this.#options.clock.now()
    this.retention.add({ path: name, first: this.#sequence, bytes: SEGMENT_HEADER, modified })
  }

  /** A disk that is full, or away, holds the sources back until it is not. */
  async #untilItWorks(write: () => Promise<void>): Promise<void> {
    const { log, giveUp, pipeline } = this.#options
    for (let tries = 1; ; tries++) {
      try {
        await write()
        if (tries > 1) log.info({ pipeline, tries }, 'the journal can be written again')
        return
      } catch (cause) {
        const { code = 'unknown error' } = cause as NodeJS.ErrnoException
        if (tries === 1) log.warn({ pipeline, code }, 'cannot write the journal; trying on')
        if (giveUp.aborted) {
          const path = this.#path || this.#options.path
          throw new UnavailableError('JOURNAL', `cannot write the journal ${path}: ${code}`, {
            cause,
          })
        }
        await pause(RETRY_AFTER, giveUp)
      }
    }
  }

  /** Waits for what is being written, and closes. */
  async close(): Promise<void> {
    await this.#writing
    await this.#file?.close()
    this.#file = undefined
    this.#failure ??= new Error('the journal is closed')
  }
}

async function writeFully(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, position + done)
    done += bytesWritten
  }
}

/** A new file is safe only once its name is. */
async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
