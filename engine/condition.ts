/** Conditions: CEL expressions that must come out true or false. */
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
