/** Names for groups of topics that people subscribe webhooks to; never stored. */
import { isPattern } from '../topic.ts'

/** @see spec/webhooks.md section 2 */
const simpleEvents: Readonly<Record<SimpleEvent, readonly string[]>> = {
  AttackerDetail: ['attacker.>'],
  DeckyStatus: ['decky.*.state', 'decky.*.traffic'],
  SystemStatus: ['system.>'],
}

export type SimpleEvent = 'AttackerDetail' | 'DeckyStatus' | 'SystemStatus'

/** Whether `name` is a name of such a group. */
export const isSimpleEvent = (name: unknown): name is SimpleEvent =>
  typeof name === 'string' && Object.hasOwn(simpleEvents, name)

/**
 * @returns what the names stand for, in their order, then the raw patterns in theirs; each once, and
 *   without what is empty or no text
 * @example mergePatterns(['SystemStatus'], ['system.>', 'x.*', '']) // ['system.>', 'x.*']
 */
export function mergePatterns(
  simple: readonly SimpleEvent[],
  raw: readonly unknown[],
): readonly string[] {
  const all = [...simple.flatMap((name) => simpleEvents[name]), ...raw]
  const texts = all.filter((one): one is string => typeof one === 'string' && one !== '')
  return [...new Set(texts)]
}

/** @returns the first pattern that no topic would ever be told by, or undefined */
export const wrongPattern = (patterns: readonly string[]): string | undefined =>
  patterns.find((pattern) => !isPattern(pattern))

/**
 * For a form: the names that stand for exactly these patterns.
 * @returns none where something would be left over; then the raw list is shown
 */
export function simpleEventsOf(patterns: readonly string[]): readonly SimpleEvent[] {
  const names = Object.keys(simpleEvents).filter(isSimpleEvent)
  const ticked = names.filter((name) => simpleEvents[name].every((one) => patterns.includes(one)))
  const covered = new Set(ticked.flatMap((name) => simpleEvents[name]))
  return patterns.every((pattern) => covered.has(pattern)) ? ticked : []
}
