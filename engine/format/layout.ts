/** Decides how each value of a file is laid out: on one line where it was and fits, else as a block. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Scalar,
} from 'yaml'
import { EngineError } from '../errors.ts'
import type { SetAside } from './set_aside.ts'

/** Columns of a line that a value in flow style may fill. */
const WIDTH = 100

/**
 * Sets aside what is to stay as it is written: scalars, and flow collections that fit on their line.
 * Other collections become blocks.
 * @throws {EngineError} `FORMAT` on YAML that no pipeline file needs: tags, keys that are no text
 */
export function layOut(document: Document.Parsed, text: string, aside: SetAside): void {
  const layout = new Layout(text, aside)
  document.contents = layout.value(document.contents, 0, 0) as typeof document.contents
}

class Layout {
  readonly #text: string
  readonly #aside: SetAside

  constructor(text: string, aside: SetAside) {
    this.#text = text
    this.#aside = aside
  }

  /**
   * @param column where the line's own key or list item stands
   * @param used columns of the line before the value
   */
  value(node: Node | null, column: number, used: number): Node | null {
    if (node === null) return null
    refuseTags(node)
    if (!isCollection(node)) return this.#leaf(node)
    if (node.flow) {
      const line = oneLine(this.#text, node, true)
      if (line !== undefined && used + line.length <= WIDTH) return this.#mark(node, line)
      node.flow = false
    }
    if (node.items.length === 0) return this.#mark(node, isMap(node) ? '{}' : '[]')
    if (isSeq(node)) {
      // Lists stand two columns in from their key; each item begins after its dash.
      const at = column + 2
      node.items = node.items.map((item) => this.value(item as Node, at, at + 2))
    } else if (isMap(node)) {
      for (const pair of node.items) this.#pair(pair as Pair<Node, Node | null>, column)
    }
    return node
  }

  #pair(pair: Pair<Node, Node | null>, column: number): void {
    const key = sourceOf(this.#text, pair.key)
    if (!isScalar(pair.key) || key.includes('\n') || key === '')
      throw unusual('a key that is no text')
    refuseTags(pair.key)
    const { value } = pair
    const inner = isMap(value) ? column + 2 : column
    pair.value = this.value(value, inner, column + key.length + 2)
    pair.key = this.#mark(pair.key, key)
  }

  #leaf(node: Node): Node {
    const source = sourceOf(this.#text, node)
    if (isScalar(node) && source === '') return node
    return this.#mark(node, source)
  }

  #mark(node: Node, text: string): Scalar {
    const start = node.range?.[0] ?? 0
    const line = this.#text.slice(this.#text.lastIndexOf('\n', start - 1) + 1, start)
    const mark = new Scalar(this.#aside.keep(text, line))
    const { commentBefore, spaceBefore } = node
    // That of a block text stands in its header, and has been taken along with it.
    const comment = /^[|>]/.test(text) ? undefined : node.comment
    Object.assign(mark, { comment, commentBefore, spaceBefore, type: 'PLAIN' })
    if ('anchor' in node && node.anchor !== undefined) mark.anchor = node.anchor
    return mark
  }
}

/** @returns flow style without its own comment, or undefined where it does not go on one line */
function oneLine(text: string, node: Node | null, outermost = false): string | undefined {
  if (node === null) return ''
  refuseTags(node)
  if (!outermost && (node.comment || node.commentBefore)) return undefined
  const anchor = !outermost && 'anchor' in node && node.anchor ? `&${node.anchor} ` : ''
  if (!isCollection(node)) {
    const source = sourceOf(text, node)
    return source.includes('\n') ? undefined : anchor + source
  }
  const parts = node.items.map((item) =>
    isPair(item) ? onePair(text, item as Pair<Node, Node | null>) : oneLine(text, item as Node),
  )
  if (parts.includes(undefined)) return undefined
  if (!isMap(node)) return `${anchor}[${parts.join(', ')}]`
  return `${anchor}${parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`}`
}

function onePair(text: string, { key, value }: Pair<Node, Node | null>): string | undefined {
  const left = oneLine(text, key)
  const right = oneLine(text, value)
  if (left === undefined || right === undefined) return undefined
  if (value === null) return left
  return right === '' ? `${left}:` : `${left}: ${right}`
}

/** What stands in the file for a scalar or an alias, without an anchor before it. */
function sourceOf(text: string, node: Node): string {
  if (isAlias(node)) return `*${node.source}`
  const [start, end] = node.range ?? [0, 0]
  return text.slice(start, end).replace(/\n$/, '')
}

function refuseTags(node: Node): void {
  if (node.tag !== undefined) throw unusual('a tag')
}

const unusual = (what: string): EngineError =>
  new EngineError('FORMAT', `a file with ${what} is not formatted: write it without`)
