/** Reads a capture file to its end, and goes on in it after a restart. Not a component. */
import { stat } from 'node:fs/promises'
import { type Chunk, type Context, EngineError, UnavailableError } from '../../engine/index.ts'
import { type CapturePosition, CaptureReader } from '../../protocols/pcap/capture_reader.ts'
import { quote } from '../../protocols/quote.ts'
import { closed, fileBytes, withHead } from './byte_stream.ts'
import { blocksOf, captureError, captureFingerprint, HEAD_BYTES, packetDrafts } from './packets.ts'

/** Where to go on, and in which file: `fingerprint` is that of its first `head` bytes. */
export interface FilePosition extends CapturePosition {
  readonly fingerprint: string
  readonly head: number
}

/**
 * @throws {UnavailableError} `FILE_ABSENT`, `FILE_UNREADABLE`
 * @throws {EngineError} `NOT_A_FILE`, `CAPTURE_FORMAT`, `CAPTURE_LINK_TYPE`
 */
export async function* readCaptureFile(
  path: string,
  saved: FilePosition | undefined,
  context: Context,
): AsyncGenerator<Chunk<FilePosition>, void> {
  await refuseOthers(path)
  try {
    yield* packetsFrom(path, saved, context)
  } catch (error) {
    throw captureError(path, error)
  }
}

/** A capture is read again after a crash, so what can be read only once is none. */
async function refuseOthers(path: string): Promise<void> {
  const status = await stat(path).catch((error: NodeJS.ErrnoException) => {
    const absent = error.code === 'ENOENT'
    const message = absent
      ? `there is no file ${quote(path)}`
      : `cannot read ${quote(path)}: ${error.code ?? quote(error.message)}`
    const code = absent ? 'FILE_ABSENT' : 'FILE_UNREADABLE'
    throw new UnavailableError(code, message, { cause: error })
  })
  if (status.isFile()) return
  const message = `${quote(path)} is no regular file; a pipe is read with "stdin: true"`
  throw new EngineError('NOT_A_FILE', message)
}

async function* packetsFrom(
  path: string,
  saved: FilePosition | undefined,
  context: Context,
): AsyncGenerator<Chunk<FilePosition>, void> {
  const { node, signal, log } = context
  const { head: seen, all } = await withHead(fileBytes(path, 0), HEAD_BYTES)
  await closed(all)
  const isSame =
    saved && captureFingerprint(node, seen.subarray(0, saved.head)) === saved.fingerprint
  if (saved && !isSame)
    log.warn({ path }, 'this is another capture than the last; read from its start')
  const head = isSame ? saved.head : Math.min(seen.length, HEAD_BYTES)
  const fingerprint = captureFingerprint(node, seen.subarray(0, head))
  const reader = new CaptureReader(isSame ? saved : undefined)
  const blocks = blocksOf(fileBytes(path, reader.offset), reader)
  for (;;) {
    if (signal.aborted) return void (await blocks.return(undefined))
    const { done, value } = await blocks.next()
    if (done) {
      if (reader.skipped > 0) context.count('unsupported_linktype', reader.skipped)
      if (value) log.warn({ path, offset: value.offset }, value.message)
      return
    }
    yield {
      events: packetDrafts(value, fingerprint),
      position: { ...reader.position, fingerprint, head },
    }
  }
}
