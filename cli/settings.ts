/** Where settings come from: decnet.ini and the .env files become environment variables, once. */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { EngineError } from '../engine/errors.ts'
import { quote } from '../protocols/quote.ts'
import { installRoot } from './install.ts'

type Environment = Record<string, string | undefined>

export interface Settings {
  /** for each variable a file has set, that file */
  readonly origins: ReadonlyMap<string, string>
  /** one line each */
  readonly warnings: readonly string[]
}

const INI = '/etc/decnet/decnet.ini'
const LOCAL = '.env.local'
const SHARED = '.env'

/**
 * Sets variables that are not set: of `.env.local` (of the program, then of the working directory),
 * decnet.ini (`DECNET_CONFIG`), `.env` likewise. So under systemd, where `.env.local` is part of the
 * environment, the same wins as in a shell. Files that are not there cost a look each.
 * @param env is changed; a variable that is set to nothing counts as set
 * @throws {EngineError} `SETTINGS`, with file and line, on what cannot be read or is out of range
 */
export async function loadSettings(env: Environment, cwd = process.cwd()): Promise<Settings> {
  const origins = new Map<string, string>()
  const warnings: string[] = []
  const put = (name: string, value: string, origin: string) => {
    if (env[name] !== undefined) return
    env[name] = value
    origins.set(name, origin)
  }
  const folders = [...new Set([installRoot, cwd])]
  const named = (name: string) =>
    folders.map((folder) => join(folder, name)).filter((file) => mayBeRead(file, warnings))
  const environmentFiles = async (name: string) => {
    const files = named(name)
    if (files.length === 0) return
    const { parseEnvironmentFile } = await import('../protocols/environment_file.ts')
    for (const file of files) {
      // Within a unit what root keeps in it is part of the environment already.
      for (const [variable, value] of parseEnvironmentFile(readText(file, warnings) ?? '')) {
        // What is not ours, PATH or NODE_OPTIONS say, is not for a file to set.
        if (variable.startsWith('DECNET_')) put(variable, value, file)
      }
    }
  }
  await environmentFiles(LOCAL)
  const ini = env.DECNET_CONFIG || INI
  if (existsSync(ini)) {
    const text = readText(ini, warnings)
    const { iniVariables } = await import('./ini_variables.ts')
    const read = iniVariables(ini, text ?? '', env.DECNET_MODE)
    warnings.push(...read.warnings)
    for (const { name, value, line } of read.variables) put(name, value, `${ini}:${line}`)
  }
  await environmentFiles(SHARED)
  check(env, origins)
  return { origins, warnings }
}

/** @returns undefined, and a warning, where it is not for this user: other commands still work */
function readText(file: string, warnings: string[]): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code !== 'EACCES') {
      throw new EngineError('SETTINGS', `${file}: cannot be read (${code})`, { cause })
    }
    if (process.env.INVOCATION_ID === undefined)
      warnings.push(`${file} is passed over: not readable`)
    return undefined
  }
}

/** In a folder that others may write, somebody else's file must not tell us where to work. */
function mayBeRead(file: string, warnings: string[]): boolean {
  const status = statSync(file, { throwIfNoEntry: false })
  if (!status?.isFile()) return false
  if (status.uid === 0 || status.uid === process.geteuid?.()) return true
  warnings.push(`${file} is passed over: it belongs to somebody else`)
  return false
}

/** @throws {EngineError} `SETTINGS` naming the first variable that is out of range, and its file */
function check(env: Environment, origins: ReadonlyMap<string, string>): void {
  for (const name of PORTS) {
    const value = env[name]
    if (value === undefined || (/^\d{1,5}$/.test(value) && +value >= 1 && +value <= 65535)) continue
    throw wrong(name, value, 'a port, 1 to 65535', origins)
  }
  const mode = env.DECNET_MODE
  if (mode === undefined || ['agent', 'master'].includes(mode.toLowerCase())) return
  throw wrong('DECNET_MODE', mode, 'agent or master', origins)
}

const PORTS = [
  'DECNET_API_PORT',
  'DECNET_WEB_PORT',
  'DECNET_SWARM_SYSLOG_PORT',
  'DECNET_SWARMCTL_PORT',
]

function wrong(
  name: string,
  value: string,
  expected: string,
  origins: ReadonlyMap<string, string>,
): EngineError {
  const origin = origins.get(name)
  const where = origin === undefined ? '' : `${origin}: `
  return new EngineError('SETTINGS', `${where}${name} is ${quote(value)}; expected ${expected}`)
}
