/** What a log record can tell of an attacker, and how its fields are read for that. */
import type { RecordData } from '../record_data.ts'

/** `data` of a row of the table logs, or of a parsed line. */
export interface BountyRecord extends Omit<RecordData, 'fields' | 'msg'> {
  /** anything but an object: the record has no bounties */
  readonly fields?: unknown
}

/** JSON. */
type Payload = Readonly<Record<string, unknown>>

/** `payload` is the identity of a bounty: nothing in it may hang on a single request. */
export interface Find {
  readonly bounty_type: 'fingerprint' | 'ip_leak' | 'artifact'
  readonly payload: Payload
}

/** Most records tell nothing, and need no list of their own for it. */
export const NOTHING: readonly Find[] = []

export const fingerprint = (fingerprint_type: string, payload: Payload): Find => ({
  bounty_type: 'fingerprint',
  payload: { fingerprint_type, ...payload },
})

/** Characters of a value: names and numbers, and what is a list or free text. */
const MAX_SHORT = 256
const MAX_LONG = 1024

/** @returns the text of a field, cut to 256 characters; null where it is absent or empty */
export const shortText = (value: unknown): string | null => textOf(value, MAX_SHORT)

/** As `shortText`, for lists and free text: 1024 characters. */
export const longText = (value: unknown): string | null => textOf(value, MAX_LONG)

function textOf(value: unknown, limit: number): string | null {
  // Emitters send text; rows that others wrote may hold the number itself.
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'string' || value === '') return null
  // A cut may halve a surrogate pair, and JSON inside a value may hold half of one.
  return (value.length <= limit ? value : value.slice(0, limit)).toWellFormed()
}
