/** What an edge log keeps of one event: 32 bytes, the same at every port that hands it on. */
import { hash } from 'node:crypto'
import type { Event } from './event.ts'

/**
 * One event: its id (16 bytes), its time (double, little-endian) and the first 8 bytes of the
 * SHA-256 of its `plainText`, or of its canonical JSON where it has none.
 */
export const RECORD_BYTES = 32

/** Events whose records are kept; about what is under way at once. */
const KEPT = 4096

/** Writes the record of an event to `target` at byte `at`. */
export type RecordWriter = (event: Event, target: Buffer, at: number) => void

/**
 * Lines as they were read are most of what no sink is given: only for their digest they would be
 * written as JSON, which takes longer than the digest.
 * @returns a text that no other event has, and no JSON begins like; undefined where `data` is more
 *   than one text, or holds half a surrogate pair
 */
export function plainText({ id, topic, time, data }: Event): string | undefined {
  let only: string | undefined
  for (const key in data) {
    if (only !== undefined) return undefined
    only = key
  }
  if (only === undefined) return undefined
  const value = data[only]
  if (typeof value !== 'string') return undefined
  const lengths = `${only.length} ${id.length} ${topic.length}`
  const text = `\0${lengths} ${time} ${only}${id}${topic}${value}`
  return text.isWellFormed() ? text : undefined
}

/** @param json canonical JSON; an event is the same object at every port that hands it on */
export function recordWriter(json: (event: Event) => string): RecordWriter {
  const kept = Buffer.alloc(KEPT * RECORD_BYTES)
  const places = new Map<Event, number>()
  return (event, target, at) => {
    let place = places.get(event)
    if (place === undefined) {
      if (places.size === KEPT) places.clear()
      place = places.size * RECORD_BYTES
      places.set(event, place)
      writeRecord(event, plainText(event) ?? json(event), kept, place)
    }
    kept.copy(target, at, place, place + RECORD_BYTES)
  }
}

function writeRecord({ id, time }: Event, text: string, target: Buffer, at: number): void {
  // A source may hand on ids of its own making; they are noted by their hash.
  if (!writeId(id, target, at)) target.write(sha256(id), at, 16, 'latin1')
  target.writeDoubleLE(time, at + 16)
  target.write(sha256(text), at + 24, 8, 'latin1')
}

/** Bytes as characters: as a buffer each would be a piece of memory of its own, at twice the time. */
const sha256 = (text: string): string => hash('sha256', text, 'binary')

const ID_LENGTH = 32

/** @returns false where it is no id of the engine's making */
function writeId(id: string, target: Buffer, at: number): boolean {
  if (id.length !== ID_LENGTH) return false
  for (let index = 0; index < ID_LENGTH; index += 2) {
    const high = nibble(id.charCodeAt(index))
    const low = nibble(id.charCodeAt(index + 1))
    if (high < 0 || low < 0) return false
    target[at + (index >> 1)] = (high << 4) | low
  }
  return true
}

/** @returns the value of a lower-case hex digit, else a negative number */
const nibble = (code: number): number => {
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  return code >= 0x61 && code <= 0x66 ? code - 0x57 : -1
}
