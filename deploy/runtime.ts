/** Where the launcher of the installed program is. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DeployError } from './deploy_error.ts'

interface RuntimeOptions {
  /** asked for by name: the only candidate */
  readonly given: string | undefined
  readonly installDir: string
  readonly virtualEnv: string | undefined
}

const FOLDERS = ['venv', '.venv', '.311', '.312', '.313', '']

/**
 * @returns the first directory that holds `bin/decnet`: the one that was given, else `$VIRTUAL_ENV`
 *   where it is inside the install directory (a home must never end up in a unit of root's), else one
 *   of the install directory's own, else that itself
 * @throws {DeployError} `HOST` with all that were searched
 */
export function findRuntime({ given, installDir, virtualEnv }: RuntimeOptions): string {
  const inside = virtualEnv?.startsWith(`${installDir}/`) ? [virtualEnv] : []
  const own = FOLDERS.map((folder) => (folder === '' ? installDir : join(installDir, folder)))
  const candidates = given === undefined ? [...inside, ...own] : [given]
  const found = candidates.find((directory) => existsSync(join(directory, 'bin/decnet')))
  if (found !== undefined) return found
  throw new DeployError('HOST', `no bin/decnet in ${candidates.join(', ')}`)
}
