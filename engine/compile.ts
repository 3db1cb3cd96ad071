/** From the text of a pipeline file to a plan, or to everything that is wrong with it. */
import { readValue } from './compile/config_check.ts'
import { INTERPOLATED_CHARACTERS, type Surroundings } from './compile/interpolate.ts'
import { type NodeConfig, nodeShape, splitConfig } from './compile/node_shape.ts'
import type { Place } from './compile/place.ts'
import { readPlan, readUnitParts, showRoot, type UnitParts } from './compile/read_plan.ts'
import type { Reading } from './compile/reading.ts'
import { openSecrets, type SecretStore } from './compile/secrets.ts'
import { Problems } from './compile/source_text.ts'
import { treeOf } from './compile/tree.ts'
import { readYaml } from './compile/yaml_document.ts'
import type { Component, Registry } from './define.ts'
import { EngineError } from './errors.ts'
import type { Plan } from './plan.ts'
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

export interface CompiledUnit {
  /** undefined where there is an error in what makes the unit */
  readonly parts: UnitParts | undefined
  /** names of the secrets the pipeline refers to, sorted */
  readonly secrets: readonly string[]
  readonly problems: readonly Problem[]
}

/**
 * Reads of a pipeline file what its systemd unit is made of. Variables and secrets of its nodes need
 * not be there: the unit checks the whole file before each start.
 * @param file name of the file, for the problems
 */
export function compileUnit(text: string, file: string, env: CompileOptions['env']): CompiledUnit {
  const problems = new Problems(file, text.startsWith('\ufeff') ? text.slice(1) : text)
  const names = new Set<string>()
  const secrets: SecretStore = {
    known: new Map(),
    read(name) {
      names.add(name)
      return { value: name }
    },
    wayOut: () => '',
  }
  const surroundings = { env, secrets, budget: { characters: INTERPOLATED_CHARACTERS } }
  const root = readYaml(problems, surroundings, ['tests'])
  const parts = root && readUnitParts(root, { problems, decode: 'run' })
  return { parts, secrets: [...names].sort(), problems: parts ? [] : problems.sorted() }
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
  const read = splitConfig(component, values as Record<string, unknown>)
  if (component.section !== 'sinks') component.check?.(read.config)
  return read
}
