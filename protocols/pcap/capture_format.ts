/** What the readers of both capture formats agree on. */
import { ProtocolError } from '../protocol_error.ts'
import type { BlockBuilder } from './captured_block.ts'

/** A longer packet is no packet but a broken file, as for libpcap; bytes. */
export const MOST_PACKET_BYTES = 262_144

/**
 * One record of a capture (pcap) or one block (pcapng), the file's own header included. `bytes` in
 * the methods holds it from `at` on.
 */
export interface CaptureFormat {
  /** Packets left out so far, since their interface is unknown or its link type is not read. */
  readonly skipped: number
  /**
   * @param available how many bytes of it are there
   * @returns how many bytes of it `read` must see: if more than `available`, ask again with those;
   *   -1 if no record can begin like this
   */
  needed(bytes: Buffer, at: number, available: number): number
  /**
   * Takes the record in; adds its packet, if it has one, to `block`.
   * @returns the length of the whole record, at least what was needed; the rest is of no interest.
   *   -1 if it is broken
   * @throws {ProtocolError} `CAPTURE_FORMAT` or `CAPTURE_LINK_TYPE`
   */
  read(bytes: Buffer, at: number, block: BlockBuilder): number
  /** What is needed to go on behind the last record read; JSON, and not touched again. */
  state(): FormatState
}

/** What a reader has learnt of the file, see `CaptureReader.position`. */
export type FormatState = PcapState | PcapngState

export interface PcapState {
  readonly format: 'pcap'
  readonly bigEndian: boolean
  /** Fractions of a second are of 10^9, not of 10^6. */
  readonly nanoseconds: boolean
  readonly linkType: number
}

export interface PcapngState {
  readonly format: 'pcapng'
  readonly bigEndian: boolean
  /** Those of the current section, by their id. */
  readonly interfaces: readonly PcapngInterface[]
  /** Of the last packet that had one, ms. */
  readonly time: number
}

export interface PcapngInterface {
  readonly linkType: number
  /** 0 for no limit. */
  readonly snapLength: number
  readonly ticksPerSecond: number
  /** Added to times, s. */
  readonly offsetSeconds: number
}

/** The file is no capture, or one of a kind that is not read. */
export const unsupportedFormat = () =>
  new ProtocolError('CAPTURE_FORMAT', 'unsupported capture format')

/** The link type of the whole file is not read. */
export const unsupportedLinkType = (linkType: number) =>
  new ProtocolError('CAPTURE_LINK_TYPE', `unsupported linktype ${linkType}`)

export const readUint16 = (bytes: Buffer, at: number, bigEndian: boolean): number =>
  bigEndian ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at)

export const readUint32 = (bytes: Buffer, at: number, bigEndian: boolean): number =>
  bigEndian ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at)
