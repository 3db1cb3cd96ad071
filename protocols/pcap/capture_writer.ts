/** Writes a classic pcap (microseconds, little-endian), for tests and tools. */
import { MAGIC_MICROSECONDS, PCAP_HEADER_BYTES, PCAP_RECORD_BYTES } from './pcap_format.ts'

const SNAP_LENGTH = 262_144

/** @returns the head of a capture of frames of that link type */
export function pcapHeader(linkType: number): Buffer {
  const header = Buffer.alloc(PCAP_HEADER_BYTES)
  header.writeUInt32LE(MAGIC_MICROSECONDS, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(SNAP_LENGTH, 16)
  header.writeUInt32LE(linkType, 20)
  return header
}

/**
 * @param frame at most 262,144 bytes
 * @param time ms since the epoch; rounded to microseconds
 * @param wireLength bytes on the wire, where the frame is cut
 */
export function pcapRecord(frame: Uint8Array, time: number, wireLength = frame.length): Buffer {
  const micros = Math.round(time * 1000)
  const header = Buffer.alloc(PCAP_RECORD_BYTES)
  header.writeUInt32LE(Math.floor(micros / 1e6), 0)
  header.writeUInt32LE(micros % 1e6, 4)
  header.writeUInt32LE(frame.length, 8)
  header.writeUInt32LE(wireLength, 12)
  return Buffer.concat([header, frame])
}
