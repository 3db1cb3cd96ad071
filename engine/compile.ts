/** From the text of a pipeline file to a plan, or to everything that is wrong with it. */
import { basename } from 'node:path'
import type { Static, TSchema } from 'typebox'
import { readValue } from './compile/config_check.ts'
import { inFlowOrder } from './compile/cycle.ts'
import type { GraphNode } from './compile/graph.ts'
import { checkGraph } from './compile/graph_check.ts'
import { INTERPOLATED_CHARACTERS, type Surroundings } from './compile/interpolate.ts'
import { type NodeConfig, nodeShape, splitConfig } from './compile/node_shape.ts'
import { readNodes, startOf } from './compile/nodes.ts'
import { BLOCKS, topLevelSchema } from './compile/pipeline_shape.ts'
import { checkTests, toPlanTests } from './compile/pipeline_tests_block.ts'
import type { Place } from './compile/place.ts'
import { pathPromises, warnOfLoss } from './compile/promises.ts'
import type { Reading } from './compile/scalar_check.ts'
import { openSecrets } from './compile/secrets.ts'
import { checkSettings, toSettings } from './compile/settings.ts'
import { asShape } from './compile/shape.ts'
import { Problems } from './compile/source_text.ts'
import { type Mapping, treeOf } from './compile/tree.ts'
import { readYaml } from './compile/yaml_document.ts'
import { type Component, type Registry, SECTIONS } from './define.ts'
import { EngineError } from './errors.ts'
import type { Plan, PlanNode } from './plan.ts'
import type { Problem } from './problem.ts'

export { redact } from './compile/secrets.ts'

export interface CompileOptions {
  readonly registry: Registry
  /** what `${VAR}` is looked up in */
  readonly env: Readonly<Record<string, string | undefined>>
  /** where `${secret:name}` is looked for after `$CREDENTIALS_DIRECTORY`; `$DECNET_SECRETS_DIR` */
  readonly secretsDir?: string
}

export interface Compiled {
  /** undefined where there is an error */
  readonly plan: Plan | undefined
  /** errors and warnings by position, all of them */
  readonly problems: readonly Problem[]
  /** secrets that were read, value by name: for `redact` */
  readonly secrets: ReadonlyMap<string, string>
}

/**
 * Reads one pipeline file. Whatever the text is, it returns; what is wrong is in `problems`.
 * @param file name of the file, for the problems
 */
export function compilePipeline(text: string, file: string, options: CompileOptions): Compiled {
  const { surroundings, problems, reading } = begin(text, file, options, 'run')
  const root = readYaml(problems, surroundings, ['tests'])
  const plan = root === undefined ? undefined : readPlan(root, file, options.registry, reading)
  return {
    plan: problems.hasErrors ? undefined : plan,
    problems: problems.sorted(),
    secrets: surroundings.secrets.known,
  }
}

/**
 * The pipeline as the engine understands it: variables replaced, defaults filled in, secrets left
 * as `${secret:name}`. It compiles to the same plan as the file.
 * @returns `pipeline` is undefined where there is an error
 */
export function resolvedPipeline(
  text: string,
  file: string,
  options: CompileOptions,
): { pipeline: Record<string, unknown> | undefined; problems: readonly Problem[] } {
  const { plan, problems } = compilePipeline(text, file, options)
  if (plan === undefined) return { pipeline: undefined, problems }
  const again = begin(text, file, options, 'show')
  const root = readYaml(again.problems, again.surroundings, ['tests'])
  if (root === undefined) throw new Error('a file that compiled has to be readable')
  return { pipeline: showRoot(root, options.registry, again.reading), problems }
}

function begin(text: string, file: string, options: CompileOptions, decode: Reading['decode']) {
  // A byte order mark is no part of the first line.
  const problems = new Problems(file, text.startsWith('\ufeff') ? text.slice(1) : text)
  const surroundings: Surroundings = {
    env: options.env,
    secrets: openSecrets(options.env, options.secretsDir),
    budget: { characters: INTERPOLATED_CHARACTERS },
  }
  return { problems, surroundings, reading: { problems, decode } satisfies Reading }
}

function readPlan(
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
  const tests = block('tests', BLOCKS.tests)
  const nodes = readNodes(root, registry, reading)
  const byId = checkGraph(nodes, problems)
  const testsTree = root.entries.get('tests')?.value
  checkTests(testsTree, byId, problems)
  for (const node of nodes) warnOfLoss(node, problems)
  if (problems.hasErrors || settings === undefined) return undefined
  const planNodes = inFlowOrder(nodes).map(toPlanNode)
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
  return reading.problems.mark() === mark ? (value as Static<T>) : undefined
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

function toPlanNode({ id, component, read, inputs }: GraphNode): PlanNode {
  if (component === undefined || read === undefined) throw new Error('a checked node has a config')
  const { config, keyed } = read
  if (component.section === 'sources') return { id, section: 'sources', component, config }
  const edges = inputs.map(({ from, port, policy, capacity }) => ({ from, port, policy, capacity }))
  if (component.section === 'sinks') {
    return { id, section: 'sinks', component, config, inputs: edges }
  }
  const plain = { id, section: component.section, component, config, inputs: edges }
  return keyed === undefined ? plain : { ...plain, keyed }
}

function showRoot(root: Mapping, registry: Registry, reading: Reading): Record<string, unknown> {
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

/**
 * Decodes the config of one node that stands in no file, e.g. in a test: durations to ms, CEL to
 * expressions, defaults filled in. No variables are looked up.
 * @param raw plain values as YAML has them; `type` and `inputs` may be there, and for keyed
 *   operators `max_keys` and `ttl`
 * @throws {EngineError} `CONFIG` with everything that is wrong
 */
export function compileNode(component: Component, raw: unknown): Record<string, unknown> {
  return compileKeyedNode(component, raw).config
}

/** As `compileNode`, with the bounds of keyed state beside the config. */
export function compileKeyedNode(component: Component, raw: unknown): NodeConfig {
  const problems = new Problems('', '')
  const inputs = component.section === 'sources' ? {} : { inputs: ['input'] }
  const given = raw === undefined || raw === null ? {} : raw
  const tree = treeOf(
    Array.isArray(given) || typeof given !== 'object'
      ? given
      : { type: component.type, ...inputs, ...given },
  )
  const owner = `${component.section.slice(0, -1)} ${component.type}`
  const place: Place = { owner, path: '', anchor: { start: 0, end: 0 }, type: component.type }
  const values = readValue(tree, nodeShape(component), place, { problems, decode: 'run' })
  if (problems.hasErrors) {
    const messages = problems.sorted().map(({ code, message }) => `${code}: ${message}`)
    throw new EngineError('CONFIG', messages.join('; '))
  }
  return splitConfig(component, values as Record<string, unknown>)
}
