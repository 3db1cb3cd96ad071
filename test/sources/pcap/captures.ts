/** Small captures for tests, in each form that is read. */
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { pcapHeader, pcapRecord } from '../../../protocols/pcap/capture_writer.ts'

/** When the first frame was captured, ms. */
export const START = 1_700_000_000_000

/** A SYN from 203.0.113.7 to 192.0.2.10:22 in an Ethernet frame. */
export function synFrame(port: number, padding = 0): Buffer {
  const frame = Buffer.from(
    `00112233445566778899aabb08004500003c1c4640004006b1e6cb007107c000020a${port
      .toString(16)
      .padStart(
        4,
        '0',
      )}00161122334400000000a002faf0e6320000020405b40402080a010203040000000001030307`,
    'hex',
  )
  return Buffer.concat([frame, Buffer.alloc(padding)])
}

const frames = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, index) => synFrame(40_000 + index, index % 7))

const times = (index: number) => START + index * 0.125

/** A classic pcap; packet 0 begins at byte 40. */
export const pcapOf = (count: number, linkType = 1): Buffer =>
  Buffer.concat([
    pcapHeader(linkType),
    ...frames(count).map((frame, index) => pcapRecord(frame, times(index))),
  ])

/** The same packets as a pcapng. */
export function pcapngOf(count: number): Buffer {
  const block = (type: number, body: Buffer): Buffer => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)])
    const words = Buffer.alloc(8)
    words.writeUInt32LE(type, 0)
    words.writeUInt32LE(padded.length + 12, 4)
    return Buffer.concat([words, padded, words.subarray(4)])
  }
  const section = Buffer.from('4d3c2b1a01000000ffffffffffffffff', 'hex')
  const description = Buffer.from('0100000000000400', 'hex')
  const packets = frames(count).map((frame, index) => {
    const head = Buffer.alloc(20)
    const micros = BigInt(Math.round(times(index) * 1000))
    head.writeUInt32LE(Number(micros >> 32n), 4)
    head.writeUInt32LE(Number(micros & 0xffff_ffffn), 8)
    head.writeUInt32LE(frame.length, 12)
    head.writeUInt32LE(frame.length, 16)
    return block(6, Buffer.concat([head, frame]))
  })
  return Buffer.concat([block(0x0a0d0d0a, section), block(1, description), ...packets])
}

/** The forms a capture file may have, of the same packets. */
export const FORMS: readonly [string, (count: number) => Buffer][] = [
  ['pcap', pcapOf],
  ['pcapng', pcapngOf],
  ['gzip', (count) => gzipSync(pcapOf(count))],
  ['zstd', (count) => zstdCompressSync(pcapngOf(count))],
]
