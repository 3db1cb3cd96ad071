/** YAML nodes to a tree with spans: bounded, merged and interpolated. */
import { isAlias, isMap, isNode, isScalar, isSeq, type Node } from 'yaml'
import { quote } from '../../protocols/quote.ts'
import { SECTIONS } from '../define.ts'
import type { Span } from '../problem.ts'
import { interpolate, type Surroundings } from './interpolate.ts'
import { locate } from './scalar_span.ts'
import type { Problems } from './source_text.ts'
import type { Entry, Mapping, Scalar, Tree } from './tree.ts'

const DEEPEST = 32
/** As long as YAML lets a key be without a `?` before it. */
const LONGEST_KEY = 1024
/** Aliases can multiply a small file; this is what it may come to. */
const MOST_VALUES = 100_000

/** Builds one tree; keeps count of what it has come to. */
export class TreeBuilder {
  readonly #problems: Problems
  readonly #surroundings: Surroundings
  readonly #literal: readonly string[]
  readonly #anchors = new Map<string, Tree>()
  #values = 0
  #overflowed = false

  constructor(problems: Problems, surroundings: Surroundings, literal: readonly string[]) {
    this.#problems = problems
    this.#surroundings = surroundings
    this.#literal = literal
  }

  /** Whether the file came to too much, which was reported; the tree is cut short then. */
  get overflowed(): boolean {
    return this.#overflowed
  }

  /** @param live whether `${…}` is looked at */
  build(node: Node | null | undefined, path: readonly string[], live: boolean): Tree {
    const span = spanOf(node)
    if (this.#overflowed) return brokenScalar(span)
    if (isAlias(node)) return this.#alias(node.source, span, path)
    if (!this.#fits(1, path.length, span)) return brokenScalar(span)
    const tree = this.#build(node, span, path, live)
    if (isNode(node) && node.anchor !== undefined) this.#anchors.set(node.anchor, tree)
    return tree
  }

  /** Counts what an alias stands for: few lines of them can make a file of any size. */
  #alias(name: string, span: Span, path: readonly string[]): Tree {
    const target = this.#anchors.get(name)
    if (target === undefined) {
      const message = `no anchor ${quote(`&${name}`)} comes before this alias`
      this.#problems.error('YAML_SYNTAX', span, message)
      return brokenScalar(span)
    }
    const { values, depth } = measure(target)
    return this.#fits(values, path.length + depth, span) ? target : brokenScalar(span)
  }

  #fits(values: number, depth: number, span: Span): boolean {
    this.#values += values
    const tooMany = this.#values > MOST_VALUES
    if (!tooMany && depth <= DEEPEST) return true
    const message = tooMany ? `has over ${MOST_VALUES} values` : `nests over ${DEEPEST} deep`
    this.#problems.error('TOO_LARGE', span, `the file ${message}`)
    this.#overflowed = true
    return false
  }

  #build(node: Node | null | undefined, span: Span, path: readonly string[], live: boolean): Tree {
    if (isMap(node)) return this.#map(node.items as PairNode[], span, path, live)
    if (isSeq(node)) {
      const items = node.items.map((item) => this.build(item as Node, [...path, '[]'], live))
      return { kind: 'list', span, items }
    }
    return this.#scalar(node, span, live)
  }

  #map(items: readonly PairNode[], span: Span, path: readonly string[], live: boolean): Mapping {
    const entries = new Map<string, Entry>()
    const repeated: Entry[] = []
    const merged: Tree[] = []
    for (const { key: keyNode, value: valueNode } of items) {
      const keySpan = spanOf(keyNode)
      const key = this.#key(keyNode)
      if (key === undefined || key.length > LONGEST_KEY) {
        this.#problems.error(
          'BAD_KEY',
          keySpan,
          `a key has to be text of at most ${LONGEST_KEY} characters`,
        )
        continue
      }
      const below = live && !(path.length === 0 && this.#literal.includes(key))
      const value = this.build(valueNode, [...path, key], below)
      if (key === '<<' && isScalar(keyNode) && keyNode.type === 'PLAIN') {
        merged.push(value)
        continue
      }
      const entry = { key, keySpan, value }
      const first = entries.get(key)
      if (first === undefined) entries.set(key, entry)
      else {
        repeated.push(entry)
        this.#reportRepeated(entry, first, path)
      }
    }
    for (const value of merged) this.#merge(entries, value)
    return { kind: 'map', span, entries, repeated }
  }

  #reportRepeated(entry: Entry, first: Entry, path: readonly string[]): void {
    const isNodeId = path.length === 1 && SECTIONS.some((section) => section === path[0])
    const related = [{ span: first.keySpan, message: 'first defined here' }]
    this.#problems.error(
      isNodeId ? 'DUPLICATE_ID' : 'DUPLICATE_KEY',
      entry.keySpan,
      `${isNodeId ? 'node' : 'key'} ${quote(entry.key)} is defined twice`,
      { help: 'rename or remove one of the two.', related },
    )
  }

  /** `<<: *base` or `<<: [*one, *other]`: keys that are there already win. */
  #merge(entries: Map<string, Entry>, value: Tree): void {
    for (const source of value.kind === 'list' ? value.items : [value]) {
      if (source.kind !== 'map') {
        this.#problems.error('TYPE', source.span, '"<<" takes a mapping, or a list of mappings')
        continue
      }
      for (const [key, entry] of source.entries) if (!entries.has(key)) entries.set(key, entry)
    }
  }

  #key(node: Node | null | undefined): string | undefined {
    if (!isScalar(node) || node.value === null) return undefined
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value))
  }

  #scalar(node: Node | null | undefined, span: Span, live: boolean): Scalar {
    const value = isScalar(node) ? node.value : null
    if (typeof value === 'string' && live) return this.#interpolated(value, span)
    if (value === null || typeof value === 'string' || typeof value === 'boolean') {
      return plainScalar(value, span)
    }
    if (typeof value === 'number' && Number.isFinite(value)) return plainScalar(value, span)
    this.#problems.error('TYPE', span, 'this value has no JSON form', {
      help: 'put "…" around it.',
    })
    return brokenScalar(span)
  }

  #interpolated(written: string, span: Span): Scalar {
    const { faults, references, ...result } = interpolate(written, this.#surroundings)
    for (const { code, start, end, message, help } of faults) {
      const place = locate(this.#problems.text, span, written, start, end)
      this.#problems.error(code, place, message, { help })
    }
    const interpolated = references > 0
    return { kind: 'scalar', span, interpolated, broken: faults.length > 0, written, ...result }
  }
}

/** Size of a tree with everything its aliases stand for. */
function measure(tree: Tree): { values: number; depth: number } {
  const children =
    tree.kind === 'list'
      ? tree.items
      : tree.kind === 'map'
        ? [...tree.entries.values(), ...tree.repeated].map((entry) => entry.value)
        : []
  let values = 1
  let depth = 0
  for (const child of children) {
    const below = measure(child)
    values += below.values
    depth = Math.max(depth, below.depth + 1)
  }
  return { values, depth }
}

interface PairNode {
  readonly key: Node | null
  readonly value: Node | null
}

function spanOf(node: Node | null | undefined): Span {
  const [start, end] = node?.range ?? [0, 0]
  return { start, end }
}

const plainScalar = (value: Scalar['value'], span: Span): Scalar => ({
  kind: 'scalar',
  span,
  value,
  shown: value,
  interpolated: false,
  secret: false,
  broken: false,
})

const brokenScalar = (span: Span): Scalar => ({ ...plainScalar(null, span), broken: true })
