/** What every check of a value needs, and how messages show one. */
import { quote } from '../../protocols/quote.ts'
import type { Span } from '../problem.ts'
import type { Place } from './place.ts'
import type { Problems } from './source_text.ts'
import type { Scalar, Tree } from './tree.ts'

/** What a check needs beside the value: where problems go, and what is made of durations & co. */
export interface Reading {
  readonly problems: Problems
  /** `run`: ms, bytes, compiled CEL; `show`: the text as written, with secrets left as references. */
  readonly decode: 'run' | 'show'
}

/** How a message shows a value: secrets stay references, long ones are cut. */
export function shownScalar(scalar: Scalar): string {
  if (scalar.value === null) return 'empty'
  return typeof scalar.shown === 'string' ? quote(scalar.shown) : String(scalar.shown)
}

/** The span of a scalar, or of its key where the value has no text (`key:`). */
export const spanOfScalar = (scalar: Scalar, place: Place): Span =>
  scalar.span.end > scalar.span.start ? scalar.span : place.anchor

/** The same for any value: of a list or a mapping, which can fill a screen, the key above it. */
export const spanOfTree = (tree: Tree, place: Place): Span =>
  tree.kind === 'scalar' ? spanOfScalar(tree, place) : place.anchor

/** How a message names a value of any kind. */
export function shownTree(tree: Tree): string {
  if (tree.kind === 'scalar') return shownScalar(tree)
  return tree.kind === 'list' ? 'a list' : 'a mapping'
}
