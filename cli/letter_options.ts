/** Which dead letters a command line means. */
import type { LetterSelection } from '../engine/dead_letters.ts'
import { UsageError } from './usage_error.ts'

/** As many letters by id as one command takes; more are named by node or code. */
const MAX_IDS = 10_000

/** @throws {UsageError} on an id that is none */
export function letterId(text: string): number {
  const id = Number(text)
  if (!Number.isSafeInteger(id) || id < 1) throw new UsageError('ID is a number; see dlq ls.')
  return id
}

/** @param options what was given: ids as text (none: all), a node, a code */
export function letterSelection(options: {
  readonly ids?: readonly string[]
  readonly node: string | undefined
  readonly code: string | undefined
}): LetterSelection {
  const { ids = [], node, code } = options
  if (ids.length > MAX_IDS) throw new UsageError(`At most ${MAX_IDS} letters by ID.`)
  return {
    ...(ids.length > 0 && { ids: ids.map(letterId) }),
    ...(node !== undefined && { node }),
    ...(code !== undefined && { code }),
  }
}
