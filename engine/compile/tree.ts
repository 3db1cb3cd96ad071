/** A YAML value with its place in the file: what every check of the compiler walks. */
import type { Span } from '../problem.ts'
import type { Piece } from './interpolate.ts'

export interface Scalar {
  readonly kind: 'scalar'
  readonly span: Span
  readonly value: string | number | boolean | null
  /** What may be shown to people: `value`, with secrets as `${secret:name}`. */
  readonly shown: string | number | boolean | null
  /** Holds text from a variable or a secret, which is always text: `"8080"` has to count as 8080. */
  readonly interpolated: boolean
  readonly secret: boolean
  /** Already reported, so nothing more is said about it: a reference that led nowhere. */
  readonly broken: boolean
  /** What YAML read, where references have been replaced since. */
  readonly written?: string
  /** Where in the written value each piece of the interpolated one comes from. */
  readonly pieces?: readonly Piece[]
}

export interface List {
  readonly kind: 'list'
  readonly span: Span
  readonly items: readonly Tree[]
}

export interface Entry {
  readonly key: string
  readonly keySpan: Span
  readonly value: Tree
}

export interface Mapping {
  readonly kind: 'map'
  readonly span: Span
  /** Of several entries with one key, the first. */
  readonly entries: ReadonlyMap<string, Entry>
  /** The others; they are an error, and have been reported. */
  readonly repeated: readonly Entry[]
}

export type Tree = Scalar | List | Mapping

const NOWHERE: Span = { start: 0, end: 0 }

/** A tree of a plain JSON value that stands in no file, e.g. a default. */
export function treeOf(value: unknown): Tree {
  if (Array.isArray(value)) return { kind: 'list', span: NOWHERE, items: value.map(treeOf) }
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).map(
      ([key, item]) => [key, { key, keySpan: NOWHERE, value: treeOf(item) }] as const,
    )
    return { kind: 'map', span: NOWHERE, entries: new Map(entries), repeated: [] }
  }
  const scalar = value as Scalar['value']
  return {
    kind: 'scalar',
    span: NOWHERE,
    value: scalar,
    shown: scalar,
    interpolated: false,
    secret: false,
    broken: false,
  }
}

/** The plain JSON value of a tree; secrets stay hidden where `show` is set. */
export function plainValue(tree: Tree, show: boolean): unknown {
  if (tree.kind === 'scalar') return show ? tree.shown : tree.value
  if (tree.kind === 'list') return tree.items.map((item) => plainValue(item, show))
  return Object.fromEntries(
    [...tree.entries.values()].map((entry) => [entry.key, plainValue(entry.value, show)]),
  )
}

/** Whether nothing in it is broken: a broken value was reported, but no code must come to see it. */
export function isSound(tree: Tree): boolean {
  if (tree.kind === 'scalar') return !tree.broken
  if (tree.kind === 'list') return tree.items.every(isSound)
  return [...tree.entries.values()].every((entry) => isSound(entry.value))
}
