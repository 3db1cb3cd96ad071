/** Runs the real program, as a shell would. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '../..')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Long enough for the slowest machine; whoever reaches it hangs. */
const HANGS_MS = 60_000

export function decnet(
  args: readonly string[],
  options: { cwd?: string; env?: object } = {},
): Ended {
  const { status, stdout, stderr } = spawnSync(join(root, 'bin/decnet'), args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
    timeout: HANGS_MS,
  })
  return { code: status, stdout, stderr }
}

/** The same, while the caller goes on: several at once take hardly longer than one. */
export function decnetMeanwhile(
  args: readonly string[],
  options: { readonly env?: Record<string, string> } = {},
): Promise<Ended> {
  const env = { ...process.env, ...options.env }
  return new Promise((resolve) => {
    const all = { cwd: root, env, timeout: HANGS_MS }
    const child = execFile(join(root, 'bin/decnet'), args, all, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, stdout, stderr }),
    )
  })
}

export const scratchFolder = (): string => mkdtempSync(join(tmpdir(), 'decnet-cli-'))
