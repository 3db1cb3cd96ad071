/** One pipeline split over two processes with NATS between them, and what it has to come to. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from '../../store/database.ts'
import { countRows, type TableContents, tableContents } from '../../store/table_contents.ts'
import { decnet, root } from '../cli/decnet.ts'

const TOPIC = 'collector.line'

/**
 * What follows the lines: rows of records, credentials, and attackers followed over deckies. The
 * dedup tells of a repeat, a loss or another order. It has no ttl: while the bus is away, event time
 * follows the clock, and the events are old.
 */
const rest = (lines: string): string => `
sources:
  lines: ${lines}
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
  limited:
    type: dedup
    inputs: [parsed]
    key: [data.attacker_ip, data.decky, data.service, data.event_type]
    window: 1s
    max_keys: 100000
  creds: { type: credential, inputs: [parsed] }
  found: { type: correlate, inputs: [parsed], session_ttl: 600s, max_keys: 20000 }
sinks:
  rows: { type: repo, inputs: [limited], entity: log }
  secrets: { type: repo, inputs: [creds], entity: credential }
  traversals: { type: repo, inputs: [found.traversals], entity: traversal }
settings:
  checkpoint: { interval: 500ms }
`

const wholeYaml = (path: string): string => `
name: whole
description: All of it in one process
${rest(`{ type: syslog_file, path: ${JSON.stringify(path)}, follow: false }`)}`

export const firstHalfYaml = (path: string): string => `
name: first_half
description: Lines to the bus
sources:
  lines: { type: syslog_file, path: ${JSON.stringify(path)}, poll: 50ms }
sinks:
  out: { type: bus, inputs: [lines], topic: ${TOPIC} }
settings:
  checkpoint: { interval: 500ms }
`

export const secondHalfYaml = (): string => `
name: second_half
description: Lines from the bus to rows
${rest(`{ type: bus, patterns: [${TOPIC}] }`)}`

const running = new Set<Worker>()

/** For the end of a test that may have failed in between. */
export async function killWorkers(): Promise<void> {
  await Promise.all([...running].map((worker) => worker.kill()))
  running.clear()
}

/** Processes that a test starts, kills and starts again. */
export class Worker {
  readonly #words: readonly string[]
  readonly #env: Record<string, string>
  #child: ChildProcess | undefined
  /** what it wrote to stderr, over all its lives; the end of it */
  said = ''

  constructor(
    dir: string,
    name: string,
    yaml: string,
    env: Record<string, string>,
    within: readonly string[] = [],
    state = `${name}_state`,
  ) {
    const file = join(dir, `${name}.yaml`)
    writeFileSync(file, yaml)
    const run = ['pipeline', 'run', file, '--state-dir', join(dir, state)]
    this.#words = [...within, join(root, 'bin/decnet'), ...run]
    this.#env = env
  }

  get isRunning(): boolean {
    return this.#child?.exitCode === null && this.#child.signalCode === null
  }

  start(): void {
    const child = spawn(this.#words[0] as string, this.#words.slice(1), {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    child.stderr.on('data', (text) => {
      this.said = `${this.said}${text}`.slice(-20_000)
    })
    this.#child = child
    running.add(this)
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** @returns the exit code after an orderly stop */
  async stop(): Promise<number | null> {
    return this.#end('SIGTERM')
  }

  async #end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child
    if (!child || !this.isRunning) return child?.exitCode ?? null
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
    return child.exitCode
  }
}

/** Tables after one process has done all of it. */
export async function wholeRun(dir: string, lines: readonly string[]): Promise<TableContents[]> {
  const capture = join(dir, 'whole.log')
  writeFileSync(capture, `${lines.join('\n')}\n`)
  const file = join(dir, 'whole.yaml')
  writeFileSync(file, wholeYaml(capture))
  const url = `sqlite:${join(dir, 'whole.db')}`
  const ended = decnet(['pipeline', 'run', file, '--state-dir', join(dir, 'whole')], {
    env: { DECNET_DB_URL: url },
  })
  if (ended.code !== 0) throw new Error(ended.stderr)
  return tablesOf(url)
}

export async function tablesOf(url: string): Promise<TableContents[]> {
  const db = await openDatabase(url)
  try {
    return await tableContents(db)
  } finally {
    await db.close()
  }
}

export async function rowsOf(url: string): Promise<number> {
  const db = await openDatabase(url)
  try {
    return await countRows(db)
  } finally {
    await db.close()
  }
}

export const rowsIn = (tables: readonly TableContents[]): number =>
  tables.reduce((sum, { lines }) => sum + lines.length, 0)

/**
 * Rows that one of two databases has more often than the other: a few of them, as text. Ids of
 * events are left out, since they hang on the file a line was read from.
 */
export function differences(
  found: readonly TableContents[],
  expected: readonly TableContents[],
): string[] {
  const counts = new Map<string, number>()
  const count = (tables: readonly TableContents[], by: number) => {
    for (const { name, lines } of tables) {
      for (const line of lines) {
        const row = `${name} ${line.replace(/"event_id":"[0-9a-f]{32}",?/, '')}`
        counts.set(row, (counts.get(row) ?? 0) + by)
      }
    }
  }
  count(found, 1)
  count(expected, -1)
  const differing = [...counts].filter(([, more]) => more !== 0)
  return differing.slice(0, 10).map(([row, more]) => `${more} more of ${row}`)
}
