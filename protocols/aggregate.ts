/** Aggregates that do not depend on the order in which values come, and that can be merged. */
import { createHash } from 'node:crypto'
import { canonicalJson } from './canonical_json.ts'
import { addExactly, exactSum } from './exact_sum.ts'
import { ProtocolError } from './protocol_error.ts'

export const AGGREGATES = ['count', 'sum', 'min', 'max', 'first', 'last', 'distinct'] as const
type AggregateKind = (typeof AGGREGATES)[number]

/** A value that an aggregate cannot take. */
class TallyError extends ProtocolError {
  override name = 'TallyError'
}

/**
 * What is kept of the values so far, as JSON: a count; the parts of an exact sum; a number; time
 * and JSON text of a value; the distinct values as text.
 */
export type Tally =
  | { kind: 'count'; n: number }
  | { kind: 'sum'; partials: number[] }
  | { kind: 'min' | 'max'; value: number | null }
  | { kind: 'first' | 'last'; time: number; text: string | null }
  | { kind: 'distinct'; values: Record<string, 1>; n: number; capped: boolean }

/** Characters of JSON kept of a `first` or `last`; attackers write them. */
const MAX_TEXT = 4096
/** A distinct value longer than this is kept as its hash. */
const MAX_VALUE = 64
/** Any number of these still add up to a finite sum. */
const MAX_NUMBER = 1e290

export function newTally(kind: AggregateKind): Tally {
  if (kind === 'count') return { kind, n: 0 }
  if (kind === 'sum') return { kind, partials: [] }
  if (kind === 'min' || kind === 'max') return { kind, value: null }
  if (kind === 'distinct') return { kind, values: {}, n: 0, capped: false }
  return { kind, time: 0, text: null }
}

/** A value made ready for a tally: nothing that can fail is left to do. */
export type Prepared = { readonly number: number } | { readonly text: string } | undefined

/**
 * @throws {TallyError} `NOT_A_NUMBER` for sum, min, max; `VALUE_TOO_LARGE` for first and last
 * @throws {CanonicalJsonError} `JSON_DEPTH`
 */
export function prepare(kind: AggregateKind, value: unknown): Prepared {
  if (kind === 'count') return undefined
  if (kind === 'sum' || kind === 'min' || kind === 'max') {
    if (typeof value === 'number' && Math.abs(value) <= MAX_NUMBER) return { number: value }
    throw new TallyError('NOT_A_NUMBER', `${kind} takes numbers up to 1e290, nothing else`)
  }
  const text = canonicalJson(value)
  if (kind === 'distinct') {
    if (text.length <= MAX_VALUE) return { text }
    return { text: createHash('sha256').update(text).digest('base64') }
  }
  if (text.length <= MAX_TEXT) return { text }
  throw new TallyError('VALUE_TOO_LARGE', `${kind} keeps ${MAX_TEXT} characters at most`)
}

/**
 * @param time event time, ms; at equal times the greater text is first and last
 * @param most distinct values kept; a further one sets `capped`
 */
export function addTo(tally: Tally, value: Prepared, time: number, most: number): void {
  const number = value && 'number' in value ? value.number : 0
  const text = value && 'text' in value ? value.text : ''
  if (tally.kind === 'count') tally.n += 1
  else if (tally.kind === 'sum') addExactly(tally.partials, number)
  else if (tally.kind === 'distinct') addDistinct(tally, text, most)
  else if ('text' in tally) addEdge(tally, time, text)
  else tally.value = Math[tally.kind](tally.value ?? number, number)
}

/** Adds what `other` has counted; both are of one kind. */
export function mergeInto(tally: Tally, other: Tally, most: number): void {
  if (tally.kind === 'count' && other.kind === 'count') tally.n += other.n
  else if (tally.kind === 'sum' && other.kind === 'sum') {
    for (const part of other.partials) addExactly(tally.partials, part)
  } else if (tally.kind === 'distinct' && other.kind === 'distinct') {
    for (const text of Object.keys(other.values)) addDistinct(tally, text, most)
    tally.capped ||= other.capped
  } else if ('value' in other && other.value !== null) {
    addTo(tally, { number: other.value }, 0, most)
  } else if ('text' in other && other.text !== null) {
    addTo(tally, { text: other.text }, other.time, most)
  }
}

/** What an aggregate comes to: a number, or for first and last the value itself. */
export function resultOf(tally: Tally): unknown {
  if (tally.kind === 'count' || tally.kind === 'distinct') return tally.n
  if (tally.kind === 'sum') return exactSum(tally.partials)
  if ('value' in tally) return tally.value
  return tally.text === null ? null : JSON.parse(tally.text)
}

// JSON text is never the name of something every object has.
function addDistinct(
  tally: Extract<Tally, { kind: 'distinct' }>,
  text: string,
  most: number,
): void {
  if (tally.values[text] === 1) return
  if (tally.n >= most) {
    tally.capped = true
    return
  }
  tally.values[text] = 1
  tally.n += 1
}

function addEdge(tally: Extract<Tally, { text: unknown }>, time: number, text: string): void {
  const beyond = tally.kind === 'first' ? time < tally.time : time > tally.time
  const tie = time === tally.time && tally.text !== null && text > tally.text
  if (tally.text !== null && !beyond && !tie) return
  tally.time = time
  tally.text = text
}
