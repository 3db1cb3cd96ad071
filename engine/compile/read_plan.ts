/** From the tree of a pipeline file to a plan. */
import { basename } from 'node:path'
import type { Static, TSchema } from 'typebox'
import { type Registry, SECTIONS } from '../define.ts'
import type { Plan, PlanNode } from '../plan.ts'
import { readValue } from './config_check.ts'
import { inFlowOrder } from './cycle.ts'
import type { GraphNode } from './graph.ts'
import { checkGraph } from './graph_check.ts'
import { readNodes, startOf } from './nodes.ts'
import { BLOCKS, topLevelSchema } from './pipeline_shape.ts'
import { checkTests } from './pipeline_tests_block.ts'
import type { Place } from './place.ts'
import { toPlanTests } from './plan_tests.ts'
import { pathPromises, warnOfLoss } from './promises.ts'
import type { Reading } from './reading.ts'
import { checkSettings, toSettings, warnOfThreads } from './settings.ts'
import { asShape } from './shape.ts'
import { warnOfSharedInput } from './shared_input.ts'
import type { Problems } from './source_text.ts'
import { isSound, type Mapping, treeOf } from './tree.ts'
import { checkUnit, type Unit } from './unit.ts'
import { warnOfUnrecorded } from './unrecorded.ts'

/** @returns undefined where errors were reported */
export function readPlan(
  root: Mapping,
  file: string,
  registry: Registry,
  reading: Reading,
): Plan | undefined {
  const { problems } = reading
  const top: Place = { owner: '', path: '', anchor: startOf(root) }
  const head = readValue(root, asShape(topLevelSchema), top, reading) as Record<string, unknown>
  if (typeof head.name === 'string') checkName(root, file, problems)
  const block = <T extends TSchema>(key: keyof typeof BLOCKS, schema: T) =>
    readBlock(root, key, schema, reading)
  const decoded = block('settings', BLOCKS.settings)
  const settings = decoded === undefined ? undefined : toSettings(decoded)
  const settingsEntry = root.entries.get('settings')
  if (settings !== undefined && settingsEntry !== undefined) {
    checkSettings(settings, settingsEntry, problems)
  }
  const unit = block('unit', BLOCKS.unit)
  const unitEntry = root.entries.get('unit')
  if (unit !== undefined && unitEntry !== undefined) checkUnit(unit, settings, unitEntry, problems)
  const tests = block('tests', BLOCKS.tests)
  const nodes = readNodes(root, registry, reading)
  const byId = checkGraph(nodes, problems)
  const testsTree = root.entries.get('tests')?.value
  checkTests(testsTree, byId, problems)
  for (const node of nodes) warnOfLoss(node, nodes, problems)
  warnOfUnrecorded(byId, problems)
  warnOfSharedInput(byId, problems)
  if (problems.hasErrors || settings === undefined) return undefined
  const planNodes = inFlowOrder(nodes).map(toPlanNode)
  warnOfThreads(settings, settingsEntry, planNodes, problems)
  return {
    name: head.name as string,
    description: head.description as string,
    file,
    nodes: planNodes,
    settings,
    unit,
    tests: toPlanTests(tests ?? [], testsTree, problems),
    promises: pathPromises(planNodes),
  }
}

/** What of a pipeline its systemd unit is made of. */
export interface UnitParts {
  readonly name: string
  readonly description: string
  /** undefined where the file has no such block */
  readonly unit: Unit | undefined
  /** ms */
  readonly shutdownTimeout: number
}

/** Reads the blocks that make a unit, and nothing else: what nodes need may be missing yet. */
export function readUnitParts(root: Mapping, reading: Reading): UnitParts | undefined {
  const { problems } = reading
  const top: Place = { owner: '', path: '', anchor: startOf(root) }
  const mark = problems.mark()
  const head = readValue(root, asShape(topLevelSchema), top, reading) as Record<string, unknown>
  const settings = readBlock(root, 'settings', BLOCKS.settings, reading)
  const unit = readBlock(root, 'unit', BLOCKS.unit, reading)
  const entry = root.entries.get('unit')
  if (unit !== undefined && entry !== undefined && settings !== undefined) {
    checkUnit(unit, toSettings(settings), entry, problems)
  }
  if (problems.mark() !== mark || settings === undefined) return undefined
  if (entry !== undefined && unit === undefined) return undefined
  if (typeof head.name !== 'string' || typeof head.description !== 'string') return undefined
  const { name, description } = head
  return { name, description, unit, shutdownTimeout: settings.shutdown_timeout }
}

/** @returns the decoded block, its defaults where it is absent, or undefined where it is wrong */
function readBlock<T extends TSchema>(
  root: Mapping,
  key: keyof typeof BLOCKS,
  schema: T,
  reading: Reading,
): Static<T> | undefined {
  const shape = asShape(schema)
  const entry = root.entries.get(key)
  const tree = entry?.value ?? (shape.default === undefined ? undefined : treeOf(shape.default))
  if (tree === undefined) return undefined
  const place: Place = { owner: '', path: key, anchor: entry?.keySpan ?? startOf(root) }
  const mark = reading.problems.mark()
  const value = readValue(tree, shape, place, reading)
  const right = reading.problems.mark() === mark && isSound(tree)
  return right ? (value as Static<T>) : undefined
}

/** A unit is called after its file and shows the name of its pipeline: two names would confuse. */
function checkName(root: Mapping, file: string, problems: Problems): void {
  const name = root.entries.get('name')?.value
  const expected = /^(.+)\.ya?ml$/.exec(basename(file))?.[1]
  if (name?.kind !== 'scalar' || expected === undefined || name.broken) return
  if (typeof name.value !== 'string' || name.value === expected) return
  const message = 'the name of the pipeline is not that of its file'
  const help = 'outputs and state go by the name, the unit by the file: make them the same.'
  problems.warning('NAME_MISMATCH', name.span, message, { help })
}

function toPlanNode({ id, component, read, inputs, wakes = [] }: GraphNode): PlanNode {
  if (component === undefined || read === undefined) throw new Error('a checked node has a config')
  const { config, keyed, journal } = read
  if (component.section === 'sources') {
    const wake = wakes.map(({ from, port }) => ({ from, port }))
    const more = { ...(journal && { journal }), ...(wake.length > 0 && { wake }) }
    return { id, section: 'sources', component, config, ...more }
  }
  const edges = inputs.map(({ from, port, policy, capacity }) => ({ from, port, policy, capacity }))
  if (component.section === 'sinks') {
    return { id, section: 'sinks', component, config, inputs: edges }
  }
  const plain = { id, section: component.section, component, config, inputs: edges }
  return keyed === undefined ? plain : { ...plain, keyed }
}

/** The decoded file as plain values; it has to have been found without errors. */
export function showRoot(
  root: Mapping,
  registry: Registry,
  reading: Reading,
): Record<string, unknown> {
  const place: Place = { owner: '', path: '', anchor: startOf(root) }
  const head = readValue(root, asShape(topLevelSchema), place, reading) as Record<string, unknown>
  const shown: Record<string, unknown> = { name: head.name, description: head.description }
  const nodes = readNodes(root, registry, reading)
  for (const section of SECTIONS) {
    const own = nodes.filter((node) => node.section === section)
    if (own.length === 0) continue
    shown[section] = Object.fromEntries(own.map((node) => [node.id, node.values]))
  }
  for (const [key, schema] of Object.entries(BLOCKS)) {
    const block = readBlock(root, key as keyof typeof BLOCKS, schema, reading)
    if (block !== undefined) shown[key] = block
  }
  return shown
}
