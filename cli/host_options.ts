/** What `init`, `deinit` and `pipeline unit` take alike. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { DeployError } from '../deploy/deploy_error.ts'

export const DEFAULT_ACCOUNT = 'decnet'
export const DEFAULT_INSTALL_DIR = '/opt/decnet'

/** Time a program of the host may take, ms: starting a target waits for every unit. */
export const HOST_COMMAND_MS = 180_000

/**
 * @param prefix a directory that stands for `/`: then no right over the host is needed
 * @throws {DeployError} `HOST` unless root runs this
 */
export function checkRoot(prefix: string): void {
  if (prefix !== '' || process.geteuid?.() === 0) return
  throw new DeployError('HOST', 'only root may change the host: run it with sudo')
}

/** @throws {DeployError} `HOST` with the programs that are not on the PATH */
export function checkTools(tools: readonly string[]): void {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const missing = tools.filter((tool) => !folders.some((folder) => existsSync(join(folder, tool))))
  if (missing.length === 0) return
  throw new DeployError('HOST', `not on the PATH: ${missing.join(', ')}`)
}
