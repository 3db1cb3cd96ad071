/** What a capture reader hands out: many packets at once, without an object for each. */

/**
 * Packet `i` is `bytes[starts[i]..ends[i])`. The block is the caller's: the reader does not touch it
 * again, and `bytes` is the pushed chunk itself, so that must not be written to either.
 */
export interface CapturedBlock {
  readonly bytes: Buffer
  /** Where `bytes` stands in the stream: packet `i` begins at its byte `offset + starts[i]`. */
  readonly offset: number
  readonly count: number
  readonly starts: readonly number[]
  /** Behind the last captured byte. */
  readonly ends: readonly number[]
  /** Bytes on the wire, never fewer than were captured. */
  readonly wireLengths: readonly number[]
  /** Capture times, ms since the epoch with a fraction. */
  readonly times: readonly number[]
  readonly linkTypes: readonly number[]
}

/** Gathers one block. */
export class BlockBuilder {
  readonly bytes: Buffer
  readonly offset: number
  count = 0
  readonly starts: number[] = []
  readonly ends: number[] = []
  readonly wireLengths: number[] = []
  readonly times: number[] = []
  readonly linkTypes: number[] = []

  constructor(bytes: Buffer, offset = 0) {
    this.bytes = bytes
    this.offset = offset
  }

  add(start: number, length: number, wireLength: number, time: number, linkType: number): void {
    this.starts.push(start)
    this.ends.push(start + length)
    this.wireLengths.push(Math.max(length, wireLength))
    this.times.push(time)
    this.linkTypes.push(linkType)
    this.count += 1
  }
}
