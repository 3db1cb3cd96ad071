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
  const refusals: Refused<E>[] = []
  for (const event of events) {
    try {
      text += `${line(event)}\n`
    } catch (error) {
      if (!(error instanceof CanonicalJsonError)) throw error
      refusals.push({ event, failure: { code: error.code, message: error.message } })
    }
  }
  return { text, refusals }
}
