/** Puts what came out into the `expect:` values of a pipeline file, and leaves the rest as it is. */
import { isDeepStrictEqual } from 'node:util'
import { type Document, isMap, isScalar, isSeq, type Node, type YAMLMap, type YAMLSeq } from 'yaml'
import type { Event } from './event.ts'
import { keyText, readPipelineText } from './file_place.ts'
import { isObject, type Observed } from './pipeline_test.ts'
import { flowText, type Quotes } from './yaml_scalar_text.ts'

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * Rewrites values, drops keys and events that did not come, and adds events that did. A pattern
 * keeps to the keys it has; an event without a pattern takes those of the one before it, or its
 * topic and data. Comments, quotes and layout stay.
 * @param text the file the tests were compiled from
 * @returns the new text; the same where there is nothing to do, or where values come from an alias
 */
export function updateExpectations(text: string, observed: readonly Observed[]): string {
  const { document } = readPipelineText(text)
  const edits = observed.flatMap(({ path, events }) => {
    const list = document.getIn(path, true)
    return isSeq(list) ? editList(text, document, list as YAMLSeq<Node>, events) : []
  })
  return edits
    .sort((a, b) => b.start - a.start)
    .reduce((made, { start, end, text }) => made.slice(0, start) + text + made.slice(end), text)
}

function editList(
  text: string,
  document: Document.Parsed,
  list: YAMLSeq<Node>,
  events: readonly Event[],
): Edit[] {
  const { items } = list
  if (events.length === 0) {
    return items.length === 0 ? [] : [{ ...rangeOf(text, list), text: '[]' }]
  }
  const kept = items.slice(0, events.length)
  const edits = kept.flatMap((item, index) => editValue(text, document, item, events[index]))
  const last = kept.at(-1)
  if (last === undefined) {
    const made = events.map((event) => flowText(restrict(event, undefined)))
    return [{ ...rangeOf(text, list), text: `[${made.join(', ')}]` }]
  }
  if (items.length > events.length) {
    const start = pastComment(text, list, rangeOf(text, last).end)
    const end = pastComment(text, list, rangeOf(text, items.at(-1) as Node).end)
    return [...edits, { start, end, text: '' }]
  }
  const at = pastComment(text, list, rangeOf(text, last).end)
  const pattern: unknown = last.toJS(document)
  const added = events
    .slice(items.length)
    .map((event) => separator(text, list) + flowText(restrict(event, pattern)))
  return added.length === 0 ? edits : [...edits, { start: at, end: at, text: added.join('') }]
}

/** What goes between two items of the list. */
function separator(text: string, list: YAMLSeq<Node>): string {
  if (list.flow) return ', '
  const first = (list.items[0]?.range?.[0] ?? 0) - 1
  const dash = text.lastIndexOf('-', first)
  return `\n${' '.repeat(dash - text.lastIndexOf('\n', dash) - 1)}- `
}

function editValue(text: string, document: Document.Parsed, node: Node, actual: unknown): Edit[] {
  if (isMap(node) && isObject(actual)) return editMap(text, document, node, actual)
  if (isDeepStrictEqual(node.toJS(document), actual)) return []
  const range = rangeOf(text, node)
  const made = flowText(actual, quotesOf(node))
  return [{ ...range, text: range.start === range.end ? ` ${made}` : made }]
}

function editMap(
  text: string,
  document: Document.Parsed,
  map: YAMLMap,
  actual: Record<string, unknown>,
): Edit[] {
  const pairs = map.items.map(({ key, value }) => ({
    name: keyText(key),
    key: key as Node,
    value: value as Node | null,
  }))
  const gone = pairs.filter(({ name }) => actual[name] === undefined)
  if (gone.length === pairs.length) {
    return gone.length === 0 ? [] : [{ ...rangeOf(text, map), text: '{}' }]
  }
  const kept = pairs.flatMap(({ name, value }) =>
    value === null || actual[name] === undefined
      ? []
      : editValue(text, document, value, actual[name]),
  )
  return [...kept, ...cuts(text, pairs, (pair) => gone.includes(pair))]
}

interface Pair {
  readonly name: string
  readonly key: Node
  readonly value: Node | null
}

/** Takes pairs out in runs, each with what separates it from a pair that stays. */
function cuts(text: string, pairs: readonly Pair[], isGone: (pair: Pair) => boolean): Edit[] {
  const edits: Edit[] = []
  for (let index = 0; index < pairs.length; index++) {
    const first = pairs[index] as Pair
    if (!isGone(first)) continue
    while (index + 1 < pairs.length && isGone(pairs[index + 1] as Pair)) index += 1
    const before = pairs[pairs.indexOf(first) - 1]
    const last = pairs[index] as Pair
    const after = pairs[index + 1]
    const start = after || !before ? rangeOf(text, first.key).start : endOf(text, before)
    const end = after ? rangeOf(text, after.key).start : endOf(text, last)
    edits.push({ start, end, text: '' })
  }
  return edits
}

const endOf = (text: string, { key, value }: Pair): number => rangeOf(text, value ?? key).end

/** The value's own text: without the white space and comments after it. */
function rangeOf(text: string, node: Node): { start: number; end: number } {
  const [start, end] = node.range ?? [0, 0]
  return { start, end: start + text.slice(start, end).trimEnd().length }
}

/** A comment at the end of a block item's line belongs to it. */
function pastComment(text: string, list: YAMLSeq<Node>, end: number): number {
  if (list.flow) return end
  return end + (/^[ \t]+#[^\n]*/.exec(text.slice(end))?.[0].length ?? 0)
}

function quotesOf(node: Node): Quotes {
  if (!isScalar(node)) return 'none'
  if (node.type === 'QUOTE_SINGLE') return 'single'
  return node.type === 'QUOTE_DOUBLE' ? 'double' : 'none'
}

/** The part of `actual` that has the keys of `pattern`. */
function restrict(actual: unknown, pattern: unknown): unknown {
  if (pattern === undefined) {
    const { topic, data } = actual as Event
    return { topic, data }
  }
  if (!isObject(pattern) || !isObject(actual)) return actual
  const keys = Object.keys(pattern).filter((key) => actual[key] !== undefined)
  return Object.fromEntries(keys.map((key) => [key, restrict(actual[key], pattern[key])]))
}
