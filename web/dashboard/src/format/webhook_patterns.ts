/** The presets of webhooks, which the API expands to patterns and never keeps. */
import type { SimpleEvent } from '../api/types.ts'

/** @see spec/webhooks.md section 2 */
export const PRESETS: Readonly<Record<SimpleEvent, readonly string[]>> = {
  AttackerDetail: ['attacker.>'],
  DeckyStatus: ['decky.*.state', 'decky.*.traffic'],
  SystemStatus: ['system.>'],
}

export const presetNames = Object.keys(PRESETS) as SimpleEvent[]

/**
 * What a form shows of stored patterns: presets are ticked only where they explain all of them.
 * @returns presets and the patterns that stand beside them
 */
export function readPatterns(patterns: readonly string[]): {
  readonly presets: readonly SimpleEvent[]
  readonly raw: readonly string[]
} {
  const presets = presetNames.filter((name) =>
    PRESETS[name].every((pattern) => patterns.includes(pattern)),
  )
  const explained = new Set(presets.flatMap((name) => PRESETS[name]))
  return patterns.every((pattern) => explained.has(pattern))
    ? { presets, raw: [] }
    : { presets: [], raw: patterns }
}

/** @param text one pattern a line */
export const patternLines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
