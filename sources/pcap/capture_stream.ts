/** Reads a capture that another program writes into this one. Not a component. */
import { addAbortSignal, type Readable } from 'node:stream'
import type { Chunk, Context } from '../../engine/index.ts'
import { CaptureReader } from '../../protocols/pcap/capture_reader.ts'
import { unpacked } from './byte_stream.ts'
import { blocksOf, captureError, packetDrafts } from './packets.ts'

/** How many packets have been received over all starts. */
export interface LivePosition {
  readonly received: number
}

/**
 * @param stream of bytes; it is destroyed when `context.signal` aborts
 * @throws {EngineError} `CAPTURE_FORMAT`, `CAPTURE_LINK_TYPE`
 */
export async function* readCaptureStream(
  stream: Readable,
  saved: LivePosition | undefined,
  context: Pick<Context, 'signal' | 'log' | 'count'>,
): AsyncGenerator<Chunk<LivePosition>, void> {
  const { signal, log, count } = context
  let received = saved?.received ?? 0
  const reader = new CaptureReader()
  const blocks = blocksOf(unpacked(addAbortSignal(signal, stream)), reader)
  try {
    for (;;) {
      const { done, value } = await blocks.next()
      if (done) {
        if (reader.skipped > 0) count('unsupported_linktype', reader.skipped)
        if (value) log.warn({ offset: value.offset }, value.message)
        return
      }
      received += value.count
      yield { events: packetDrafts(value), position: { received } }
    }
  } catch (error) {
    // The stop of the pipeline ends the stream; what has been read has been handed on.
    if (!signal.aborted) throw captureError('standard input', error)
  }
}
