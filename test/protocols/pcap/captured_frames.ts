/** Captures read and made. */
import { type CapturePosition, CaptureReader } from '../../../protocols/pcap/capture_reader.ts'

export interface Frame {
  /** From 1, as other programs count. */
  number: number
  linkType: number
  frame: Buffer
  wireLength: number
  time: number
}

/** A capture as it was read, to the end or to where it breaks. */
export interface Capture {
  frames: Frame[]
  warning: string | undefined
  /** Behind the last packet. */
  position: CapturePosition
  skipped: number
}

/** @param chunks the stream in pieces */
export function readCapture(chunks: Iterable<Buffer>, position?: CapturePosition): Capture {
  const reader = new CaptureReader(position)
  const frames: Frame[] = []
  for (const chunk of chunks) {
    reader.push(chunk)
    for (let block = reader.take(); block; block = reader.take()) {
      for (let i = 0; i < block.count; i++) {
        frames.push({
          number: frames.length + 1,
          linkType: block.linkTypes[i] ?? -1,
          frame: block.bytes.subarray(block.starts[i], block.ends[i]),
          wireLength: block.wireLengths[i] ?? -1,
          time: block.times[i] ?? -1,
        })
      }
    }
  }
  const warning = reader.end()?.message
  return { frames, warning, position: reader.position, skipped: reader.skipped }
}

/** @param size bytes of a chunk */
export function* chunksOf(bytes: Buffer, size = 65_536): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export const framesOf = (bytes: Buffer): Frame[] => readCapture(chunksOf(bytes)).frames

/** Words of 32 bits, or ready bytes. */
type Part = number | Buffer

/** Writes in one byte order. */
export class Words {
  readonly #bigEndian: boolean

  constructor(bigEndian: boolean) {
    this.#bigEndian = bigEndian
  }

  u16(value: number): Buffer {
    const bytes = Buffer.alloc(2)
    if (this.#bigEndian) bytes.writeUInt16BE(value)
    else bytes.writeUInt16LE(value)
    return bytes
  }

  u32(value: number): Buffer {
    const bytes = Buffer.alloc(4)
    if (this.#bigEndian) bytes.writeUInt32BE(value)
    else bytes.writeUInt32LE(value)
    return bytes
  }

  join(...parts: Part[]): Buffer {
    return Buffer.concat(parts.map((part) => (typeof part === 'number' ? this.u32(part) : part)))
  }

  /** A pcap header; `a1b2c3d4` counts microseconds, `a1b23c4d` nanoseconds. */
  pcap(magic: number, linkType: number): Buffer {
    return this.join(magic, this.u16(2), this.u16(4), 0, 0, 262_144, linkType)
  }

  record(seconds: number, fraction: number, frame: Buffer, wireLength = frame.length): Buffer {
    return this.join(seconds, fraction, frame.length, wireLength, frame)
  }

  /** A pcapng block of that type. */
  block(type: number, ...parts: Part[]): Buffer {
    const body = padded(this.join(...parts))
    return this.join(type, body.length + 12, body, body.length + 12)
  }

  section(): Buffer {
    return this.block(0x0a0d0d0a, 0x1a2b3c4d, this.u16(1), this.u16(0), 0xffffffff, 0xffffffff)
  }

  option(code: number, value: Buffer): Buffer {
    return this.join(this.u16(code), this.u16(value.length), padded(value))
  }

  /** An interface description block. */
  interface(linkType: number, snapLength = 0, ...options: Buffer[]): Buffer {
    return this.block(1, this.u16(linkType), this.u16(0), snapLength, ...options)
  }

  enhanced(id: number, [high, low]: [number, number], frame: Buffer, wireLength = frame.length) {
    return this.block(6, id, high, low, frame.length, wireLength, padded(frame))
  }
}

const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
