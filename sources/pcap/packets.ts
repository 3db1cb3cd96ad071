/** Makes events of the bytes of a capture. Not a component. */
import { type Draft, EngineError } from '../../engine/index.ts'
import { FINGERPRINT_BYTES, fileFingerprint, lineId } from '../../protocols/line_identity.ts'
import { packetData } from '../../protocols/packet/packet_data.ts'
import type { CaptureReader, CaptureWarning } from '../../protocols/pcap/capture_reader.ts'
import type { CapturedBlock } from '../../protocols/pcap/captured_block.ts'
import { ProtocolError } from '../../protocols/protocol_error.ts'
import { quote } from '../../protocols/quote.ts'
import { isCutShort } from './byte_stream.ts'

export const PACKET_TOPIC = 'pcap.packet'

/** Packets of one pull, so that small packets do not make it huge. */
const MOST_PACKETS = 512

/** Bytes at the start of a capture that tell it from another, if it has so many. */
export const HEAD_BYTES = FINGERPRINT_BYTES

/** @param head the first bytes of the capture, unpacked, `HEAD_BYTES` of them at most */
export const captureFingerprint = (node: string, head: Buffer): string =>
  fileFingerprint(node, 0, head.toString('latin1', 0, HEAD_BYTES))

/**
 * The packets of a stream in blocks; no byte of them is copied that lies whole in a piece.
 * @returns a warning where the capture is cut or broken
 * @throws {ProtocolError} `CAPTURE_FORMAT`, `CAPTURE_LINK_TYPE`, and what the stream throws
 */
export async function* blocksOf(
  bytes: AsyncIterable<Buffer>,
  reader: CaptureReader,
): AsyncGenerator<CapturedBlock, CaptureWarning | undefined> {
  let isCut = false
  try {
    for await (const chunk of bytes) {
      reader.push(chunk)
      yield* takenFrom(reader)
      if (reader.stopped) break
    }
  } catch (error) {
    if (!isCutShort(error)) throw error
    isCut = true
  }
  const { offset } = reader
  const cut = { offset, message: `truncated capture at byte ${offset}` }
  return reader.end() ?? (isCut ? cut : undefined)
}

/** The blocks of what was pushed last. */
export function* takenFrom(reader: CaptureReader): Generator<CapturedBlock, void> {
  const next = () => reader.take(MOST_PACKETS)
  for (let block = next(); block; block = next()) yield block
}

/** @param fingerprint of the capture, where a packet is named by its place in it */
export function packetDrafts(block: CapturedBlock, fingerprint?: string): Draft[] {
  const { bytes, offset, count, starts, ends, wireLengths, times, linkTypes } = block
  const drafts: Draft[] = []
  for (let index = 0; index < count; index++) {
    const start = starts[index] as number
    const time = times[index] as number
    const data = packetData(bytes, time, {
      start,
      end: ends[index] as number,
      linkType: linkTypes[index] as number,
      wireLength: wireLengths[index] as number,
    })
    drafts.push(
      fingerprint === undefined
        ? { topic: PACKET_TOPIC, time, data }
        : { id: lineId(fingerprint, offset + start), topic: PACKET_TOPIC, time, data },
    )
  }
  return drafts
}

/** Gives what is wrong with a capture the code and the name that end the pipeline for good. */
export function captureError(name: string, error: unknown): unknown {
  if (!(error instanceof ProtocolError)) return error
  const message = `cannot read ${quote(name)}: ${error.message}`
  return new EngineError(error.code, message, { cause: error })
}
