/** JSON in one form only, so that equal values are equal bytes. */
import { ProtocolError } from './protocol_error.ts'

/** Levels of nesting, at most: what recurses over attacker-made JSON must end before the stack. */
const MAX_DEPTH = 256

/** Objects up to this many keys are sorted in place; insertion sort beats the general one there. */
const SHORT = 24

/** A value that cannot be written. */
export class CanonicalJsonError extends ProtocolError {
  override name = 'CanonicalJsonError'
}

/** Thrown and caught in this module: this value needs the slow way. */
const slow = new Error('a key that an object cannot keep in sorted place')

/**
 * Writes a JSON value as RFC 8785 (JCS) does: members sorted by UTF-16 code units, no blanks,
 * numbers and strings as ECMAScript writes them. Departures: a lone surrogate is escaped
 * (`\ud800`) where the RFC refuses it, and NaN and the infinities become `null`, because one odd
 * value of an attacker must not cost the event.
 * @param value JSON; members that are undefined are left out, undefined items become `null`
 * @throws {CanonicalJsonError} `JSON_DEPTH` when nested deeper than 256 levels
 * @see RFC 8785 section 3.2
 * @example canonicalJson({ b: 1, a: 'é' }) // '{"a":"é","b":1}'
 */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  // A sorted copy for the native writer is half as fast again as writing each member here.
  try {
    return JSON.stringify(sortedCopy(value, 0))
  } catch (error) {
    if (error !== slow) throw error
    return written(value, 0)
  }
}

function sortedCopy(value: object, depth: number): object {
  if (depth === MAX_DEPTH) throw tooDeep()
  if (Array.isArray(value)) {
    return value.map((item: unknown) =>
      typeof item === 'object' && item !== null ? sortedCopy(item, depth + 1) : item,
    )
  }
  const source = value as Record<string, unknown>
  const copy: Record<string, unknown> = {}
  for (const key of sortKeys(Object.keys(source))) {
    // Objects enumerate whole numbers first, in numeric order, and `__proto__` is no plain member.
    const first = key.charCodeAt(0)
    if ((first >= 0x30 && first <= 0x39) || key === '__proto__') throw slow
    const item = source[key]
    copy[key] = typeof item === 'object' && item !== null ? sortedCopy(item, depth + 1) : item
  }
  return copy
}

function written(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (depth === MAX_DEPTH) throw tooDeep()
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => written(item, depth + 1)).join(',')}]`
  }
  const source = value as Record<string, unknown>
  const members: string[] = []
  for (const key of sortKeys(Object.keys(source))) {
    const item = source[key]
    if (item !== undefined) members.push(`${JSON.stringify(key)}:${written(item, depth + 1)}`)
  }
  return `{${members.join(',')}}`
}

function sortKeys(keys: string[]): string[] {
  if (keys.length > SHORT) return keys.sort()
  for (let next = 1; next < keys.length; next += 1) {
    const key = keys[next] as string
    let place = next
    for (; place > 0 && (keys[place - 1] as string) > key; place -= 1) {
      keys[place] = keys[place - 1] as string
    }
    keys[place] = key
  }
  return keys
}

const tooDeep = (): CanonicalJsonError =>
  new CanonicalJsonError('JSON_DEPTH', `nested deeper than ${MAX_DEPTH} levels`)
