/** Writes what `decnet new` makes: all of it, or nothing. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { findComponent, type Section } from '../../engine/define.ts'
import { EngineError } from '../../engine/errors.ts'
import { installRoot } from '../install.ts'
import { registry } from '../registry.ts'
import { UsageError } from '../usage_error.ts'
import { componentTexts } from './component_text.ts'
import { pipelineText } from './pipeline_text.ts'
import { constantOf, withConformance, withRegistration } from './registration.ts'

const PIPELINE = /^[a-z][a-z0-9_-]{0,63}$/

/**
 * Writes a component, its test, and its lines on the lists; then the generated pages.
 * @returns the files, from the root of the checkout
 * @throws {UsageError} when there is such a component, or a file in the way
 * @throws {EngineError} `SCAFFOLD` outside a checkout, or where a list has changed its form
 */
export function newComponent(
  section: Section,
  type: string,
  options: { keyed: boolean },
): readonly string[] {
  if (findComponent(registry, section, type)) throw new UsageError(`There is a ${type} already.`)
  const name = { type, constant: constantOf(type, section) }
  const { component, test, conformance } = componentTexts(section, name, options)
  const own = new Map([
    [`${section}/${type}.ts`, component],
    [`test/${section}/${type}.test.ts`, test],
  ])
  for (const file of [...own.keys(), `${section}/${type}/index.ts`]) {
    if (existsSync(join(installRoot, file))) throw new UsageError(`${file} is there already.`)
  }
  const lists = new Map([
    ['cli/registry.ts', withRegistration(ownText('cli/registry.ts'), section, name)],
  ])
  if (conformance !== undefined) {
    const suite = 'test/conformance.test.ts'
    lists.set(suite, withConformance(ownText(suite), section, type, conformance))
  }
  for (const [file, text] of own) writeFileSync(join(installRoot, file), text, { flag: 'wx' })
  for (const [file, text] of lists) writeFileSync(join(installRoot, file), text)
  const files = [...own.keys(), ...lists.keys()]
  run(join('node_modules', '@biomejs', 'biome', 'bin', 'biome'), 'check', '--write', ...files)
  run(join('cli', 'main.ts'), 'docs', 'generate')
  return files
}

function ownText(file: string): string {
  try {
    return readFileSync(join(installRoot, file), 'utf8')
  } catch (cause) {
    throw new EngineError('SCAFFOLD', `this is no checkout: it has no ${file}`, { cause })
  }
}

/** Another start of Node: this one holds the registry as it was. */
function run(...args: string[]): void {
  const { status, stderr } = spawnSync(process.execPath, args, {
    cwd: installRoot,
    encoding: 'utf8',
  })
  if (status === 0) return
  throw new EngineError('SCAFFOLD', `written, but ${args.join(' ')} failed: ${stderr.slice(-2000)}`)
}

/**
 * @param folder with, or to get, a folder `pipelines`
 * @returns the file, from there
 * @throws {UsageError} when there is such a file, or the name will not do
 */
export function newPipeline(name: string, folder: string): string {
  if (!PIPELINE.test(name)) {
    throw new UsageError('A pipeline is called by lower-case letters, digits, "_" and "-".')
  }
  const pipelines = join(folder, 'pipelines')
  const file = join(pipelines, `${name}.yaml`)
  if (existsSync(file)) throw new UsageError(`${relative(folder, file)} is there already.`)
  mkdirSync(pipelines, { recursive: true })
  const schema = existsSync(join(pipelines, 'pipeline.schema.json'))
  writeFileSync(file, pipelineText(name, { schema }), { flag: 'wx' })
  return relative(folder, file)
}
