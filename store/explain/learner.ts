/** Finds out when something was learnt of an address, and from which records. */
import type { FactKind } from '../../protocols/record_facts.ts'
import type { Database } from '../database.ts'
import { type Reading, readRecords } from './attacker_records.ts'
import { type Behind, Sightings } from './sightings.ts'

/** What was read for an explanation. JSON. */
export interface RecordsRead {
  /** log records */
  readonly read: number
  readonly addresses: number
  /** addresses of which only the oldest and the newest records were read */
  readonly cut: readonly string[]
  /** addresses of which there are no records any more */
  readonly gone: readonly string[]
}

export interface Bounds {
  /** entries of each list that are told */
  readonly limit: number
  /** log records that are read, over all addresses */
  readonly records: number
}

const LEAST_RECORDS = 100

/** First everything is asked for, then it is read, then told. */
export class Learner {
  readonly #wanted = new Map<string, Set<string>>()
  readonly #found = new Map<string, { sightings: Sightings; reading: Reading }>()

  want(attackerIp: string, kind: FactKind, value: string): void {
    const facts = this.#wanted.get(attackerIp)
    if (facts) facts.add(`${kind} ${value}`)
    else this.#wanted.set(attackerIp, new Set([`${kind} ${value}`]))
  }

  /** Reads each address once; what one leaves of its share is for those after it. */
  async read(database: Database, { limit, records }: Bounds): Promise<RecordsRead> {
    let left = records
    const waiting = [...this.#wanted].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [index, [ip, facts]] of waiting.entries()) {
      const share = Math.max(Math.floor(left / (waiting.length - index)), LEAST_RECORDS)
      const sightings = new Sightings(limit)
      const reading = await readRecords(database, ip, share, (record) =>
        sightings.add(record, (kind, value) => facts.has(`${kind} ${value}`)),
      )
      left -= reading.read
      this.#found.set(ip, { sightings, reading })
    }
    return readingOf([...this.#found].map(([ip, { reading }]) => [ip, reading]))
  }

  /** @returns null where no record that was read says so */
  of(attackerIp: string, kind: FactKind, value: string): Behind | null {
    return this.#found.get(attackerIp)?.sightings.of(kind, value) ?? null
  }
}

export function readingOf(readings: readonly (readonly [ip: string, Reading])[]): RecordsRead {
  return {
    read: readings.reduce((sum, [, { read }]) => sum + read, 0),
    addresses: readings.length,
    cut: readings.flatMap(([ip, { complete }]) => (complete ? [] : [ip])),
    gone: readings.flatMap(([ip, { read }]) => (read === 0 ? [ip] : [])),
  }
}

/** The first of a list, and how many there are. JSON. */
export interface Listed<T> {
  readonly total: number
  readonly shown: readonly T[]
}

export const listed = <T>(all: readonly T[], limit: number): Listed<T> => ({
  total: all.length,
  shown: all.slice(0, limit),
})
