/** Checks a value of a pipeline file against its shape, and decodes it, defaults and all. */
import { quote } from '../../protocols/quote.ts'
import { KIND } from '../fields.ts'
import type { Span } from '../problem.ts'
import { suggestion } from './near_miss.ts'
import { below, itemOf, type Place, say } from './place.ts'
import { type Reading, shownTree, spanOfTree } from './reading.ts'
import { readScalar } from './scalar_check.ts'
import { AS_WRITTEN, asShape, choicesOf, describeShape, keysOf, type Shape } from './shape.ts'
import { type Entry, type List, type Mapping, plainValue, type Tree, treeOf } from './tree.ts'
import { readUnion } from './union_check.ts'

/**
 * Reports everything that is wrong with `tree`. Objects are closed.
 * @returns the value a component gets: durations in ms, sizes in bytes, CEL compiled, defaults
 *   filled in; where problems were reported it is incomplete
 */
export function readValue(tree: Tree, schema: Shape, place: Place, reading: Reading): unknown {
  const shape = asShape(schema)
  if (isAnything(shape)) return plainValue(tree, reading.decode === 'show')
  if ((shape.anyOf ?? shape.oneOf) !== undefined && choicesOf(shape) === undefined) {
    return readUnion(tree, shape, place, reading, readValue)
  }
  if (shape.type === 'object' && tree.kind === 'map') return readObject(tree, shape, place, reading)
  if (shape.type === 'array' && tree.kind === 'list') return readList(tree, shape, place, reading)
  const isContainer = shape.type === 'object' || shape.type === 'array'
  if (tree.kind === 'scalar' && !isContainer) return readScalar(tree, shape, place, reading)
  if (tree.kind === 'scalar' && tree.broken) return undefined
  reportKind(tree, shape, place, reading)
  return undefined
}

const isAnything = (shape: Shape): boolean =>
  shape.type === undefined &&
  shape.anyOf === undefined &&
  shape.oneOf === undefined &&
  choicesOf(shape) === undefined &&
  shape[KIND] === undefined

function reportKind(tree: Tree, shape: Shape, place: Place, { problems }: Reading): void {
  const message = `${say(place)} must be ${describeShape(shape)}, not ${shownTree(tree)}`
  const wantsList = shape.type === 'array' && tree.kind === 'scalar' && tree.value !== null
  const help = wantsList ? 'put [ ] around it to make it a list of one.' : shape.description
  problems.error('TYPE', spanOfTree(tree, place), message, { help })
}

function readObject(tree: Mapping, shape: Shape, place: Place, reading: Reading): unknown {
  const { properties = {}, required = [] } = shape
  const result: [string, unknown][] = []
  for (const entry of [...tree.entries.values(), ...tree.repeated]) {
    const own = Object.hasOwn(properties, entry.key) ? properties[entry.key] : undefined
    const inner = own ?? shapeOfExtraKey(entry.key, shape)
    if (inner === undefined) reportKey(entry, shape, place, reading)
    else {
      const value = readValue(entry.value, inner, below(place, entry.key, entry.keySpan), reading)
      result.push([entry.key, value])
    }
  }
  for (const [key, inner] of Object.entries(properties)) {
    if (tree.entries.has(key)) continue
    const { default: fallback } = asShape(inner)
    if (fallback !== undefined) result.push([key, readDefault(fallback, inner, place, reading)])
    else if (required.includes(key)) reportMissing(key, inner, place, reading)
  }
  checkCount(tree.entries.size, shape.minProperties, shape.maxProperties, tree, place, reading)
  if (shape[AS_WRITTEN]) return Object.fromEntries(result)
  // In the order of the schema, so that the same config always reads the same.
  const rank = new Map(Object.keys(properties).map((key, index) => [key, index]))
  const order = ([key]: [string, unknown]) => rank.get(key) ?? rank.size
  return Object.fromEntries(result.sort((one, other) => order(one) - order(other)))
}

/** The shape of a key that is not one of `properties`: a record's values all have one shape. */
function shapeOfExtraKey(key: string, shape: Shape): Shape | undefined {
  for (const [pattern, inner] of Object.entries(shape.patternProperties ?? {})) {
    if (new RegExp(pattern, 'u').test(key)) return inner
  }
  return typeof shape.additionalProperties === 'object' ? shape.additionalProperties : undefined
}

function readDefault(value: unknown, shape: Shape, place: Place, reading: Reading): unknown {
  const mark = reading.problems.mark()
  const result = readValue(treeOf(value), shape, place, reading)
  const [problem] = reading.problems.takeBack(mark)
  if (problem !== undefined)
    throw new Error(`a default does not fit its schema: ${problem.message}`)
  return result
}

function reportKey(entry: Entry, shape: Shape, place: Place, { problems }: Reading): void {
  const [pattern] = Object.keys(shape.patternProperties ?? {})
  if (pattern !== undefined) {
    const message = `${say(place)} has a key ${quote(entry.key)} that is not of the form ${pattern}`
    problems.error('PATTERN', entry.keySpan, message)
    return
  }
  const keys = keysOf(shape)
  const takes = keys.filter((key) => place.path !== '' || (key !== 'type' && key !== 'inputs'))
  const list = takes.length === 0 ? 'no keys' : takes.join(', ')
  const help = `${suggestion(entry.key, keys)}${place.path === '' ? (place.type ?? 'it') : 'it'} takes ${list}.`
  problems.error('UNKNOWN_KEY', entry.keySpan, `${say(place)} has no key ${quote(entry.key)}`, {
    help,
  })
}

function reportMissing(key: string, shape: Shape, place: Place, { problems }: Reading): void {
  const about = asShape(shape).description ?? describeShape(shape)
  problems.error('MISSING_KEY', place.anchor, `${say(place)} needs the key "${key}"`, {
    help: `${key}: ${about}`,
  })
}

function readList(tree: List, shape: Shape, place: Place, reading: Reading): unknown {
  const { items = {} } = shape
  checkCount(tree.items.length, shape.minItems, shape.maxItems, tree, place, reading)
  if (shape.uniqueItems === true) reportRepeats(tree, place, reading)
  return tree.items.map((item, index) => {
    const inner = isTuple(items) ? items[index] : items
    const span = firstLine(item, place)
    if (inner !== undefined) return readValue(item, inner, itemOf(place, index, span), reading)
    const message = `${say(place)} takes ${(items as readonly Shape[]).length} items`
    reading.problems.error('RANGE', span, message)
    return undefined
  })
}

const isTuple = (items: Shape | readonly Shape[]): items is readonly Shape[] => Array.isArray(items)

const firstLine = (item: Tree, place: Place): Span =>
  item.span.end > item.span.start ? item.span : place.anchor

function reportRepeats(tree: List, place: Place, { problems }: Reading): void {
  const seen = new Set<string>()
  for (const item of tree.items) {
    const text = JSON.stringify(plainValue(item, true))
    if (seen.has(text)) {
      problems.error('DUPLICATE_ITEM', firstLine(item, place), `${say(place)} has one item twice`)
    }
    seen.add(text)
  }
}

function checkCount(
  count: number,
  least = 0,
  most = Number.POSITIVE_INFINITY,
  tree: Tree,
  place: Place,
  { problems }: Reading,
): void {
  if (count >= least && count <= most) return
  const bound = count < least ? `at least ${least}` : `at most ${most}`
  const what = tree.kind === 'list' ? 'items' : 'keys'
  problems.error('RANGE', place.anchor, `${say(place)} must have ${bound} ${what}, not ${count}`)
}
