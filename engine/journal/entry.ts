/** What a frame of a journal holds: pulls of sources, as lines of JSON. */
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import type { Reject } from '../define.ts'
import { EngineError } from '../errors.ts'
import type { Data, Draft } from '../event.ts'
import { sequenceId } from '../ids.ts'

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

/** An entry on its way into a frame. */
export interface EncodedEntry {
  readonly items: number
  readonly bytes: Buffer
}

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

/** One entry, one line. */
type StoredLine = Omit<Entry, 'events'> & { readonly items: readonly Item[] }

export function encodeEntry({ source, stream, first, position, events }: Entry): EncodedEntry {
  // In one go: a call for each event would take twice as long.
  const stored: StoredLine = { source, stream, first, position, items: events.map(toItem) }
  return { items: events.length, bytes: Buffer.from(`${JSON.stringify(stored)}\n`) }
}

function toItem(event: Draft | Reject): Item {
  const { topic, time, data, id } = 'failure' in event ? event.draft : event
  if ('failure' in event) {
    return [topic, time, data, id ?? null, event.failure.code, event.failure.message]
  }
  return id === undefined ? [topic, time, data] : [topic, time, data, id]
}

export function packEntries(entries: readonly EncodedEntry[]): Promise<Buffer> {
  const [only] = entries
  const body =
    only && entries.length === 1 ? only.bytes : Buffer.concat(entries.map(({ bytes }) => bytes))
  return compress(body, { ...LEVEL, ...PIECE })
}

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
    const end = body.indexOf(0x0a, at)
    const { source, stream, first, position, items }: StoredLine = JSON.parse(
      body.toString('utf8', at, end),
    )
    const events = items.map((item, index) => fromItem(item, sequenceId(stream, first + index)))
    entries.push({ source, stream, first, position: position ?? null, events })
    at = end + 1
  }
  return entries
}

function fromItem([topic, time, data, ownId, code, message]: Item, minted: string) {
  const draft = { id: ownId ?? minted, topic, time, data }
  return code === undefined ? draft : { failure: { code, message: message ?? '' }, draft }
}
