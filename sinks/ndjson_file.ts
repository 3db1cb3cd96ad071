/** Appends events to a file, one line of canonical JSON each. */
import { Type } from 'typebox'
import { type Context, defineSink, EngineError, UnavailableError } from '../engine/index.ts'
import { eventLineBytes } from '../protocols/event_json.ts'
import { quote } from '../protocols/quote.ts'
import { AppendFile, type FilePosition } from './ndjson/append_file.ts'

export const ndjsonFile = defineSink({
  type: 'ndjson_file',
  summary: 'Appends one line of canonical JSON per event: {"data":…,"id":…,"time":…,"topic":…}.',
  promise:
    'Exactly once in effect where everything that reaches it can be read again: the file is cut ' +
    'back to the last checkpoint after a crash, and the same lines follow. Otherwise, or when the ' +
    'file was renamed between that checkpoint and the crash, at least once: events may be there ' +
    'twice, with equal ids. A batch is acknowledged when it is in the file (on disk, with fsync).',
  effect: 'at_least_once',
  resumes: true,
  pathField: 'path',
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
  encode: () => (events, room) => eventLineBytes(events, { room }),
  async open({ path, fsync }, context, saved) {
    let known = saved as FilePosition | undefined
    let file: AppendFile | undefined
    const close = async () => {
      const closing = file
      file = undefined
      await closing?.close()
    }
    const reopen = async () => {
      file = await openFile(path, known, context)
      known = file.position
      return file
    }
    try {
      await reopen()
    } catch (error) {
      throw asUnavailable(error, path)
    }
    const append = async (parts: readonly Uint8Array[]) => {
      if (parts.every(({ length }) => length === 0)) return
      try {
        if (file && !(await file.isStillThere())) await close()
        const current = file ?? (await reopen())
        await current.append(parts, fsync)
        known = current.position
      } catch (error) {
        // Part of it may be in the file; opening it anew cuts that off.
        await close()
        throw asUnavailable(error, path)
      }
    }
    return {
      append,
      async write(events) {
        const { bytes, refusals } = eventLineBytes(events)
        await append([bytes])
        return refusals
      },
      position: () => known,
      close,
    }
  },
})

function openFile(
  path: string,
  saved: FilePosition | undefined,
  context: Context,
): Promise<AppendFile> {
  return AppendFile.open(path, saved, ({ reason, bytes }) => {
    context.count(reason === 'saved' ? 'cut_back' : 'torn_line_cut')
    context.log.info({ path, bytes }, 'cut off what a crash or a failed write has left')
  })
}

function asUnavailable(error: unknown, path: string): unknown {
  if (error instanceof EngineError) return error
  const { code = 'error' } = error as NodeJS.ErrnoException
  return new UnavailableError('FILE_UNAVAILABLE', `cannot write to ${quote(path)}: ${code}`, {
    cause: error,
  })
}
