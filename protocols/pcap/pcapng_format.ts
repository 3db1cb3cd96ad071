/** pcapng: blocks of a type and a length, in sections that each have a byte order and interfaces. */
import { isLinkType } from '../packet/link_layer.ts'
import {
  type CaptureFormat,
  MOST_PACKET_BYTES,
  type PcapngInterface,
  type PcapngState,
  readUint16,
  readUint32,
  unsupportedFormat,
} from './capture_format.ts'
import type { BlockBuilder } from './captured_block.ts'
import { interfaceOf } from './pcapng_interface.ts'

/** The same in either byte order. */
export const SECTION_HEADER = 0x0a0d0d0a
const BYTE_ORDER = 0x1a2b3c4d
const INTERFACE_DESCRIPTION = 1
/** The older form of the enhanced packet, with an interface id of 16 bits. */
const OBSOLETE_PACKET = 2
const SIMPLE_PACKET = 3
const ENHANCED_PACKET = 6

/** Type, length, and the length again at the end. */
const SMALLEST_BLOCK = 12
const SMALLEST_SECTION = 28
const SMALLEST_INTERFACE = 20
const SMALLEST_PACKET = 32
const SMALLEST_SIMPLE = 16
/** Type, length, interface, time, two lengths: the packet comes behind them. */
const PACKET_HEAD = 28
/** Options behind that many bytes of an interface block are not looked at. */
const INTERFACE_BYTES = 16_384
/** Interfaces of one section; packets on further ones are skipped. */
const MOST_INTERFACES = 1024
/** The last instant that a Date can hold; ms. */
const LAST_TIME = 8.64e15

/**
 * Reads blocks; those that are not mentioned in the sheet are passed over by their length. The
 * length at the end of a block is not compared.
 * @see draft-ietf-opsawg-pcapng section 4
 */
export class PcapngFormat implements CaptureFormat {
  skipped = 0
  #bigEndian: boolean
  #interfaces: readonly PcapngInterface[]
  #time: number

  /** @param state where to go on; none at the start of a file */
  constructor(state?: PcapngState) {
    this.#bigEndian = state?.bigEndian ?? false
    this.#interfaces = state?.interfaces ?? []
    this.#time = state?.time ?? 0
  }

  state(): PcapngState {
    return {
      format: 'pcapng',
      bigEndian: this.#bigEndian,
      interfaces: this.#interfaces,
      time: this.#time,
    }
  }

  needed(bytes: Buffer, at: number, available: number): number {
    if (available < SMALLEST_BLOCK) return SMALLEST_BLOCK
    if (bytes.readUInt32BE(at) === SECTION_HEADER) return SMALLEST_SECTION
    const length = this.#word(bytes, at + 4)
    if (length < SMALLEST_BLOCK || length % 4 !== 0) return -1
    switch (this.#word(bytes, at)) {
      case INTERFACE_DESCRIPTION:
        return length < SMALLEST_INTERFACE ? -1 : Math.min(length, INTERFACE_BYTES)
      case ENHANCED_PACKET:
      case OBSOLETE_PACKET:
        if (length < SMALLEST_PACKET) return -1
        if (available < PACKET_HEAD) return PACKET_HEAD
        return withPacket(PACKET_HEAD, this.#word(bytes, at + 20), length - SMALLEST_PACKET)
      case SIMPLE_PACKET:
        if (length < SMALLEST_SIMPLE) return -1
        return withPacket(12, this.#simpleLength(bytes, at, length), length - SMALLEST_SIMPLE)
      default:
        return SMALLEST_BLOCK
    }
  }

  read(bytes: Buffer, at: number, block: BlockBuilder): number {
    if (bytes.readUInt32BE(at) === SECTION_HEADER) return this.#readSection(bytes, at)
    const length = this.#word(bytes, at + 4)
    switch (this.#word(bytes, at)) {
      case INTERFACE_DESCRIPTION:
        this.#readInterface(bytes, at, length)
        break
      case ENHANCED_PACKET:
        this.#readPacket(bytes, at, this.#word(bytes, at + 8), block)
        break
      case OBSOLETE_PACKET:
        this.#readPacket(bytes, at, readUint16(bytes, at + 8, this.#bigEndian), block)
        break
      case SIMPLE_PACKET:
        this.#readSimplePacket(bytes, at, length, block)
        break
      default:
    }
    return length
  }

  #readSection(bytes: Buffer, at: number): number {
    const bigEndian = bytes.readUInt32BE(at + 8) === BYTE_ORDER
    if (!bigEndian && bytes.readUInt32LE(at + 8) !== BYTE_ORDER) throw unsupportedFormat()
    const length = readUint32(bytes, at + 4, bigEndian)
    // Section 4.1: what has another major version cannot be read.
    if (readUint16(bytes, at + 12, bigEndian) !== 1) throw unsupportedFormat()
    if (length < SMALLEST_SECTION || length % 4 !== 0) return -1
    this.#bigEndian = bigEndian
    this.#interfaces = []
    return length
  }

  #readInterface(bytes: Buffer, at: number, length: number): void {
    if (this.#interfaces.length >= MOST_INTERFACES) return
    const end = at + Math.min(length - 4, INTERFACE_BYTES)
    const added = interfaceOf(bytes, at + 8, end, this.#bigEndian)
    // A new list, since positions handed out refer to the old one.
    this.#interfaces = [...this.#interfaces, added]
  }

  #readPacket(bytes: Buffer, at: number, id: number, block: BlockBuilder): void {
    const from = this.#interfaces[id]
    if (!from || !isLinkType(from.linkType)) {
      this.skipped += 1
      return
    }
    this.#time = timeOf(this.#word(bytes, at + 12), this.#word(bytes, at + 16), from)
    const length = this.#word(bytes, at + 20)
    const wireLength = this.#word(bytes, at + 24)
    block.add(at + PACKET_HEAD, length, wireLength, this.#time, from.linkType)
  }

  #readSimplePacket(bytes: Buffer, at: number, blockLength: number, block: BlockBuilder): void {
    const from = this.#interfaces[0]
    if (!from || !isLinkType(from.linkType)) {
      this.skipped += 1
      return
    }
    const length = this.#simpleLength(bytes, at, blockLength)
    block.add(at + 12, length, this.#word(bytes, at + 8), this.#time, from.linkType)
  }

  /** A simple packet does not say how much was captured: all, as far as snap length and block allow. */
  #simpleLength(bytes: Buffer, at: number, blockLength: number): number {
    const snapLength = this.#interfaces[0]?.snapLength || Number.POSITIVE_INFINITY
    return Math.min(this.#word(bytes, at + 8), snapLength, blockLength - SMALLEST_SIMPLE)
  }

  #word(bytes: Buffer, at: number): number {
    return readUint32(bytes, at, this.#bigEndian)
  }
}

const withPacket = (head: number, length: number, room: number): number =>
  length > MOST_PACKET_BYTES || length > room ? -1 : head + length

function timeOf(high: number, low: number, { ticksPerSecond, offsetSeconds }: PcapngInterface) {
  const ticks = high * 2 ** 32 + low
  // Dividing once keeps microseconds what they are in a pcap, to the last bit.
  const sinceOffset =
    ticksPerSecond >= 1000 ? ticks / (ticksPerSecond / 1000) : (ticks * 1000) / ticksPerSecond
  return Math.min(Math.max(sinceOffset + offsetSeconds * 1000, 0), LAST_TIME)
}
