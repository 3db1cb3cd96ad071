/**
 * Events of one shape as one block of bytes, for another thread: handing over a block costs nothing,
 * while copying objects would cost as much as the work that is to be shared.
 */
import type { Data, Event } from '../event.ts'

/** Events with one topic, whose data has the same keys in one order and nothing but text in them. */
export interface PackedEvents {
  readonly topic: string
  readonly keys: readonly string[]
  readonly times: Float64Array<ArrayBuffer>
  /** UTF-16 code units of each id and each value, event by event; `SAME`: as in the event before */
  readonly lengths: Uint32Array<ArrayBuffer>
  /** the texts one after another, in UTF-8 */
  readonly text: Uint8Array<ArrayBuffer>
}

const SAME = 0xffff_ffff

/** @returns undefined where the events have no such shape, or text that UTF-8 cannot hold */
export function packEvents(events: readonly Event[]): PackedEvents | undefined {
  const [first] = events
  if (!first) return undefined
  const keys = Object.keys(first.data)
  if (keys.includes('__proto__')) return undefined
  const { topic } = first
  const times = new Float64Array(events.length)
  const lengths = new Uint32Array(events.length * (keys.length + 1))
  let text = ''
  let at = 0
  let before: Data = {}
  for (let index = 0; index < events.length; index++) {
    const { id, topic: own, time, data } = events[index] as Event
    if (own !== topic || Object.keys(data).length !== keys.length) return undefined
    times[index] = time
    lengths[at++] = id.length
    text += id
    for (const key of keys) {
      const value = data[key]
      if (typeof value !== 'string') return undefined
      if (index > 0 && value === before[key]) {
        lengths[at++] = SAME
      } else {
        lengths[at++] = value.length
        text += value
      }
    }
    before = data
  }
  if (!text.isWellFormed()) return undefined
  return { topic, keys, times, lengths, text: new TextEncoder().encode(text) }
}

export function unpackEvents({ topic, keys, times, lengths, text }: PackedEvents): Event[] {
  const all = Buffer.from(text.buffer, text.byteOffset, text.length).toString()
  const events: Event[] = []
  let at = 0
  let start = 0
  let before: Data = {}
  for (const time of times) {
    const id = all.slice(start, start + (lengths[at] as number))
    start += id.length
    at += 1
    const data: Data = {}
    for (const key of keys) {
      const length = lengths[at++] as number
      if (length === SAME) {
        data[key] = before[key]
      } else {
        data[key] = all.slice(start, start + length)
        start += length
      }
    }
    events.push({ id, topic, time, data })
    before = data
  }
  return events
}

/** What may be handed over rather than copied. */
export const transferable = ({ times, lengths, text }: PackedEvents): ArrayBuffer[] => [
  times.buffer,
  lengths.buffer,
  text.buffer,
]
