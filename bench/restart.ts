/**
 * How long a pipeline that keeps a million keys is away: from SIGKILL, with the restart at once, to
 * the first new event out: of a line that comes while the pipeline is down.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { inScratch, median, row } from './_measure.ts'

const ROUNDS = 3
const SIZES = [1000, Number(process.env.DECNET_BENCH_KEYS ?? 1_000_000)]
const root = join(import.meta.dirname, '..')

const pipeline = (folder: string): string => `name: bench_restart
description: A million keys
sources:
  events: { type: ndjson_file, path: ${join(folder, 'in.ndjson')} }
operators:
  once: { type: dedup, inputs: [events], key: [data.key], window: 30d, max_keys: 2000000 }
sinks:
  file: { type: ndjson_file, inputs: [once], path: ${join(folder, 'out.ndjson')}, fsync: false }
settings: { checkpoint: { interval: 1s } }
`

const eventText = (key: number): string =>
  `${JSON.stringify({ topic: 'bench', time: 1_772_355_600_000 + key, data: { key: `key-${key}` } })}\n`

function start(folder: string): ChildProcess {
  const args = ['pipeline', 'run', join(folder, 'bench_restart.yaml')]
  return spawn(join(root, 'bin/decnet'), [...args, '--state-dir', join(folder, 'state')], {
    env: { ...process.env, DECNET_LOG_LEVEL: 'error' },
    stdio: 'inherit',
  })
}

/** @param every ms between two looks */
async function until(
  child: ChildProcess,
  every: number,
  what: string,
  ready: () => boolean,
): Promise<void> {
  const started = performance.now()
  while (!ready()) {
    const over = performance.now() - started > 120_000 || child.exitCode !== null
    if (over) throw new Error(`waited in vain for ${what}`)
    await pause(every)
  }
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = new Promise((resolve) => child.once('close', resolve))
  if (child.kill('SIGKILL')) await closed
}

/** Keys that the last checkpoint holds. */
function keysKept(folder: string): number {
  const file = join(folder, 'state/bench_restart.sqlite')
  if (!existsSync(file)) return 0
  const state = new Database(file, { readonly: true })
  try {
    return (state.prepare('SELECT COUNT(*) AS n FROM keyed').get() as { n: number }).n
  } catch {
    return 0 // it is still being made
  } finally {
    state.close()
  }
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** @returns ms from each SIGKILL to the first new event out */
async function restarts(folder: string, keys: number): Promise<number[]> {
  const [input, output] = ['in.ndjson', 'out.ndjson'].map((name) => join(folder, name))
  if (!input || !output) return []
  writeFileSync(join(folder, 'bench_restart.yaml'), pipeline(folder))
  for (let at = 0; at < keys; at += 10_000) {
    const length = Math.min(10_000, keys - at)
    appendFileSync(input, Array.from({ length }, (_, index) => eventText(at + index)).join(''))
  }
  const times: number[] = []
  let child = start(folder)
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const kept = keys + round
      // Counting them takes time from the pipeline, so it is not looked at often.
      await until(child, 500, `${kept} keys in a checkpoint`, () => keysKept(folder) === kept)
      const before = sizeOf(output)
      const killed = performance.now()
      await kill(child)
      appendFileSync(input, eventText(kept))
      child = start(folder)
      await until(child, 2, 'the new event', () => sizeOf(output) > before)
      times.push(performance.now() - killed)
      const [last = ''] = readFileSync(output, 'utf8').slice(-400).trimEnd().split('\n').slice(-1)
      if (!last.includes(`"key-${kept}"`)) throw new Error(`another event came out: ${last}`)
    }
  } finally {
    await kill(child)
  }
  return times
}

row('SIGKILL to the first new event out', 'ms, median', 'worst')
for (const keys of SIZES) {
  await inScratch(async (folder) => {
    const times = await restarts(folder, keys)
    const cells = [median(times), Math.max(...times)].map((time) => time.toFixed(0))
    row(`with ${keys.toLocaleString('en')} keys of state`, ...cells)
  })
}
