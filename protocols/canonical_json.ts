/** JSON in one form only, so that equal values are equal bytes. */
import { ProtocolError } from './protocol_error.ts'

/** Levels of nesting, at most: what recurses over attacker-made JSON must end before the stack. */
const MAX_DEPTH = 256

/** Of objects with more keys than this, each has its own, and there is nothing to remember. */
const LONGEST = 64

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
  const given = Object.keys(value)
  // Read at once: reading each by its name costs more than all of them together.
  const values: unknown[] = Object.values(value)
  let changed = false
  for (let at = 0; at < values.length; at += 1) {
    const item = values[at]
    if (typeof item !== 'object' || item === null) continue
    const placed = inOrder(item, depth + 1)
    if (placed === item) continue
    values[at] = placed
    changed = true
  }
  const { isSorted, sorted, places } = orderOf(given)
  if (isSorted && !changed) return value
  // Objects enumerate whole numbers first, in numeric order, and `__proto__` is no plain member.
  if (sorted.some(isUnplaceable)) throw slow
  const copy: Record<string, unknown> = {}
  for (let at = 0; at < sorted.length; at += 1) {
    copy[sorted[at] as string] = values[places[at] as number]
  }
  return copy
}

function itemsInOrder(value: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let at = 0; at < value.length; at += 1) {
    const item: unknown = value[at]
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
  for (const key of orderOf(Object.keys(source)).sorted) {
    const item = source[key]
    if (item !== undefined) members.push(`${JSON.stringify(key)}:${written(item, depth + 1)}`)
  }
  return `{${members.join(',')}}`
}

/** How the keys of one kind of object are put in order. */
interface Order {
  /** as they were met */
  readonly given: readonly string[]
  readonly isSorted: boolean
  readonly sorted: readonly string[]
  /** where each of `sorted` is in `given` */
  readonly places: readonly number[]
}

// Objects of one kind have the same keys, event after event, and comparing references is cheap.
const orders: (Order | undefined)[] = new Array(256)

function orderOf(given: readonly string[]): Order {
  const { length } = given
  if (length === 0 || length > LONGEST) return newOrder(given)
  const first = given[0] as string
  const last = given[length - 1] as string
  const place = (length * 31 + first.charCodeAt(0) * 7 + last.charCodeAt(0)) & 255
  const known = orders[place]
  if (known && sameKeys(known.given, given)) return known
  const order = newOrder(given)
  orders[place] = order
  return order
}

function newOrder(given: readonly string[]): Order {
  // By UTF-16 code units, as `<` compares.
  const places = given.map((_, at) => at)
  places.sort((a, b) => ((given[a] as string) < (given[b] as string) ? -1 : 1))
  return {
    given,
    isSorted: places.every((from, to) => from === to),
    sorted: places.map((at) => given[at] as string),
    places,
  }
}

function sameKeys(some: readonly string[], others: readonly string[]): boolean {
  if (some.length !== others.length) return false
  for (let at = 0; at < some.length; at += 1) if (some[at] !== others[at]) return false
  return true
}

const tooDeep = (): CanonicalJsonError =>
  new CanonicalJsonError('JSON_DEPTH', `nested deeper than ${MAX_DEPTH} levels`)
