/** Where this copy of the program lives, and which version it is. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const installRoot = join(import.meta.dirname, '..')

/** @returns `version` of package.json */
export function installedVersion(): string {
  const text = readFileSync(join(installRoot, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
