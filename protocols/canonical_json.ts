/** JSON in one form only, so that equal values are equal bytes. */
import { ProtocolError } from './protocol_error.ts'

/** Levels of nesting, at most: what recurses over attacker-made JSON must end before the stack. */
const MAX_DEPTH = 256

/** Objects up to this many keys have their order remembered; insertion sort is good for those. */
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
  // The native writer on objects whose keys are in order is half as fast again as writing each
  // member here, and most objects are in order, or need a copy of one small part.
  try {
    return JSON.stringify(inOrder(value, 0))
  } catch (error) {
    if (error !== slow) throw error
    return written(value, 0)
  }
}

/** @returns `value` itself where all its keys are in order, else a copy in which they are */
function inOrder(value: object, depth: number): object {
  if (depth === MAX_DEPTH) throw tooDeep()
  if (Array.isArray(value)) return itemsInOrder(value, depth)
  const source = value as Record<string, unknown>
  const given = Object.keys(source)
  const keys = sortedKeys(given)
  // Objects enumerate whole numbers first, in numeric order, and `__proto__` is no plain member.
  if (keys !== given && keys.some(isUnplaceable)) throw slow
  let copy: Record<string, unknown> | undefined = keys === given ? undefined : {}
  for (let at = 0; at < keys.length; at += 1) {
    const key = keys[at] as string
    const item = source[key]
    const placed = typeof item === 'object' && item !== null ? inOrder(item, depth + 1) : item
    if (copy === undefined && placed !== item) {
      if (keys.some(isUnplaceable)) throw slow
      copy = {}
      for (const before of keys.slice(0, at)) copy[before] = source[before]
    }
    if (copy !== undefined) copy[key] = placed
  }
  return copy ?? value
}

function itemsInOrder(value: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined
  for (const [at, item] of value.entries()) {
    const placed = typeof item === 'object' && item !== null ? inOrder(item, depth + 1) : item
    if (copy === undefined && placed !== item) copy = value.slice(0, at)
    copy?.push(placed)
  }
  return copy ?? value
}

const isUnplaceable = (key: string): boolean => {
  const first = key.charCodeAt(0)
  return (first >= 0x30 && first <= 0x39) || key === '__proto__'
}

function written(value: unknown, depth: number): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  if (depth === MAX_DEPTH) throw tooDeep()
  if (Array.isArray(value)) {
    return `[${value.map((item: unknown) => written(item, depth + 1)).join(',')}]`
  }
  const source = value as Record<string, unknown>
  const members: string[] = []
  for (const key of sortedKeys(Object.keys(source))) {
    const item = source[key]
    if (item !== undefined) members.push(`${JSON.stringify(key)}:${written(item, depth + 1)}`)
  }
  return `{${members.join(',')}}`
}

/** Keys of an object as they were met, and sorted; the same array where they are sorted. */
interface Order {
  readonly given: readonly string[]
  readonly sorted: readonly string[]
}

// Objects of one kind have the same keys, event after event, and comparing references is cheap.
const orders: (Order | undefined)[] = new Array(256)

/** @returns `given` itself where it is sorted */
function sortedKeys(given: readonly string[]): readonly string[] {
  const { length } = given
  if (length < 2) return given
  if (length > SHORT) return isSorted(given) ? given : [...given].sort()
  const first = given[0] as string
  const last = given[length - 1] as string
  const place = (length * 31 + first.charCodeAt(0) * 7 + last.charCodeAt(0)) & 255
  const known = orders[place]
  if (known && sameKeys(known.given, given)) {
    return known.sorted === known.given ? given : known.sorted
  }
  const sorted = isSorted(given) ? given : insertionSorted(given)
  orders[place] = { given, sorted }
  return sorted
}

function sameKeys(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false
  for (let at = 0; at < some.length; at += 1) if (some[at] !== others[at]) return false
  return true
}

function isSorted(keys: readonly string[]): boolean {
  for (let at = 1; at < keys.length; at += 1) {
    if ((keys[at - 1] as string) > (keys[at] as string)) return false
  }
  return true
}

function insertionSorted(given: readonly string[]): string[] {
  const keys = [...given]
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
