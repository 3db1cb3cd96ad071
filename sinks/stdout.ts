/** Writes events to standard output. */
import { Type } from 'typebox'
import {
  defineSink,
  type Event,
  FatalError,
  type UnavailableError,
  type Writer,
} from '../engine/index.ts'
import { canonicalJson } from '../protocols/canonical_json.ts'
import { eventLine, eventLines } from '../protocols/event_json.ts'

export const stdout = defineSink({
  type: 'stdout',
  summary: 'One line per event on standard output, as JSON or for people to read.',
  promise: 'At least once: a batch is acknowledged when the system has taken it.',
  effect: 'at_least_once',
  config: Type.Object({
    format: Type.Enum(['ndjson', 'text'], {
      default: 'ndjson',
      description: 'ndjson: canonical JSON; text: time, topic and data, safe on a terminal.',
    }),
  }),
  examples: [{ title: 'Look at a stream', yaml: 'type: stdout\nformat: text' }],
  open: ({ format }) => streamWriter(process.stdout, format),
})

/** As much of a stream as is written to. */
export interface Output {
  readonly isTTY?: boolean
  write(text: string, done: (error?: Error | null) => void): boolean
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
}

/**
 * Writes batches to a stream, one at a time, each waited for.
 * @param format or the line of an event, without its end
 * @returns a writer whose `write` throws {FatalError} `STDOUT_CLOSED` once nobody reads the
 *   stream any more, as after `… | head`
 */
export function streamWriter(
  stream: Output,
  format: 'ndjson' | 'text' | ((event: Event) => string),
): Writer {
  const line = typeof format === 'function' ? format : lineWriter(format, stream.isTTY === true)
  let broken: Error | undefined
  // A stream without a listener ends the process when its reader leaves.
  const onError = (error: Error) => {
    broken = error
  }
  stream.on('error', onError)
  return {
    async write(events) {
      const { text, refusals } = eventLines(events, line)
      if (broken) throw closed(broken)
      await new Promise<void>((resolve, reject) => {
        stream.write(text, (error) => (error ? reject(closed(error)) : resolve()))
      })
      return refusals
    },
    close: async () => {
      stream.off('error', onError)
    },
  }
}

function lineWriter(format: 'ndjson' | 'text', terminal: boolean): (event: Event) => string {
  if (format === 'text') return (event) => visible(textLine(event))
  return terminal ? (event) => visible(eventLine(event)) : eventLine
}

/** The last ms a Date can tell. */
const LAST_TIME = 8.64e15

function textLine(event: Event): string {
  const { time, topic } = event
  const when = Math.abs(time) <= LAST_TIME ? new Date(time).toISOString() : String(time)
  return `${when} ${topic} ${canonicalJson(event.data)}`
}

// JSON escapes the controls below U+0020 only; a terminal also obeys DEL and U+0080 to U+009F, and
// text that runs backwards or has no width can make one line look like another.
const OBEYED = /[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** Text that a terminal shows and does not obey; JSON has the controls below U+0020 escaped. */
export const visible = (json: string): string =>
  json.replace(OBEYED, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

const closed = (cause: Error): UnavailableError =>
  new FatalError('STDOUT_CLOSED', 'nobody reads standard output any more', { cause })
