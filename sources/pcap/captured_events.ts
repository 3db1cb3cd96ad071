/** Reads a capture for replay: packets, or events that another run has written. Not a component. */
import type { CaptureContext, CapturedChunk } from '../../engine/index.ts'
import { fileFingerprint, lineId } from '../../protocols/line_identity.ts'
import { LineSplitter } from '../../protocols/line_splitter.ts'
import { CaptureReader } from '../../protocols/pcap/capture_reader.ts'
import { jsonDraft } from '../lines/json_line.ts'
import { withHead } from './byte_stream.ts'
import { blocksOf, captureFingerprint, HEAD_BYTES, PACKET_TOPIC, packetDrafts } from './packets.ts'

/** A packet of 262,144 bytes as base64, with all that stands around it. bytes */
const MAX_LINE = 512 * 1024
const LINES_AT_ONCE = 512
const OPENING_BRACE = 0x7b

/**
 * A file whose first byte is `{` holds events, one JSON object a line; any other is a capture.
 * @throws {ProtocolError} `CAPTURE_FORMAT`, `CAPTURE_LINK_TYPE`
 */
export async function* readCapturedEvents(
  bytes: AsyncIterable<Buffer>,
  context: CaptureContext,
): AsyncGenerator<CapturedChunk, void> {
  const { head, all } = await withHead(bytes, HEAD_BYTES)
  if (head[0] === OPENING_BRACE) return yield* eventLines(all, context)
  const fingerprint = captureFingerprint(context.node, head)
  const reader = new CaptureReader()
  const blocks = blocksOf(all, reader)
  try {
    for (;;) {
      const { done, value } = await blocks.next()
      if (done) {
        const { skipped } = reader
        if (skipped > 0) context.warn(`${skipped} packets of link types that are not read`)
        if (value) context.warn(value.message)
        return
      }
      const offsets = value.starts.map((start) => value.offset + start)
      yield { events: packetDrafts(value, fingerprint), offsets }
    }
  } finally {
    await blocks.return(undefined)
  }
}

async function* eventLines(
  bytes: AsyncIterable<Buffer>,
  { node }: CaptureContext,
): AsyncGenerator<CapturedChunk, void> {
  const splitter = new LineSplitter({ maxLine: MAX_LINE })
  let fingerprint: string | undefined
  let time = 0
  let events: CapturedChunk['events'][number][] = []
  let offsets: number[] = []
  const add = ({ text, offset, truncated }: NonNullable<ReturnType<LineSplitter['take']>>) => {
    fingerprint ??= fileFingerprint(node, 0, text)
    const line = { id: lineId(fingerprint, offset), text, truncated }
    const made = jsonDraft(line, time, { topic: PACKET_TOPIC })
    time = ('failure' in made ? made.draft : made).time
    events.push(made)
    offsets.push(offset)
  }
  for await (const chunk of bytes) {
    splitter.push(chunk)
    for (let line = splitter.take(); line; line = splitter.take()) {
      add(line)
      if (events.length < LINES_AT_ONCE) continue
      yield { events, offsets }
      events = []
      offsets = []
    }
  }
  const last = splitter.end()
  if (last) add(last)
  if (events.length > 0) yield { events, offsets }
}
