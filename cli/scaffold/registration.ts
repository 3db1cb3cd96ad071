/** Puts a new component on the two lists that know them all. */
import type { Section } from '../../engine/define.ts'
import { EngineError } from '../../engine/errors.ts'
import type { ComponentName } from './component_text.ts'

/** What sets apart two components of one name: `bus` is a source and a sink. */
const SUFFIX: Readonly<Record<Section, string>> = {
  sources: 'Source',
  operators: 'Operator',
  sinks: 'Sink',
}

/** Names of ours that read `import { window }` well, and names that JavaScript keeps for itself. */
const RESERVED: ReadonlySet<string> = new Set(
  `arguments await break case catch class const continue debugger default delete do else enum eval
  export extends false finally for function if implements import in instanceof interface let new
  null package private protected public return static super switch this throw true try typeof
  undefined var void while with yield`.split(/\s+/),
)

/** `login_burst` → `loginBurst`; `null` → `nullSink` */
export function constantOf(type: string, section: Section): string {
  const camel = type.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
  const name = camel.replace(/_+$/, '')
  return RESERVED.has(name) ? name + SUFFIX[section] : name
}

const IMPORT = /^import \{ (?:type )?(\w+)(?: as (\w+))? \} from '\.\.\/(\w+)\/[\w/]+\.ts'$/

/**
 * @param text of cli/registry.ts
 * @returns the same with an import and an entry more, the entry after the last of its section
 * @throws {EngineError} `SCAFFOLD` where the file is not of the form it had
 */
export function withRegistration(text: string, section: Section, name: ComponentName): string {
  const lines = text.split('\n')
  const imports = lines.flatMap((line, index) => {
    const [, exported, local = exported, folder] = IMPORT.exec(line) ?? []
    return folder === section ? [{ index, local }] : []
  })
  const taken = lines.some((line) => {
    const [, exported, local = exported] = IMPORT.exec(line) ?? []
    return local === name.constant
  })
  const local = taken ? name.constant + SUFFIX[section] : name.constant
  const locals = new Set(imports.map((one) => one.local))
  const lastImport = imports.at(-1)?.index
  const lastEntry = lines.findLastIndex((line) => locals.has(/^ {2}(\w+),$/.exec(line)?.[1]))
  if (lastImport === undefined || lastEntry < 0) throw unknownForm('cli/registry.ts')
  const alias = local === name.constant ? local : `${name.constant} as ${local}`
  const added = `import { ${alias} } from '../${section}/${name.type}.ts'`
  return [
    ...lines.slice(0, lastImport + 1),
    added,
    ...lines.slice(lastImport + 1, lastEntry + 1),
    `  ${local},`,
    ...lines.slice(lastEntry + 1),
  ].join('\n')
}

/**
 * @param text of test/conformance.test.ts
 * @param config code that makes the config the suite tries the component with
 * @throws {EngineError} `SCAFFOLD` where the file is not of the form it had
 */
export function withConformance(
  text: string,
  section: Section,
  type: string,
  config: string,
): string {
  const lines = text.split('\n')
  const last = lines.findLastIndex((line) => line.startsWith(`  '${section}/`))
  if (last < 0) throw unknownForm('test/conformance.test.ts')
  return lines.toSpliced(last + 1, 0, `  '${section}/${type}': () => ${config},`).join('\n')
}

const unknownForm = (file: string): EngineError =>
  new EngineError('SCAFFOLD', `${file} is not of the form it had: add the component by hand`)
