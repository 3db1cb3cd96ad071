/** Appends events to a log file as the RFC 5424 lines that deckies write. */
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Type } from 'typebox'
import { defineSink, type Event, type Refusal, UnavailableError } from '../engine/index.ts'
import { formatDecnetLine, type ParamValue } from '../protocols/decnet_emit.ts'
import { SyslogError } from '../protocols/protocol_error.ts'
import { quote } from '../protocols/quote.ts'

const WARNING = 4
const INFORMATIONAL = 6
const MODE = 0o640

export const syslogFile = defineSink({
  type: 'syslog_file',
  summary: 'Appends one RFC 5424 line per event: decky, service, event type, fields of data.',
  promise:
    'At least once: after a crash the lines since the last checkpoint come again. Others may write ' +
    'to the file too: each batch is one append. A file that was renamed or removed is made anew.',
  effect: 'at_least_once',
  pathField: 'path',
  config: Type.Object({
    path: Type.String({ minLength: 1, description: 'File to append to; made with its folders.' }),
    service: Type.String({
      default: 'decnet',
      pattern: '^[!-~]{1,48}$',
      description: 'APP-NAME of the lines: which service tells this.',
    }),
    warnings: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      maxItems: 64,
      description: 'Topics whose lines have severity warning; all others are informational.',
    }),
    fsync: Type.Boolean({
      default: false,
      description: 'Wait for the disk before a batch counts as written.',
    }),
  }),
  examples: [
    {
      title: 'Where the ingester reads',
      yaml: 'type: syslog_file\npath: /var/log/decnet/decnet.log\nservice: sniffer',
    },
  ],
  open({ path, service, warnings, fsync }) {
    const severe = new Set(warnings)
    let file: FileHandle | undefined
    let isTorn = false
    const close = async () => {
      const closing = file
      file = undefined
      await closing?.close()
    }
    const opened = async (): Promise<FileHandle> => {
      if (file && !(await isStillThere(file, path))) await close()
      if (!file) {
        await mkdir(dirname(path), { recursive: true })
        const { O_APPEND, O_CREAT, O_WRONLY } = constants
        file = await open(path, O_WRONLY | O_APPEND | O_CREAT, MODE)
      }
      return file
    }
    return {
      async write(events) {
        const refusals: Refusal[] = []
        let text = ''
        for (const event of events) {
          const line = lineOf(event, service, severe.has(event.topic) ? WARNING : INFORMATIONAL)
          if (typeof line === 'string') text += `${line}\n`
          else refusals.push(line)
        }
        if (text === '') return refusals
        let isAppending = false
        try {
          const target = await opened()
          isAppending = true
          await target.appendFile(isTorn ? `\n${text}` : text)
          isTorn = false
          if (fsync) await target.datasync()
        } catch (error) {
          // What was written of a line has to end before the next.
          isTorn ||= isAppending
          await close()
          const { code = 'error' } = error as NodeJS.ErrnoException
          throw new UnavailableError(
            'FILE_UNAVAILABLE',
            `cannot write to ${quote(path)}: ${code}`,
            {
              cause: error,
            },
          )
        }
        return refusals
      },
      close,
    }
  },
})

/** Whether the path still names the open file. */
async function isStillThere(file: FileHandle, path: string): Promise<boolean> {
  const own = await file.stat()
  try {
    const named = await stat(path)
    return own.ino === named.ino && own.dev === named.dev
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

function lineOf(event: Event, service: string, severity: number): string | Refusal {
  const { decky, ...fields } = event.data
  const params: Record<string, ParamValue> = {}
  for (const [name, value] of Object.entries(fields)) {
    params[name] =
      typeof value === 'object' && value !== null ? JSON.stringify(value) : asText(value)
  }
  try {
    return formatDecnetLine({
      micros: Math.round(event.time * 1000),
      hostname: typeof decky === 'string' ? decky : '',
      service,
      eventType: event.topic.slice(event.topic.lastIndexOf('.') + 1),
      params,
      severity,
    })
  } catch (error) {
    if (!(error instanceof SyslogError)) throw error
    return { event, failure: { code: error.code, message: error.message } }
  }
}

const asText = (value: unknown): ParamValue =>
  value === null || value === undefined ? undefined : String(value)
