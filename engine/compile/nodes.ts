/** Reads the sections of a pipeline file node by node. */
import { type Component, type Registry, SECTIONS, type Section } from '../define.ts'
import { EngineError } from '../errors.ts'
import type { Span } from '../problem.ts'
import { readValue } from './config_check.ts'
import { type GraphNode, readInputs } from './graph.ts'
import { nameOf } from './graph_check.ts'
import {
  inputsSchema,
  NODE_ID,
  type NodeConfig,
  nodeShape,
  RESERVED_IDS,
  splitConfig,
} from './node_shape.ts'
import { readType, withNullAsName } from './node_type.ts'
import type { Place } from './place.ts'
import { printable } from './printable.ts'
import type { Reading } from './reading.ts'
import { asShape } from './shape.ts'
import { type Entry, isSound, type Mapping, type Tree } from './tree.ts'

/** Each node has its own metrics, state and task: a pipeline with more is several pipelines. */
const MOST_NODES = 1000

/** The nodes of all sections in file order, wrong ones included. */
export function readNodes(root: Mapping, registry: Registry, reading: Reading): GraphNode[] {
  const entries = SECTIONS.flatMap((section) =>
    sectionEntries(root, section, reading).map((entry) => ({ section, entry })),
  )
  const last = entries[MOST_NODES]
  if (last !== undefined) {
    const message = `the pipeline has over ${MOST_NODES} nodes`
    reading.problems.error('TOO_LARGE', last.entry.keySpan, message)
  }
  return entries
    .slice(0, MOST_NODES)
    .map(({ section, entry }) => readNode(section, entry, registry, reading))
}

function sectionEntries(root: Mapping, section: Section, { problems }: Reading): readonly Entry[] {
  const found = root.entries.get(section)
  const code = section === 'sources' ? 'NO_SOURCES' : section === 'sinks' ? 'NO_SINKS' : undefined
  const value = found?.value
  if (value?.kind === 'map') {
    const entries = [...value.entries.values(), ...value.repeated]
    if (entries.length > 0 || code === undefined) return entries
  } else if (found !== undefined && !isEmpty(value)) {
    const message = `"${section}" must be a mapping of node ids to nodes`
    problems.error('TYPE', found.keySpan, message)
    return []
  }
  if (code === undefined) return []
  problems.error(code, found?.keySpan ?? startOf(root), `the pipeline has no ${section}`, {
    help: section === 'sources' ? 'say where events come from.' : 'say where events go.',
  })
  return []
}

/** Where to say that the file lacks something: at its first key. */
export const startOf = ({ entries, span }: Mapping): Span =>
  [...entries.values()][0]?.keySpan ?? { start: span.start, end: span.start }

const isEmpty = (tree: Tree | undefined): boolean => tree?.kind === 'scalar' && tree.value === null

function readNode(
  section: Section,
  { key: id, keySpan: span, value: written }: Entry,
  registry: Registry,
  reading: Reading,
): GraphNode {
  const { problems } = reading
  const node = { id, section, span }
  checkId(node, reading)
  const place: Place = { owner: nameOf(node), path: '', anchor: span }
  const nothing = {
    ...node,
    component: undefined,
    read: undefined,
    values: undefined,
    inputs: [],
    outputs: undefined,
  }
  if (written.kind !== 'map') {
    const message = `${nameOf(node)} must be a mapping with a type`
    problems.error('TYPE', span, message, { help: `write ${id}: { type: … }.` })
    return nothing
  }
  const value = withNullAsName(written)
  const inputs = section === 'sources' ? [] : readInputs(value.entries.get('inputs')?.value)
  const component = readType(value, section, registry, place, reading)
  if (component === undefined) {
    checkInputsAlone(value, section, place, reading)
    return { ...nothing, inputs }
  }
  const values = readKeys(value, component, { ...place, type: component.type }, reading)
  const read = values === undefined ? undefined : splitConfig(component, values)
  const outputs = outputsOf(component, read, place, reading)
  const wakes =
    component.section === 'sources' && component.wakes
      ? readInputs(value.entries.get('wake')?.value)
      : []
  return { ...node, component, read, values, inputs, wakes, outputs }
}

function checkId(
  { id, span, section }: Pick<GraphNode, 'id' | 'span' | 'section'>,
  reading: Reading,
) {
  const { problems } = reading
  if (!new RegExp(NODE_ID).test(id)) {
    problems.error('BAD_ID', span, `${nameOf({ id, section })} has no valid id`, {
      help: 'an id is a lower-case letter, then up to 62 lower-case letters, digits and "_".',
    })
  } else if (RESERVED_IDS.has(id)) {
    problems.error('BAD_ID', span, `no node may be called "${id}"`, {
      help: `it is the name of ${RESERVED_IDS.get(id)}.`,
    })
  }
}

/** A node of an unknown type still has inputs to check. */
function checkInputsAlone(value: Mapping, section: Section, place: Place, reading: Reading): void {
  const inputs = value.entries.get('inputs')
  if (section === 'sources' || inputs === undefined) return
  readValue(
    inputs.value,
    asShape(inputsSchema),
    { ...place, path: 'inputs', anchor: inputs.keySpan },
    reading,
  )
}

/** @returns undefined where anything in the node is wrong */
function readKeys(
  value: Mapping,
  component: Component,
  place: Place,
  reading: Reading,
): Record<string, unknown> | undefined {
  const mark = reading.problems.mark()
  const values = readValue(value, nodeShape(component), place, reading)
  const right = reading.problems.mark() === mark && isSound(value)
  return right ? (values as Record<string, unknown>) : undefined
}

function outputsOf(
  component: Component,
  read: NodeConfig | undefined,
  place: Place,
  { problems, decode }: Reading,
): readonly string[] | undefined {
  if (component.section === 'sinks') return []
  const several = component.section === 'operators' ? component.outputs : undefined
  if (several === undefined && component.check === undefined) return ['']
  if (read === undefined || decode === 'show') return undefined
  try {
    component.check?.(read.config)
    const outputs = several?.(read.config) ?? ['']
    if (!outputs.includes('errors')) return outputs
    problems.error('ERROR_PORT', place.anchor, `${place.owner} calls an output "errors"`, {
      help: "it is the name of every node's error port: rename the output.",
    })
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
    problems.error(error.code, place.anchor, `${place.owner}: ${printable(error.message)}`)
  }
  return undefined
}
