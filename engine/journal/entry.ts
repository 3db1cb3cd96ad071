/** What a frame of a journal holds: pulls of sources, as lines of JSON with texts between them. */
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import type { Reject } from '../define.ts'
import { EngineError } from '../errors.ts'
import type { Data, Draft } from '../event.ts'
import { sequenceId } from '../ids.ts'
import type { Body } from './body.ts'
import { eventsOf, OpenRun, type TextRun, Texts } from './text_run.ts'

/** One pull of one source. */
export interface Entry {
  readonly source: string
  /** 16 hex characters; the ids of drafts without one start from it */
  readonly stream: string
  /** how many items the source had given before */
  readonly first: number
  /** where the source itself resumes after this pull */
  readonly position: unknown
  readonly events: readonly (Draft | Reject)[]
}

/** Source of the entries that say how far time went on in silence; no node can be called so. */
export const TIME = '*'

/** @param time up to which time went on while nothing arrived, ms since the epoch */
export const timeEntry = (time: number): Entry => ({
  source: TIME,
  stream: '',
  first: 0,
  position: null,
  events: [{ topic: 'pipeline.time', time, data: {} }],
})

const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)

/** The fastest level: logs come to about a tenth with it already. */
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } }
/** bytes that come out at a time: each piece is a trip to another thread and back */
const PIECE = { chunkSize: 256 * 1024 }
/** A journal may come from elsewhere, and a few bytes can claim to unpack to anything. */
const MAX_BODY = 1024 * 1024 * 1024

/** `[topic, time, data, id, code, message]`, cut after what there is. */
type Item = [string, number, Data, (string | null)?, string?, string?]

/** One line of JSON. The texts of its runs stand before it; without any, it may stand alone. */
type StoredLine = Omit<Entry, 'events'> & { readonly items: readonly (Item | TextRun)[] }

/** Texts follow: this byte, how many bytes they take (4), and they. No line of JSON starts so. */
const TEXTS = 0x01
const TEXTS_HEADER = 5

/**
 * Adds an entry to the body of a frame.
 * @throws {TypeError | RangeError} on what JSON cannot hold; the body is as it was
 */
export function encodeEntry({ source, stream, first, position, events }: Entry, body: Body): void {
  const start = body.skip(TEXTS_HEADER)
  try {
    const items = pack(events, body)
    const texts = body.length - start - TEXTS_HEADER
    const stored: StoredLine = { source, stream, first, position, items }
    // In one go: a call for each event would take twice as long.
    body.text(`${JSON.stringify(stored)}\n`)
    body.bytes.writeUInt8(TEXTS, start)
    body.bytes.writeUInt32LE(texts, start + 1)
  } catch (error) {
    body.cut(start)
    throw error
  }
}

function pack(events: Entry['events'], body: Body): (Item | TextRun)[] {
  const items: (Item | TextRun)[] = []
  let run: OpenRun | undefined
  for (const event of events) {
    if (run?.take(event, body)) continue
    run = OpenRun.from(event, body)
    items.push(run ?? toItem(event))
  }
  return items
}

function toItem(event: Draft | Reject): Item {
  const { topic, time, data, id } = 'failure' in event ? event.draft : event
  if ('failure' in event) {
    return [topic, time, data, id ?? null, event.failure.code, event.failure.message]
  }
  return id === undefined ? [topic, time, data] : [topic, time, data, id]
}

/** @returns the payload of a frame; `body` must not change before it is there */
export const packBody = (body: Body): Promise<Buffer> =>
  compress(body.bytes, { ...LEVEL, ...PIECE })

/**
 * @param payload of a frame
 * @returns the entries, every draft with the id it had
 * @throws {EngineError} `JOURNAL_DAMAGED`
 */
export async function unpackEntries(payload: Buffer): Promise<Entry[]> {
  try {
    return readEntries(await decompress(payload, { maxOutputLength: MAX_BODY, ...PIECE }))
  } catch (cause) {
    throw new EngineError('JOURNAL_DAMAGED', 'the journal holds a frame that cannot be read', {
      cause,
    })
  }
}

function readEntries(body: Buffer): Entry[] {
  const entries: Entry[] = []
  for (let at = 0; at < body.length; ) {
    const hasTexts = body[at] === TEXTS
    const textsStart = hasTexts ? at + TEXTS_HEADER : at
    const start = textsStart + (hasTexts ? body.readUInt32LE(at + 1) : 0)
    const end = body.indexOf(0x0a, start)
    const line: StoredLine = JSON.parse(body.toString('utf8', start, end))
    entries.push(readEntry(line, new Texts(body.subarray(textsStart, start))))
    at = end + 1
  }
  return entries
}

function readEntry({ source, stream, first, position, items }: StoredLine, texts: Texts): Entry {
  const events: (Draft | Reject)[] = []
  const minted = () => sequenceId(stream, first + events.length)
  for (const item of items) {
    if (Array.isArray(item)) events.push(fromItem(item, minted()))
    else for (const event of eventsOf(item, texts)) events.push({ id: minted(), ...event })
  }
  if (texts.left !== 0) throw new Error('texts and their lengths do not agree')
  return { source, stream, first, position: position ?? null, events }
}

function fromItem([topic, time, data, ownId, code, message]: Item, minted: string) {
  const draft = { id: ownId ?? minted, topic, time, data }
  return code === undefined ? draft : { failure: { code, message: message ?? '' }, draft }
}
