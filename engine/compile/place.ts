/** Names the part of a pipeline file that a message is about. */
import { quote } from '../../protocols/quote.ts'
import type { Span } from '../problem.ts'

export interface Place {
  /** `operator "bursts"`, or `''` for the file as a whole. */
  readonly owner: string
  /** Keys from the owner down: `listen[0]`, `settings.batch_size`; `''` for the owner itself. */
  readonly path: string
  /** What stands for the value where it has no text of its own: the key above it. */
  readonly anchor: Span
  /** What takes the keys, for the list of them in a help line; the component's type. */
  readonly type?: string
}

export const below = (place: Place, key: string, anchor: Span): Place => ({
  ...place,
  path: place.path === '' ? key : `${place.path}.${key}`,
  anchor,
})

export const itemOf = (place: Place, index: number, anchor: Span): Place => ({
  ...place,
  path: `${place.path}[${index}]`,
  anchor,
})

/** `"path" of source "lines"`, `operator "bursts"`, `"settings.credit"` or `the pipeline`. */
export function say({ owner, path }: Place): string {
  if (path === '') return owner === '' ? 'the pipeline' : owner
  return owner === '' ? quote(path) : `${quote(path)} of ${owner}`
}
