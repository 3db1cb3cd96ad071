/** Events as lines of JSON: how files and standard output hold them. */
import { CanonicalJsonError, canonicalJson } from './canonical_json.ts'

/** The members of an event, as far as writing it is concerned. */
interface WritableEvent {
  readonly id: string
  readonly topic: string
  readonly time: number
  readonly data: Readonly<Record<string, unknown>>
}

/**
 * One event as canonical JSON, without a newline; members `data`, `id`, `time`, `topic`.
 * @throws {CanonicalJsonError} when `data` is nested too deeply
 */
export const eventLine = ({ id, topic, time, data }: WritableEvent): string =>
  canonicalJson({ data, id, time, topic })

/** Events that no try will ever write, each with the reason. */
interface Refused<E> {
  readonly event: E
  readonly failure: { readonly code: string; readonly message: string }
}

/**
 * Several events, a newline after each.
 * @param line how to write one event
 */
export function eventLines<E extends WritableEvent>(
  events: readonly E[],
  line: (event: E) => string = eventLine,
): { readonly text: string; readonly refusals: readonly Refused<E>[] } {
  let text = ''
  const refusals = eachLine(events, line, (json) => {
    text += `${json}\n`
  })
  return { text, refusals }
}

/** About what an event takes; a guess too low costs a copy. */
const EVENT_BYTES = 1024
const NEWLINE = 0x0a

/**
 * As `eventLines`, in UTF-8: joining the text first would take as long as writing it.
 * @param room where they are put if they surely fit; else they get memory of their own
 */
export function eventLineBytes<E extends WritableEvent>(
  events: readonly E[],
  {
    line = eventLine,
    room,
  }: { line?: ((event: E) => string) | undefined; room?: Buffer | undefined } = {},
): { readonly bytes: Buffer; readonly refusals: readonly Refused<E>[] } {
  let bytes = room ?? Buffer.allocUnsafe(events.length * EVENT_BYTES)
  let end = 0
  const refusals = eachLine(events, line, (json) => {
    // A UTF-16 code unit takes three bytes at most.
    const most = end + json.length * 3 + 1
    if (most > bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(bytes.length * 2, most))
      bytes.copy(larger, 0, 0, end)
      bytes = larger
    }
    end += bytes.write(json, end)
    bytes[end++] = NEWLINE
  })
  return { bytes: bytes.subarray(0, end), refusals }
}

function eachLine<E extends WritableEvent>(
  events: readonly E[],
  line: (event: E) => string,
  take: (json: string) => void,
): Refused<E>[] {
  const refusals: Refused<E>[] = []
  for (const event of events) {
    try {
      take(line(event))
    } catch (error) {
      if (!(error instanceof CanonicalJsonError)) throw error
      refusals.push({ event, failure: { code: error.code, message: error.message } })
    }
  }
  return refusals
}
