/** Values of events, for people. */
import { quote } from '../protocols/quote.ts'

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
