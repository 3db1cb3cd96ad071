/** Appends events to a file, one line of canonical JSON each. */
import type { FileHandle } from 'node:fs/promises'
import { mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Type } from 'typebox'
import { defineSink, EngineError, FatalError, UnavailableError } from '../engine/index.ts'
import { eventLines } from '../protocols/event_json.ts'
import { quote } from '../protocols/quote.ts'

export const ndjsonFile = defineSink({
  type: 'ndjson_file',
  summary: 'Appends one line of canonical JSON per event: {"data":…,"id":…,"time":…,"topic":…}.',
  promise:
    'At least once: a batch is acknowledged when it is in the file (on disk, with fsync); after a ' +
    'crash its events may be there twice, with equal ids, and a torn last line is cut off.',
  effect: 'at_least_once',
  config: Type.Object({
    path: Type.String({
      minLength: 1,
      description:
        'File to append to; made, with its folders, when the first event comes. A file that was ' +
        'renamed or removed is made anew. Nobody else may write to it.',
    }),
    fsync: Type.Boolean({
      default: true,
      description:
        'Wait for the disk before a batch counts as written; false survives no power cut.',
    }),
  }),
  examples: [
    {
      title: 'Keep what was parsed',
      yaml: 'type: ndjson_file\npath: /var/log/decnet/events.ndjson',
    },
  ],
  open: ({ path, fsync }, context) => {
    let file: OpenFile | undefined
    const close = async () => {
      const closing = file
      file = undefined
      await closing?.handle.close()
    }
    return {
      async write(events) {
        const { text, refusals } = eventLines(events)
        if (text === '') return refusals
        try {
          if (file && !(await isStillAt(path, file))) await close()
          file ??= await openForAppend(path, () => context.count('torn_line_cut'))
          await file.handle.appendFile(text)
          if (fsync) await file.handle.datasync()
        } catch (error) {
          // Part of the text may be in the file; opening it anew cuts off the torn line.
          await close()
          throw asUnavailable(error, path)
        }
        return refusals
      },
      close,
    }
  },
})

interface OpenFile {
  readonly handle: FileHandle
  readonly device: number
  readonly inode: number
}

/** Bytes looked at per step back from the end of a file, in search of its last newline. */
const STEP = 65_536
/** No event is longer than this, so a file without a newline in so many bytes is not ours. */
const TAIL_MAX = 64 * 2 ** 20
const NEWLINE = 0x0a

async function openForAppend(path: string, onTorn: () => void): Promise<OpenFile> {
  await mkdir(dirname(path), { recursive: true })
  const handle = await open(path, 'a+')
  try {
    const { dev, ino, size } = await handle.stat()
    const end = await endOfLastLine(handle, size, path)
    if (end < size) {
      await handle.truncate(end)
      onTorn()
    }
    return { handle, device: dev, inode: ino }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * Where the last whole line of the file ends.
 * @throws {FatalError} `NOT_NDJSON` when what follows it is not the beginning of one of our lines
 */
async function endOfLastLine(handle: FileHandle, size: number, path: string): Promise<number> {
  const buffer = Buffer.alloc(Math.min(STEP, size))
  let lineStart = 0
  for (let end = size; end > 0; end -= STEP) {
    const start = Math.max(0, end - STEP)
    const { bytesRead } = await handle.read(buffer, 0, end - start, start)
    const newline = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE)
    if (newline >= 0) {
      lineStart = start + newline + 1
      break
    }
    if (size - start > TAIL_MAX) throw notOurs(path)
  }
  if (lineStart < size && !(await startsLikeOurs(handle, lineStart))) throw notOurs(path)
  return lineStart
}

const notOurs = (path: string): FatalError =>
  new FatalError('NOT_NDJSON', `${quote(path)} ends in something that is no event`)

async function startsLikeOurs(handle: FileHandle, start: number): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, start)
  return bytesRead === 1 && buffer[0] === 0x7b
}

async function isStillAt(path: string, { device, inode }: OpenFile): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return found?.dev === device && found.ino === inode
}

function asUnavailable(error: unknown, path: string): unknown {
  if (error instanceof EngineError) return error
  const { code = 'error' } = error as NodeJS.ErrnoException
  return new UnavailableError('FILE_UNAVAILABLE', `cannot write to ${quote(path)}: ${code}`, {
    cause: error,
  })
}
