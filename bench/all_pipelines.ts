/**
 * Every shipped pipeline in one process, as a small host runs them: time until all of them are up, and
 * resident memory once the shipped sample has gone through. Goal: under 200 MB.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import Database from 'better-sqlite3'
import { goal, inScratch, median, row } from './_measure.ts'

const RUNS = 5
const MEMORY_MB = 200
/** How long the slowest start, and the sample, may take. ms */
const PATIENCE = 120_000
const root = join(import.meta.dirname, '..')
const names = readdirSync(join(root, 'pipelines'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => basename(file, '.yaml'))
const sample = gunzipSync(readFileSync(join(root, 'samples/decnet.log.gz')))

async function until(what: string, isSo: () => boolean): Promise<void> {
  const since = performance.now()
  while (!isSo()) {
    if (performance.now() - since > PATIENCE) throw new Error(`waited in vain: ${what}`)
    await pause(5)
  }
}

/** @returns MB, of `VmRSS` (now) or `VmHWM` (at most so far) */
function memory({ pid }: ChildProcess, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(status)?.[1]) / 1024
}

interface Measured {
  /** ms from the start of the process until the last control socket is there */
  readonly up: number
  /** MB */
  readonly idle: number
  readonly after: number
  readonly most: number
}

async function measure(folder: string): Promise<Measured> {
  const log = join(folder, 'decnet.log')
  writeFileSync(log, '')
  writeFileSync(join(folder, 'cowrie.json'), '')
  const state = join(folder, 'state')
  const database = join(folder, 'decnet.db')
  const started = performance.now()
  const child = spawn(
    join(root, 'bin/decnet'),
    ['pipeline', 'run', ...names, '--state-dir', state],
    {
      env: {
        ...process.env,
        DECNET_INGEST_LOG_FILE: log,
        DECNET_COWRIE_LOG_FILE: join(folder, 'cowrie.json'),
        DECNET_DB_URL: `sqlite:${database}`,
        DECNET_BUS_SOCKET: join(folder, 'bus.sock'),
        DECNET_LOG_LEVEL: 'error',
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  try {
    await until('the start', () => names.every((name) => existsSync(join(state, `${name}.sock`))))
    const up = performance.now() - started
    const idle = memory(child, 'VmRSS')
    appendFileSync(log, sample)
    const rows = () => {
      if (!existsSync(database)) return 0
      const opened = new Database(database, { readonly: true })
      try {
        return Number(opened.prepare('select count(*) from logs').pluck().get())
      } catch {
        return 0
      } finally {
        opened.close()
      }
    }
    let before = -1
    let still = 0
    await until('the sample', () => {
      const now = rows()
      still = now > 0 && now === before ? still + 1 : 0
      before = now
      return still > 200
    })
    return { up, idle, after: memory(child, 'VmRSS'), most: memory(child, 'VmHWM') }
  } finally {
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGTERM')
    await ended
  }
}

await (async () => {
  const all: Measured[] = []
  for (let run = 0; run < RUNS; run++) {
    await inScratch(async (folder) => {
      all.push(await measure(folder))
    })
  }
  const column = (name: keyof Measured) => all.map((measured) => measured[name])
  const shown = (name: keyof Measured) => [
    median(column(name)).toFixed(0),
    Math.max(...column(name)).toFixed(0),
  ]
  row(`${names.join(', ')}: ${RUNS} runs`, 'median', 'worst')
  row('until all are up, ms', ...shown('up'))
  row('resident when up, MB', ...shown('idle'))
  row('resident after the sample, MB', ...shown('after'))
  row('resident at most, MB', ...shown('most'))
  goal(`resident at most / ${MEMORY_MB} MB`, median(column('most')) / MEMORY_MB, { most: 1 })
})()
