/** Starts the runs of `chaos` as processes of their own. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { ChaosOptions, ChildEnd } from '../engine/chaos.ts'
import { FAILPOINT_VARIABLE } from '../engine/failpoint.ts'
import type { ChaosTask } from './chaos_child.ts'

/** What all runs have in common. `databaseUrl` undefined: each has an SQLite file of its own. */
export type ChaosProcesses = Pick<
  ChaosTask,
  'pipeline' | 'captures' | 'batchSize' | 'checkpointEvery'
> & { readonly databaseUrl: string | undefined }

/** More of what a child says is of no use. */
const STDERR_MAX = 20_000
/** A run that takes longer hangs, ms. */
const HANGS = 30 * 60_000

/** @returns what `chaos` starts its runs with */
export function chaosProcesses({ databaseUrl, ...task }: ChaosProcesses): ChaosOptions['start'] {
  let first = true
  return (dir, failpoint) => {
    const empty = existsSync(join(dir, 'state')) ? 'keep' : first ? 'expect' : 'make'
    first = false
    const whole: ChaosTask = {
      ...task,
      dir,
      empty,
      databaseUrl: databaseUrl ?? `sqlite:${join(dir, 'rows.db')}`,
    }
    return runChild(whole, failpoint)
  }
}

function runChild(task: ChaosTask, failpoint: string | undefined): Promise<ChildEnd> {
  const script = join(import.meta.dirname, 'chaos_child.ts')
  const flags = ['--disable-warning=ExperimentalWarning', script]
  const { [FAILPOINT_VARIABLE]: _, ...env } = process.env
  const child = spawn(process.execPath, flags, {
    env: failpoint === undefined ? env : { ...env, [FAILPOINT_VARIABLE]: failpoint },
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: HANGS,
    killSignal: 'SIGABRT',
  })
  // Not among its arguments, which everybody on this machine can read: the URL holds a password.
  child.stdin.on('error', () => {
    // It has ended before it read all of it; how is told by its exit.
  })
  child.stdin.end(JSON.stringify(task))
  let stderr = ''
  child.stderr.on('data', (text: Buffer) => {
    stderr = `${stderr}${text}`.slice(-STDERR_MAX)
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stderr }))
  })
}
