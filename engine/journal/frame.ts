/**
 * The bytes of a journal. A segment starts with a header (magic, name of the pipeline), then come
 * frames, each written whole and synced before the next is begun:
 * marker 4, payload length 4, CRC-32 of all that follows 4, items 4, first sequence 8, arrival 8,
 * payload. Integers are little-endian, the last two numbers doubles.
 */
import { crc32 } from 'node:zlib'
import { EngineError } from '../errors.ts'

const MAGIC = Buffer.from('DECNETJ1')
const NAME_BYTES = 64
/** bytes before the first frame of a segment */
export const SEGMENT_HEADER = MAGIC.length + NAME_BYTES

// No UTF-8 text holds 0xff: captured text that was not compressed cannot pass for a frame.
const MARKER = Buffer.from([0xff, 0x4a, 0x46, 0xfe])
const FRAME_HEADER = 32
/** offset of the first byte the checksum covers */
const CHECKED_FROM = 12

/** A source's largest pull comes to less; what claims to be longer is damage. */
const MAX_PAYLOAD = 512 * 1024 * 1024

/** One group of entries, compressed. */
export interface Frame {
  /** sequence of its first item */
  readonly sequence: number
  /** items in all its entries */
  readonly items: number
  /** host time at which it was written, ms since the epoch */
  readonly arrival: number
  /** Zstandard; see `entry.ts` */
  readonly payload: Buffer
}

/** @param pipeline at most 64 characters, as names of pipelines are */
export function segmentHeader(pipeline: string): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER)
  MAGIC.copy(header)
  header.write(pipeline, MAGIC.length, NAME_BYTES)
  return header
}

/**
 * @param head the first bytes of a file
 * @returns the pipeline it is of, or undefined where it is no journal
 */
export function journalOf(head: Buffer): string | undefined {
  if (head.length < SEGMENT_HEADER || !head.subarray(0, MAGIC.length).equals(MAGIC)) {
    return undefined
  }
  const name = head.toString('latin1', MAGIC.length, SEGMENT_HEADER)
  const end = name.indexOf('\0')
  return end === -1 ? name : name.slice(0, end)
}

/** @throws {EngineError} `JOURNAL_CHUNK` when the payload is longer than a reader would take */
export function encodeFrame({ sequence, items, arrival, payload }: Frame): Buffer {
  if (payload.length > MAX_PAYLOAD) {
    throw new EngineError('JOURNAL_CHUNK', `one pull of ${payload.length} bytes is too much`)
  }
  const frame = Buffer.allocUnsafe(FRAME_HEADER + payload.length)
  MARKER.copy(frame)
  frame.writeUInt32LE(payload.length, 4)
  frame.writeUInt32LE(items, 12)
  frame.writeDoubleLE(sequence, 16)
  frame.writeDoubleLE(arrival, 24)
  payload.copy(frame, FRAME_HEADER)
  frame.writeUInt32LE(crc32(frame.subarray(CHECKED_FROM)), 8)
  return frame
}

/**
 * Takes frames out of the bytes of a segment, its header left out, in pieces of any size. What is
 * not whole at the end is a write that a crash has cut, and is left out; where a whole frame comes
 * after broken bytes, something else has damaged the file.
 */
export class FrameSplitter {
  #pieces: Buffer[] = []
  #held = 0
  #wanted = FRAME_HEADER
  #offset = 0
  #brokenAt: number | undefined

  /** bytes of whole frames taken so far */
  get goodBytes(): number {
    return this.#brokenAt ?? this.#offset
  }

  push(bytes: Buffer): void {
    this.#pieces.push(bytes)
    this.#held += bytes.length
  }

  /**
   * @returns the next whole frame, undefined where there is none yet
   * @throws {EngineError} `JOURNAL_DAMAGED`
   */
  take(): Frame | undefined {
    while (this.#held >= this.#wanted) {
      const bytes = this.#join()
      const length = frameLength(bytes)
      if (length !== undefined && bytes.length < length) {
        this.#wanted = length
        return undefined
      }
      const frame = length === undefined ? undefined : readFrame(bytes.subarray(0, length))
      if (frame) return this.#found(frame, bytes, length as number)
      this.#skip(bytes)
    }
    return undefined
  }

  /**
   * To be called at the end of the segment.
   * @returns bytes at its end that are no whole frame
   * @throws {EngineError} `JOURNAL_DAMAGED`
   */
  end(): number {
    // What waits for the rest of a frame that is not there may hide a whole one.
    while (this.#held > 0) {
      this.#skip(this.#join())
      this.take()
    }
    const end = this.#offset
    return end - this.goodBytes
  }

  #join(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0] ?? Buffer.alloc(0)
  }

  #drop(bytes: Buffer, count: number): void {
    this.#pieces = count < bytes.length ? [bytes.subarray(count)] : []
    this.#held -= count
    this.#offset += count
    this.#wanted = FRAME_HEADER
  }

  #found(frame: Frame, bytes: Buffer, length: number): Frame {
    if (this.#brokenAt !== undefined) {
      const place = SEGMENT_HEADER + this.#brokenAt
      throw new EngineError('JOURNAL_DAMAGED', `the journal is damaged at byte ${place}`)
    }
    this.#drop(bytes, length)
    return frame
  }

  /** To the next place a frame could begin at. */
  #skip(bytes: Buffer): void {
    this.#brokenAt ??= this.#offset
    const next = bytes.indexOf(MARKER, 1)
    // A marker may be cut in two at the end of what is here.
    const kept = next === -1 ? Math.max(bytes.length - MARKER.length + 1, 1) : next
    this.#drop(bytes, Math.min(kept, bytes.length))
  }
}

/** @returns undefined where no frame can begin */
function frameLength(bytes: Buffer): number | undefined {
  if (bytes.compare(MARKER, 0, MARKER.length, 0, MARKER.length) !== 0) return undefined
  const payload = bytes.readUInt32LE(4)
  return payload > MAX_PAYLOAD ? undefined : FRAME_HEADER + payload
}

function readFrame(bytes: Buffer): Frame | undefined {
  if (crc32(bytes.subarray(CHECKED_FROM)) !== bytes.readUInt32LE(8)) return undefined
  return {
    items: bytes.readUInt32LE(12),
    sequence: bytes.readDoubleLE(16),
    arrival: bytes.readDoubleLE(24),
    payload: bytes.subarray(FRAME_HEADER),
  }
}
