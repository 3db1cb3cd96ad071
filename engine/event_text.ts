/** The canonical text of events, worked out once however many ask for it. */
import { CanonicalJsonError } from '../protocols/canonical_json.ts'
import { eventLine } from '../protocols/event_json.ts'
import type { Event } from './event.ts'

/** Gives the canonical JSON of an event; throws what `eventLine` throws. */
export type EventText = (event: Event) => string

/** Events whose text is kept; about what is under way at once. A weak map would cost twice as much. */
const KEPT = 4096

/** An event is the same object at every node that hands it on, and its nodes come soon after. */
export const eventText = (): EventText => remembered(eventLine)

/** Works `make` out once for an event that comes again soon. */
export function remembered<T>(make: (event: Event) => T): (event: Event) => T {
  const known = new Map<Event, T>()
  return (event) => {
    let made = known.get(event)
    if (made === undefined) {
      made = make(event)
      if (known.size >= KEPT) known.clear()
      known.set(event, made)
    }
    return made
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
