/** Conditions: CEL expressions that must come out true or false. */
import { quote } from '../protocols/quote.ts'
import type { Expression } from './cel.ts'
import { EngineError } from './errors.ts'
import type { Event } from './event.ts'

/**
 * Whether a condition is true of an event.
 * @throws {EngineError} `CEL_TYPE` when the result is neither true nor false, `CEL_EVALUATION`
 *   when it has none: a key that is not there, a comparison of unlike types
 */
export function holds(condition: Expression, event: Event): boolean {
  const result = condition.evaluate(event)
  if (typeof result === 'boolean') return result
  const kind = result === null ? 'null' : Array.isArray(result) ? 'list' : typeof result
  throw new EngineError('CEL_TYPE', `the condition gives ${kind}, not true or false`)
}

/** Fields named in a reason, and characters of the condition. */
const MAX_NAMED = 8
const MAX_TEXT = 300

/**
 * Says for `context.explain` what a condition looked at, since its text alone tells half of it.
 * @example conditionReason(where, event) // 'data.service == "ssh" (data.service is "telnet")'
 */
export function conditionReason({ text }: Expression, event: Event): string {
  const onOneLine = text.replace(/\s+/g, ' ').trim()
  const shown = onOneLine.length > MAX_TEXT ? `${onOneLine.slice(0, MAX_TEXT)}…` : onOneLine
  const bare = text.replace(/"[^"\\]*"|'[^'\\]*'/g, '""')
  const names = new Set(bare.match(/\b(?:data(?:\.\??[A-Za-z_]\w*)+|topic|time|id)\b/g))
  const values = [...names].slice(0, MAX_NAMED).flatMap((name) => {
    const value = valueAt(event, name.split(/\.\??/))
    return value === undefined ? [] : [`${name} is ${value}`]
  })
  return values.length > 0 ? `${shown} (${values.join(', ')})` : shown
}

/** @returns JSON text, quoted where it came from outside; undefined for a method or a missing key */
function valueAt(event: Event, path: readonly string[]): string | undefined {
  let value: unknown = event
  for (const name of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined
    value = (value as Record<string, unknown>)[name]
  }
  if (typeof value === 'string') return quote(value)
  return typeof value === 'object' && value !== null ? undefined : String(value)
}
