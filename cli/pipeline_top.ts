import { Command, Option } from 'clipanion'
import { pause } from '../engine/clock.ts'
import { answerTo, type ControlClient, connectControl } from '../engine/control_client.ts'
import { EngineError } from '../engine/errors.ts'
import type { RunStats } from '../engine/run_stats.ts'
import { exitCode } from './exit_code.ts'
import { outputFormat } from './option_values.ts'
import { pipelineName } from './pipeline_name.ts'
import { safeJson } from './safe_json.ts'
import { stateDir } from './state_dir.ts'
import { onStopSignal } from './stop_signals.ts'
import { topText } from './top_text.ts'

/** Between two looks, ms. */
const INTERVAL_MS = 1000

/** Shows what running pipelines do, node by node and edge by edge. */
export class PipelineTop extends Command {
  static override paths = [['pipeline', 'top']]
  static override usage = Command.Usage({
    description: 'Show what each node and edge of running pipelines does, every second.',
    details:
      'QUEUE is events that wait before a sink or an operator that asks, or on an edge that may drop, ' +
      'and OLDEST how long the first of them has; LAG is now less the time of the last event; STATE is ' +
      'as of the last checkpoint. Of an edge, BEHIND is how old the last event was when it passed, and ' +
      'IDLE how long ago that was; DROPPED and WAITING are empty where it blocks. Away from a terminal, ' +
      'and with `--once`, it prints one table with the rates of one second; with `-o json`, the counters as ' +
      'they stand, null for a pipeline that does not run. Exits 69 when one does not.',
    examples: [
      ['Watch a pipeline', '$0 pipeline top ingest'],
      ['Two pipelines, once', '$0 pipeline top ingest cowrie --once'],
      ['For a program to read', '$0 pipeline top ingest -o json'],
    ],
  })
  pipelines = Option.Rest({ name: 'pipeline', required: 1 })
  once = Option.Boolean('--once', false, { description: 'print one table and end' })
  output = Option.String('-o,--output', 'human', {
    description: 'human (default) or json',
    validator: outputFormat,
  })
  stateDir = Option.String('--state-dir', { description: 'where the pipelines keep their state' })

  override async execute(): Promise<number> {
    const dir = stateDir(this.stateDir, process.env)
    const watched = this.pipelines.map((name) => new Watched(dir, pipelineName(name, dir)))
    const stop = new AbortController()
    const ignoreSignals = onStopSignal((_signal, code) => stop.abort(code))
    try {
      if (this.output === 'json') return await this.#counters(watched)
      return this.once || !process.stdout.isTTY
        ? await this.#onceOver(watched, stop.signal)
        : await this.#redraw(watched, stop.signal)
    } finally {
      ignoreSignals()
      for (const one of watched) one.close()
    }
  }

  async #counters(watched: readonly Watched[]): Promise<number> {
    await Promise.all(watched.map((one) => one.look()))
    const stats = watched.map((one) => [one.name, one.stats ?? null])
    this.context.stdout.write(`${safeJson(Object.fromEntries(stats))}\n`)
    return watched.every(({ runs }) => runs) ? exitCode.ok : exitCode.unavailable
  }

  async #onceOver(watched: readonly Watched[], stop: AbortSignal): Promise<number> {
    await Promise.all(watched.map((one) => one.look()))
    if (watched.some(({ runs }) => runs)) await pause(INTERVAL_MS, stop)
    await Promise.all(watched.map((one) => one.look()))
    this.context.stdout.write(watched.map((one) => one.text()).join('\n'))
    return watched.every(({ runs }) => runs) ? exitCode.ok : exitCode.unavailable
  }

  async #redraw(watched: readonly Watched[], stop: AbortSignal): Promise<number> {
    const { stdout } = process
    stdout.write('\x1b[2J')
    while (!stop.aborted) {
      await Promise.all(watched.map((one) => one.look()))
      const lines = watched
        .map((one) => one.text())
        .join('\n')
        .split('\n')
      // What does not fit would scroll, and the next look would be drawn in the wrong place.
      const shown = lines.slice(0, Math.max(stdout.rows - 1, 1))
      const text = shown.map((line) => `${line.slice(0, stdout.columns)}\x1b[K`).join('\r\n')
      stdout.write(`\x1b[H${text}\x1b[J`)
      await pause(INTERVAL_MS, stop)
    }
    stdout.write('\n')
    return stop.reason
  }
}

/** One pipeline, that may come and go. */
class Watched {
  readonly #dir: string
  readonly name: string
  #client: ControlClient | undefined
  #now: RunStats | undefined
  #before: RunStats | undefined

  constructor(dir: string, name: string) {
    this.#dir = dir
    this.name = name
  }

  get stats(): RunStats | undefined {
    return this.#now
  }

  get runs(): boolean {
    return this.#now !== undefined
  }

  async look(): Promise<void> {
    this.#before = this.#now
    this.#now = undefined
    try {
      this.#client ??= await connectControl(this.#dir, this.name)
      const answer = this.#client && (await answerTo(this.#client, { op: 'stats' }))
      if (answer && 'stats' in answer) this.#now = answer.stats
    } catch (error) {
      if (!(error instanceof EngineError) || error.code !== 'CONTROL_CLOSED') throw error
      this.close() // it may be there again at the next look
    }
  }

  text(): string {
    return this.#now ? topText(this.#now, this.#before) : `${this.name}: does not run\n`
  }

  close(): void {
    this.#client?.close()
    this.#client = undefined
  }
}
