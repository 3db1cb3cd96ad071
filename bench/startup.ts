/**
 * How long the program takes to start: the whole process, from the shell's point of view.
 * Limits: `validate` under 300 ms, the first event out of `run` within a second.
 */
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const RUNS = 10
const root = join(import.meta.dirname, '..')
const decnet = join(root, 'bin/decnet')
const scratch = mkdtempSync(join(tmpdir(), 'decnet-bench-'))

const pipeline = join(scratch, 'first_event.yaml')
const log = join(scratch, 'decnet.log')
const line =
  '<134>1 2026-11-01T10:00:00.000000+00:00 web-01 ssh - connect [relay@55555 src_ip="192.0.2.7"]'
writeFileSync(log, `${line}\n`)
writeFileSync(
  pipeline,
  `name: first_event
description: One line from a file to standard output
sources:
  lines:  { type: syslog_file, path: ${log} }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
sinks:
  shown:  { type: stdout, inputs: [parsed] }
`,
)

/** @returns ms until the process has ended */
function whole(command: string, ...args: string[]): number {
  const start = performance.now()
  const { status, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} exited with ${status}: ${stderr}`)
  return performance.now() - start
}

/** @returns ms until the first byte on stdout; the run is stopped then */
async function firstEvent(index: number): Promise<number> {
  const start = performance.now()
  const args = ['pipeline', 'run', pipeline, '--state-dir', join(scratch, `state-${index}`)]
  const child = spawn(decnet, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const elapsed = await new Promise<number>((resolve, reject) => {
    child.stdout.once('data', () => resolve(performance.now() - start))
    child.once('exit', (code) => reject(new Error(`run exited with ${code} before any event`)))
  })
  child.kill('SIGTERM')
  await new Promise((resolve) => child.once('close', resolve))
  return elapsed
}

async function repeated(measure: (index: number) => number | Promise<number>): Promise<number[]> {
  const times: number[] = []
  for (let index = 0; index < RUNS; index++) times.push(await measure(index))
  return times.sort((a, b) => a - b)
}

const median = (times: readonly number[]): number =>
  ((times[(times.length - 1) >> 1] ?? 0) + (times[times.length >> 1] ?? 0)) / 2

const show = (name: string, times: readonly number[], limit?: number): void => {
  const [middle, worst] = [median(times), times.at(-1) ?? 0]
  const verdict = limit === undefined ? '' : `  limit ${limit}: ${middle < limit ? 'ok' : 'MISSED'}`
  if (limit !== undefined && middle >= limit) process.exitCode = 1
  const numbers = `${middle.toFixed(0).padStart(6)}${worst.toFixed(0).padStart(8)}`
  process.stdout.write(`  ${name.padEnd(40)}${numbers}${verdict}\n`)
}

try {
  process.stdout.write(`  ${'ms, of 10 runs'.padEnd(40)}median   worst\n`)
  const node = await repeated(() => whole(process.execPath, '-e', '0'))
  show('node -e 0', node)
  show('decnet --version', await repeated(() => whole(decnet, '--version')))
  const validate = await repeated(() => whole(decnet, 'pipeline', 'validate', pipeline))
  show('decnet pipeline validate FILE', validate, 300)
  const share = (100 * median(node)) / median(validate)
  process.stdout.write(`    of which node's own start ${share.toFixed(0)}%\n`)
  show('first event out of decnet pipeline run', await repeated(firstEvent), 1000)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
