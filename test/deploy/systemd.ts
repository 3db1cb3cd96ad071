/** systemd's own judgement of units. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Whether units can be judged here; says so where they cannot.
 * @throws {Error} on CI, where missing tools must not pass for a test that ran
 */
export function hasSystemdTools(): boolean {
  const found = ['systemd-analyze', 'systemd-notify'].every((tool) =>
    existsSync(`/usr/bin/${tool}`),
  )
  if (found) return true
  if (process.env.CI === 'true') throw new Error('systemd-analyze is missing: apt install systemd')
  process.stderr.write('tests of units are skipped: systemd is not installed\n')
  return false
}

const analyze = (args: readonly string[]) =>
  spawnSync('systemd-analyze', args, { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C' } })

/** Writes units beside one another, with a launcher that is there. */
export function writeUnits(units: ReadonlyMap<string, string>, runtimeDir: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'decnet-units-'))
  mkdirSync(join(folder, 'bin'))
  writeFileSync(join(folder, 'bin/decnet'), '#!/bin/sh\n', { mode: 0o755 })
  for (const [name, text] of units) {
    writeFileSync(join(folder, name), text.replaceAll(`${runtimeDir}/bin/`, `${folder}/bin/`))
  }
  return folder
}

/** @returns what `systemd-analyze verify` has to say, '' where all is well */
export const verify = (folder: string, names: readonly string[]): string => {
  const { status, stdout, stderr } = analyze([
    'verify',
    '--man=no',
    ...names.map((name) => join(folder, name)),
  ])
  return `${stdout}${stderr}${status === 0 ? '' : `exit code ${status}`}`.trim()
}

/** @returns the exposure level, 0 (safe) to 10 */
export function exposure(folder: string, name: string): number {
  const { stdout, stderr } = analyze([
    'security',
    '--offline=true',
    '--no-pager',
    join(folder, name),
  ])
  const [, level] = /exposure level for .*: ([0-9.]+) /.exec(stdout) ?? []
  if (level === undefined) throw new Error(`no exposure level: ${stdout}${stderr}`)
  return Number(level)
}
