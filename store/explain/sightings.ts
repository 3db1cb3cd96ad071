/** Which log records are behind a fact: how many, the first and the last, and some of their ids. */
import { formatIsoMicros } from '../../protocols/iso_time.ts'
import type { RecordData } from '../../protocols/record_data.ts'
import { type FactKind, factsOf } from '../../protocols/record_facts.ts'

/** One record, by the id that `explain-event` takes. JSON. */
export interface Moment {
  /** ISO, µs */
  readonly time: string
  readonly event_id: string
}

/** The records behind one fact. JSON. */
export interface Behind {
  readonly count: number
  readonly first: Moment
  readonly last: Moment
  /** of the first so many, in the order in which they were written */
  readonly event_ids: readonly string[]
}

/** Distinct facts held at one time: an attacker may invent a command a record. */
const MAX_FACTS = 50_000

interface Tally {
  count: number
  first: { time: number; id: string }
  last: { time: number; id: string }
  ids: string[]
}

export class Sightings {
  readonly #facts = new Map<string, Tally>()
  readonly #most: number
  /** facts that there was no room for */
  dropped = 0

  /** @param most ids kept of each fact */
  constructor(most: number) {
    this.#most = most
  }

  /** Takes a record in. @param wanted which facts of it to keep; all where it is left out */
  add(
    record: RecordData & { readonly time: number; readonly event_id: string },
    wanted: (kind: FactKind, value: string) => boolean = () => true,
  ): void {
    const { time, event_id: id } = record
    for (const { kind, value } of factsOf(record)) {
      if (!wanted(kind, value)) continue
      const key = `${kind} ${value}`
      const known = this.#facts.get(key)
      if (!known) {
        if (this.#facts.size >= MAX_FACTS) this.dropped += 1
        else this.#facts.set(key, { count: 1, first: { time, id }, last: { time, id }, ids: [id] })
        continue
      }
      known.count += 1
      if (time < known.first.time) known.first = { time, id }
      if (time >= known.last.time) known.last = { time, id }
      if (known.ids.length < this.#most) known.ids.push(id)
    }
  }

  /** @returns null: no record that was read says so */
  of(kind: FactKind, value: string): Behind | null {
    const known = this.#facts.get(`${kind} ${value}`)
    if (!known) return null
    const { count, first, last, ids } = known
    return { count, first: momentOf(first), last: momentOf(last), event_ids: ids }
  }

  /** Every value of a kind with what is behind it, the most frequent first, then by value. */
  all(kind: FactKind): { value: string; behind: Behind }[] {
    const start = `${kind} `
    return [...this.#facts]
      .filter(([key]) => key.startsWith(start))
      .sort(([a, { count: n }], [b, { count: m }]) => m - n || (a < b ? -1 : 1))
      .map(([key]) => {
        const value = key.slice(start.length)
        return { value, behind: this.of(kind, value) as Behind }
      })
  }
}

export const momentOf = ({ time, id }: { time: number; id: string }): Moment => ({
  time: isoOf(time * 1000),
  event_id: id,
})

/** @param micros as a column has it */
export const isoOf = (micros: unknown): string => formatIsoMicros(Math.round(Number(micros)))

/** As `isoOf`, of a column that may be null. */
export const isoOrNull = (micros: unknown): string | null =>
  micros === null || micros === undefined ? null : isoOf(micros)
