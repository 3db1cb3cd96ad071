/** Chaos with a pipeline of stand-ins: captures for it, and the processes that are killed. */
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ChaosReport, type ChildEnd, chaos } from '../../engine/chaos.ts'
import type { Bug, Shape, Task } from './chaos_child.ts'

/** Where bin/decnet keeps compiled modules: starting the processes is most of what this takes. */
const COMPILED = join(import.meta.dirname, '../../node_modules/.decnet-compiled')

const captureOf = (workDir: string, source: string) => join(workDir, `${source}.txt`)

/** Writes what `chaosWith` reads. */
export function writeCaptures(workDir: string): void {
  writeCapture(captureOf(workDir, 'lines'), (n) => 1000 + n)
  // Beside the other: now one line at a time from each, now many from one.
  writeCapture(captureOf(workDir, 'other'), (n) => 1000 + n + 7 * (n % 20))
}

/** Windows of 10 ms that stay open over several batches of 4, and lines that are none. */
function writeCapture(file: string, timeOf: (n: number) => number): void {
  const lines = Array.from(
    { length: 160 },
    (_, n) => `${timeOf(n)} ${n % 37 ? `k${n % 3}` : 'bad'}`,
  )
  writeFileSync(file, `${lines.join('\n')}\n`)
}

function start(task: Task, failpoint: string | undefined): Promise<ChildEnd> {
  const script = join(import.meta.dirname, 'chaos_child.ts')
  const { NODE_OPTIONS: _, ...env } = process.env
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', script], {
    env: { ...env, DECNET_FAILPOINT: failpoint ?? '', NODE_COMPILE_CACHE: COMPILED },
  })
  child.stdin.end(JSON.stringify(task))
  let stderr = ''
  child.stderr.on('data', (text) => {
    stderr += text
  })
  return new Promise((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, stderr }))
  })
}

/** @param workDir a folder with nothing in it but captures */
export function chaosWith(
  workDir: string,
  bug: Bug,
  kills: number,
  shape: Shape = 'one_source',
): Promise<ChaosReport> {
  const sources = shape === 'one_source' ? ['lines'] : ['lines', 'other']
  const captures = sources.map((source) => ({ source, file: captureOf(workDir, source) }))
  return chaos({
    workDir,
    kills,
    jobs: 2,
    start: (dir, failpoint) => start({ dir, captures, shape, bug }, failpoint),
  })
}
