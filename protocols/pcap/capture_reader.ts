/** Splits a stream of bytes into the packets of a capture: bounded, wherever the pieces are cut. */
import { type CaptureFormat, type FormatState, unsupportedFormat } from './capture_format.ts'
import { BlockBuilder, type CapturedBlock } from './captured_block.ts'
import { PCAP_HEADER_BYTES, PcapFormat, pcapMagic, readPcapHeader } from './pcap_format.ts'
import { PcapngFormat, SECTION_HEADER } from './pcapng_format.ts'

/** Where reading can go on: JSON, made by `CaptureReader.position`. */
export interface CapturePosition {
  /** Of the next record in the stream, uncompressed bytes. */
  readonly offset: number
  /** What stood before it and is needed to read on; none before the file's header was read. */
  readonly format?: FormatState
}

/** Why reading stopped before the end of the stream, or at an end in the middle of a packet. */
export interface CaptureWarning {
  /** Of the record that is cut or broken: up to there the capture is whole. */
  readonly offset: number
  /** `truncated capture at byte N` */
  readonly message: string
}

/** Whether a file that begins with these bytes is gzip (RFC 1952); the source undoes it. */
export const isGzip = (bytes: Uint8Array): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

const EMPTY = Buffer.alloc(0)
/** Packets of one block, if the caller does not say. */
const BLOCK_PACKETS = 1024
const MAGIC_BYTES = 4

/**
 * Reads pcap (microseconds, nanoseconds) and pcapng in either byte order, told apart by their first
 * bytes. Pulled: `push` one chunk, `take` its blocks until there are no more, push the next, `end`.
 * A packet that lies whole in a chunk is not copied, so a chunk's buffer must stay as it is; of one
 * that does not, what is there is copied, 262,172 bytes at most.
 *
 * To resume: keep `position` after a block; later make a reader from it, and push the stream from
 * byte `position.offset` on. That holds for a pcapng too, since its interfaces are in the position;
 * of a gzip, undo the compression from the start and drop that many bytes.
 * @example
 * const reader = new CaptureReader()
 * reader.push(bytes)
 * for (let block = reader.take(); block; block = reader.take()) show(block)
 * reader.end() // undefined, or { offset: 24, message: 'truncated capture at byte 24' }
 */
export class CaptureReader {
  #format: CaptureFormat | undefined
  #chunk: Buffer = EMPTY
  #at = 0
  /** The head of a record whose rest is in chunks to come. */
  #held: Buffer = EMPTY
  #heldLength = 0
  /** Bytes of the last record that are still to be passed over, and where it began. */
  #skip = 0
  #skippedFrom = 0
  #offset = 0
  #stopped = false

  /** @param position of an earlier reader of the same stream */
  constructor(position?: CapturePosition) {
    this.#offset = position?.offset ?? 0
    if (position?.format) this.#format = formatOf(position.format)
  }

  /** Bytes of the stream up to the next record: behind the last packet taken. */
  get offset(): number {
    return this.#offset
  }

  /** Where to go on behind the last packet taken. */
  get position(): CapturePosition {
    const offset = this.#offset
    return this.#format ? { offset, format: this.#format.state() } : { offset }
  }

  /** Packets left out: their interface is unknown or has a link type that is not read (pcapng). */
  get skipped(): number {
    return this.#format?.skipped ?? 0
  }

  /** A record was broken: nothing more will be read, and `end` says where. */
  get stopped(): boolean {
    return this.#stopped
  }

