/** From the sections of decnet.ini to environment variables. */
import { EngineError } from '../engine/errors.ts'
import { type IniEntry, IniError, parseIni } from '../protocols/ini.ts'
import { quote } from '../protocols/quote.ts'
import { isForIni, VARIABLES } from './known_variables.ts'

interface IniVariable {
  readonly name: string
  readonly value: string
  readonly line: number
}

export interface IniVariables {
  /** in order of precedence: the first of a name holds */
  readonly variables: readonly IniVariable[]
  readonly warnings: readonly string[]
}

const DOMAINS = new Map(
  Object.entries(VARIABLES).flatMap(([name, { ini }]) => (ini ? [[ini, name] as const] : [])),
)
const DOMAIN_SECTIONS = new Set([...DOMAINS.keys()].map((key) => key.split(' ')[0] ?? ''))

/**
 * @param mode `DECNET_MODE` of the environment, which chooses the role section; else `[decnet] mode`
 * @throws {EngineError} `SETTINGS`: one line with file and line number
 */
export function iniVariables(file: string, text: string, mode: string | undefined): IniVariables {
  const entries = read(file, text)
  const own = entries.find(({ section, key }) => section === 'decnet' && key === 'mode')
  const role = (mode ?? own?.value ?? 'master').toLowerCase()
  if (role !== 'agent' && role !== 'master') {
    const where = mode === undefined && own ? `${file}:${own.line}: ` : ''
    throw new EngineError('SETTINGS', `${where}mode is ${quote(role)}; expected agent or master`)
  }
  const warnings: string[] = []
  const translated = (section: string): IniVariable[] =>
    entries
      .filter((entry) => entry.section === section)
      .flatMap((entry) => {
        const name = `DECNET_${entry.key.toUpperCase().replaceAll('-', '_')}`
        const known = /^[A-Z0-9_]+$/.test(name)
        if (known && isForIni(name)) return [{ name, value: entry.value, line: entry.line }]
        const why = known
          ? 'does not belong in this file: set it in the environment or .env.local'
          : 'is no name of a setting'
        warnings.push(`${file}:${entry.line}: [${section}] ${quote(entry.key)} ${why}; ignored`)
        return []
      })
  const domains = entries.flatMap((entry) => {
    if (!DOMAIN_SECTIONS.has(entry.section)) return []
    const name = DOMAINS.get(`${entry.section} ${entry.key}`)
    if (name !== undefined) return [{ name, value: entry.value, line: entry.line }]
    const place = `${file}:${entry.line}: [${entry.section}]`
    warnings.push(`${place} has no key ${quote(entry.key)}; ignored`)
    return []
  })
  return { variables: [...translated('decnet'), ...translated(role), ...domains], warnings }
}

function read(file: string, text: string): IniEntry[] {
  try {
    return parseIni(text)
  } catch (error) {
    if (!(error instanceof IniError)) throw error
    throw new EngineError('SETTINGS', `${file}:${error.line}: ${error.message}`, { cause: error })
  }
}
