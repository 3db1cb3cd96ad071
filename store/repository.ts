/** What every repository of events is, and the parts they share. */
import type { Event } from '../engine/index.ts'
import { CanonicalJsonError } from '../protocols/canonical_json.ts'
import { isoMicros } from '../protocols/iso_time.ts'
import type { Statements } from './database.ts'
import { StoreError } from './errors.ts'
import type { TextFit } from './text_fit.ts'

/** How events of one entity become rows. `D` is `data`, `R` one event's row. */
export interface Repository<D, R> {
  /** @throws {StoreError} `ROW_TOO_LARGE`, `ROW_TIME`: the event can never be stored */
  toRow(event: Event<D>, text: TextFit): R
  /** Writes rows in order; a row of an event that has been written before changes nothing. */
  write(statements: Statements, rows: readonly R[]): Promise<void>
}

/** Code points of a column that takes a whole line: what the line sources let through. */
export const LINE_LIMIT = 256 * 1024
/** Characters of one JSON column; a line of 256 KiB, all of it escaped, is 1.5 MiB. */
const JSON_LIMIT = 4 * 2 ** 20

/**
 * @returns event time in whole µs since the epoch
 * @throws {StoreError} `ROW_TIME` when a double cannot hold it exactly (outside 1685 to 2254)
 */
export function timeMicros(event: { readonly time: number }): number {
  const micros = Math.round(event.time * 1000)
  if (Number.isSafeInteger(micros)) return micros
  throw new StoreError('ROW_TIME', 'the event time does not fit the database')
}

/**
 * @param time ISO 8601
 * @returns whole µs since the epoch
 * @throws {StoreError} `ROW_TIME` when it is no time, or none that a double holds exactly
 */
export function isoMicrosColumn(time: string): number {
  const micros = isoMicros(time)
  if (Number.isSafeInteger(micros)) return micros
  throw new StoreError('ROW_TIME', 'a time in the event does not fit the database')
}

/**
 * @param write makes the JSON
 * @throws {StoreError} `ROW_TOO_LARGE` when it is too long, for JSON cannot be cut, or nested so
 *   deeply that it cannot be made
 */
export function jsonThatFits(write: () => string): string {
  const json = written(write)
  if (json.length <= JSON_LIMIT) return json
  throw new StoreError('ROW_TOO_LARGE', `JSON of ${json.length} characters is too long for a row`)
}

function written(write: () => string): string {
  try {
    return write()
  } catch (error) {
    // RangeError: JSON.stringify ran out of stack.
    if (!(error instanceof RangeError || error instanceof CanonicalJsonError)) throw error
    throw new StoreError('ROW_TOO_LARGE', 'JSON is nested too deeply for a row', { cause: error })
  }
}
