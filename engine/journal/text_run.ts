/**
 * Events in a row that differ in nothing but their time and their texts, as the lines of a log do:
 * the texts stand one after another as they are, which takes a quarter of the time that writing
 * each event as JSON does.
 */
import type { Reject } from '../define.ts'
import type { Data, Draft } from '../event.ts'
import type { Body } from './body.ts'

/** What the texts do not say; only numbers grow with the events. */
export interface TextRun {
  readonly topic: string
  /** of the data of each event, in their order */
  readonly keys: readonly string[]
  /** ms: the time of the first event, then what each is later than the one before */
  readonly times: readonly number[]
  /** bytes of the texts, event by event, key by key */
  readonly lengths: readonly number[]
}

/** A run that may go on. */
export class OpenRun implements TextRun {
  readonly topic: string
  readonly keys: readonly string[]
  readonly times: number[] = []
  readonly lengths: number[] = []
  #last = 0

  private constructor({ topic, data }: Draft) {
    this.topic = topic
    this.keys = Object.keys(data)
  }

  /** @returns a run that has taken `event`, or undefined where it is of no such kind */
  static from(event: Draft | Reject, body: Body): OpenRun | undefined {
    if ('failure' in event) return undefined
    const run = new OpenRun(event)
    // Nothing that is set by this name would be read back.
    if (run.keys.includes('__proto__')) return undefined
    return run.take(event, body) ? run : undefined
  }

  /** Writes the texts of `event` to `body`. @returns false, and nothing is written, where it differs */
  take(event: Draft | Reject, body: Body): boolean {
    if ('failure' in event || event.id !== undefined || event.topic !== this.topic) return false
    const { time, data } = event
    const later = time - this.#last
    // Sums of fractions may come out a little beside; so do NaN and the infinities.
    if (this.#last + later !== time || !this.#fits(data)) return false
    this.#last = time
    this.times.push(later)
    for (const key of this.keys) this.lengths.push(body.text(data[key] as string))
    return true
  }

  #fits(data: Data): boolean {
    const { keys } = this
    let count = 0
    for (const key in data) {
      if (key !== keys[count]) return false
      const value = data[key]
      // UTF-8 has no lone surrogates, JSON escapes them.
      if (typeof value !== 'string' || !value.isWellFormed()) return false
      count += 1
    }
    return count === keys.length
  }
}

/** Texts that stand one after another. */
export class Texts {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  next(length: number): string {
    const start = this.#at
    this.#at += length
    return this.#bytes.toString('utf8', start, this.#at)
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }
}

/** @returns the events of a run, without ids */
export function* eventsOf({ topic, keys, times, lengths }: TextRun, texts: Texts) {
  let time = 0
  let at = 0
  for (const later of times) {
    time += later
    const data: Data = {}
    for (const key of keys) data[key] = texts.next(lengths[at++] ?? Number.NaN)
    yield { topic, time, data }
  }
}
