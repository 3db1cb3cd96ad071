/** The host's users and groups, as its files name them. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** @returns the numeric id, or undefined where /etc/passwd or /etc/group has no such name */
export function accountId(
  kind: 'passwd' | 'group',
  name: string,
  prefix: string,
): number | undefined {
  const file = join(prefix || '/', 'etc', kind)
  if (!existsSync(file)) return undefined
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((one) => one.startsWith(`${name}:`))
  const id = line?.split(':')[2]
  return id !== undefined && /^\d{1,10}$/.test(id) ? Number(id) : undefined
}
