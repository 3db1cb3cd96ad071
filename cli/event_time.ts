/** Event times and values, for people. */
import { quote } from '../protocols/quote.ts'

/** Furthest moment a Date can tell, ms. */
const LAST_DATE = 8.64e15

/** @example eventTime(1772355601123.456) // '2026-03-01T09:00:01.123Z' */
export const eventTime = (time: number): string =>
  Math.abs(time) <= LAST_DATE ? new Date(time).toISOString() : `${time} ms`

/** Characters of a value that are shown. */
const SHOWN = 100

/** A JSON value on one line, cut, and safe to print. */
export function shownValue(value: unknown): string {
  if (typeof value === 'string') return quote(value, SHOWN)
  const text = JSON.stringify(value) ?? 'null'
  // JSON escapes what would move the cursor; what else is no plain character is quoted.
  if (/[^\x20-\x7e]/.test(text)) return quote(text, SHOWN)
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}
