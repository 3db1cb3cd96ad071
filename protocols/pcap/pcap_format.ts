/** pcap: a header of 24 bytes, then records of 16 bytes and a packet. */
import { isLinkType } from '../packet/link_layer.ts'
import {
  type CaptureFormat,
  MOST_PACKET_BYTES,
  type PcapState,
  readUint32,
  unsupportedLinkType,
} from './capture_format.ts'
import type { BlockBuilder } from './captured_block.ts'

export const PCAP_HEADER_BYTES = 24
export const PCAP_RECORD_BYTES = 16
export const MAGIC_MICROSECONDS = 0xa1b2c3d4
const MAGIC_NANOSECONDS = 0xa1b23c4d

/** @returns how the header that begins with these four bytes is to be read, undefined if it is none */
export function pcapMagic(
  bytes: Buffer,
  at: number,
): { bigEndian: boolean; nanoseconds: boolean } | undefined {
  for (const bigEndian of [false, true]) {
    const magic = readUint32(bytes, at, bigEndian)
    if (magic === MAGIC_MICROSECONDS) return { bigEndian, nanoseconds: false }
    if (magic === MAGIC_NANOSECONDS) return { bigEndian, nanoseconds: true }
  }
  return undefined
}

/**
 * Reads the header.
 * @throws {ProtocolError} `CAPTURE_LINK_TYPE`
 * @see draft-ietf-opsawg-pcap section 4
 */
export function readPcapHeader(
  bytes: Buffer,
  at: number,
  magic: { bigEndian: boolean; nanoseconds: boolean },
): PcapState {
  // The upper half of the word says whether frames end in a checksum, and how long it is.
  const linkType = readUint32(bytes, at + 20, magic.bigEndian) & 0xffff
  if (!isLinkType(linkType)) throw unsupportedLinkType(linkType)
  return { format: 'pcap', ...magic, linkType }
}

/** Records behind the header, see draft-ietf-opsawg-pcap section 5. */
export class PcapFormat implements CaptureFormat {
  readonly skipped = 0
  readonly #state: PcapState
  readonly #bigEndian: boolean

  constructor(state: PcapState) {
    this.#state = state
    this.#bigEndian = state.bigEndian
  }

  needed(bytes: Buffer, at: number, available: number): number {
    if (available < PCAP_RECORD_BYTES) return PCAP_RECORD_BYTES
    const length = readUint32(bytes, at + 8, this.#bigEndian)
    return length > MOST_PACKET_BYTES ? -1 : PCAP_RECORD_BYTES + length
  }

  read(bytes: Buffer, at: number, block: BlockBuilder): number {
    const bigEndian = this.#bigEndian
    const length = readUint32(bytes, at + 8, bigEndian)
    const seconds = readUint32(bytes, at, bigEndian)
    const fraction = readUint32(bytes, at + 4, bigEndian)
    // Microseconds of our time are exact in a double, so this rounds once; nanoseconds are not.
    const time = this.#state.nanoseconds
      ? seconds * 1000 + fraction / 1e6
      : (seconds * 1e6 + fraction) / 1000
    block.add(
      at + PCAP_RECORD_BYTES,
      length,
      readUint32(bytes, at + 12, bigEndian),
      time,
      this.#state.linkType,
    )
    return PCAP_RECORD_BYTES + length
  }

  state(): PcapState {
    return this.#state
  }
}
