/** The canonical text of events, worked out once however many ask for it. */
import { CanonicalJsonError } from '../protocols/canonical_json.ts'
import { eventLine } from '../protocols/event_json.ts'
import type { Event } from './event.ts'

/** Gives the canonical JSON of an event; throws what `eventLine` throws. */
export type EventText = (event: Event) => string

/** UTF-16 code units of texts after which those before them go: more than a source has under way. */
const KEPT = 8 * 1024 * 1024

/**
 * An event is the same object at every node that hands it on, and sinks write it when its source
 * has read on for as long as it has credit. A weak map would cost twice as much.
 */
export function eventText(): EventText {
  let known = new Map<Event, string>()
  let before = known
  let kept = 0
  return (event) => {
    const found = known.get(event) ?? before.get(event)
    if (found !== undefined) return found
    const text = eventLine(event)
    if (kept > KEPT) {
      before = known
      known = new Map()
      kept = 0
    }
    known.set(event, text)
    kept += text.length
    return text
  }
}

/** As `text`, and something for events nested too deeply to write: no sink can hold them. */
export function textOrId(text: EventText, event: Event): string {
  try {
    return text(event)
  } catch (error) {
    if (!(error instanceof CanonicalJsonError)) throw error
    return `${error.code} ${event.id}`
  }
}