  /** @throws {Error} while blocks of the last chunk have not been taken: a bug of the caller */
  push(chunk: Buffer): void {
    if (this.#stopped) return
    if (this.#at < this.#chunk.length) throw new Error('push before the last chunk was taken')
    this.#chunk = chunk
    this.#at = 0
  }

  /**
   * @param limit packets of the block at most
   * @returns the next packets, one or more, or undefined where the chunk has no more
   * @throws {ProtocolError} `CAPTURE_FORMAT` (`unsupported capture format`) or `CAPTURE_LINK_TYPE`
   *   (`unsupported linktype N`); of no use is a reader that has thrown
   */
  take(limit = BLOCK_PACKETS): CapturedBlock | undefined {
    while (!this.#stopped && this.#at < this.#chunk.length) {
      if (this.#skip > 0) {
        const passed = Math.min(this.#skip, this.#chunk.length - this.#at)
        this.#skip -= passed
        this.#at += passed
        continue
      }
      const block = this.#heldLength > 0 ? this.#takeHeld() : this.#takeWhole(limit)
      if (block && block.count > 0) return block
    }
    return undefined
  }

  /**
   * To be called when the stream is at its end and everything was taken.
   * @returns a warning where the stream was cut or broken
   * @throws {ProtocolError} `CAPTURE_FORMAT` where there was no capture at all
   */
  end(): CaptureWarning | undefined {
    if (!this.#format && this.#heldLength < MAGIC_BYTES) throw unsupportedFormat()
    if (!this.#stopped && this.#heldLength === 0 && this.#skip === 0) return undefined
    const offset = this.#skip > 0 ? this.#skippedFrom : this.#offset
    return { offset, message: `truncated capture at byte ${offset}` }
  }

  /** Packets of records that are whole in the chunk. */
  #takeWhole(limit: number): CapturedBlock {
    const chunk = this.#chunk
    const block = new BlockBuilder(chunk, this.#offset - this.#at)
    while (block.count < limit && this.#at < chunk.length) {
      const available = chunk.length - this.#at
      const needed = this.#needed(chunk, this.#at, available)
      if (needed > available) {
        this.#hold(needed)
        break
      }
      const length = needed < 0 ? -1 : this.#read(chunk, this.#at, block)
      if (length < 0) {
        this.#stopped = true
        break
      }
      this.#at += Math.min(length, available)
      this.#finishRecord(length, available)
    }
    return block
  }

  /** The packet of a record that began in an earlier chunk. */
  #takeHeld(): CapturedBlock | undefined {
    let needed = this.#needed(this.#held, 0, this.#heldLength)
    while (needed > this.#heldLength) {
      if (this.#at >= this.#chunk.length) return undefined
      this.#hold(needed)
      needed = this.#needed(this.#held, 0, this.#heldLength)
    }
    const held = this.#held.subarray(0, this.#heldLength)
    const block = new BlockBuilder(held, this.#offset)
    const length = needed < 0 ? -1 : this.#read(held, 0, block)
    if (length < 0) {
      this.#stopped = true
      return undefined
    }
    this.#held = EMPTY
    this.#heldLength = 0
    this.#finishRecord(length, held.length)
    return block
  }

  /** Moves bytes of the chunk to those held, until there are `needed` of them. */
  #hold(needed: number): void {
    if (this.#held.length < needed) {
      const longer = Buffer.allocUnsafe(needed)
      this.#held.copy(longer, 0, 0, this.#heldLength)
      this.#held = longer
    }
    const stop = Math.min(this.#chunk.length, this.#at + needed - this.#heldLength)
    this.#chunk.copy(this.#held, this.#heldLength, this.#at, stop)
    this.#heldLength += stop - this.#at
    this.#at = stop
  }

  #finishRecord(length: number, seen: number): void {
    this.#skip = Math.max(0, length - seen)
    this.#skippedFrom = this.#offset
    this.#offset += length
  }

  #needed(bytes: Buffer, at: number, available: number): number {
    if (this.#format) return this.#format.needed(bytes, at, available)
    if (available < MAGIC_BYTES) return MAGIC_BYTES
    if (pcapMagic(bytes, at)) return PCAP_HEADER_BYTES
    if (bytes.readUInt32BE(at) !== SECTION_HEADER) throw unsupportedFormat()
    return new PcapngFormat().needed(bytes, at, available)
  }

  #read(bytes: Buffer, at: number, block: BlockBuilder): number {
    if (this.#format) return this.#format.read(bytes, at, block)
    const magic = pcapMagic(bytes, at)
    if (magic) {
      this.#format = new PcapFormat(readPcapHeader(bytes, at, magic))
      return PCAP_HEADER_BYTES
    }
    const format = new PcapngFormat()
    const length = format.read(bytes, at, block)
    this.#format = format
    return length
  }
}

const formatOf = (state: FormatState): CaptureFormat =>
  state.format === 'pcap' ? new PcapFormat(state) : new PcapngFormat(state)
