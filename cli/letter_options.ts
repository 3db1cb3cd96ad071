/** Which dead letters a command line means. */
import type { LetterSelection } from '../engine/dead_letters.ts'
import { UsageError } from './usage_error.ts'

/** As many letters by id as one command takes; more are named by node or code. */
const MAX_IDS = 10_000

/**
 * @param list the command that shows the ids there are
 * @throws {UsageError} on an id that is none
 */
export function letterId(text: string, list = 'dlq ls'): number {
  const id = Number(text)
  if (!Number.isSafeInteger(id) || id < 1) throw new UsageError(`ID is a number; see ${list}.`)
  return id
}

/** @throws {UsageError} on an id that is none, or on too many, told as `things` */
export function letterIds(
  ids: readonly string[],
  things = 'letters',
  list?: string,
): readonly number[] {
  if (ids.length > MAX_IDS) throw new UsageError(`At most ${MAX_IDS} ${things} by ID.`)
  return ids.map((id) => letterId(id, list))
}

/** @param options what was given: ids as text (none: all), a node, a code */
export function letterSelection(options: {
  readonly ids?: readonly string[]
  readonly node: string | undefined
  readonly code: string | undefined
}): LetterSelection {
  const { ids = [], node, code } = options
  const numbers = letterIds(ids)
  return {
    ...(numbers.length > 0 && { ids: numbers }),
    ...(node !== undefined && { node }),
    ...(code !== undefined && { code }),
  }
}
