/** The replays of this host: started, watched, kept and forgotten. One runs at a time. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, type Context, freshEpoch } from '../../../engine/index.ts'
import { ApiError, notFound } from '../api_error.ts'
import { type CapturePlace, Captures } from './captures.ts'
import type { Explained, RunDiff } from './run_diff.ts'
import { withIndex } from './run_events.ts'
import { folderBytes, type RunLimits, runProcess } from './run_process.ts'
import { type RunEdge, type RunRecord, readRuns, removeRun, writeRun } from './run_record.ts'
import { toolAnswer } from './run_tools.ts'

/** A pipeline as far as a replay has to know it. */
export interface ReplayPipeline {
  readonly name: string
  readonly file: string
  readonly nodes: readonly string[]
  /** ports that are not read by a sink, `node` or `node.port`: what leaves them is written down */
  readonly taps: readonly string[]
}

export interface ReplayHost {
  /** of the runs; made when it is needed */
  readonly folder: string
  readonly captures: CapturePlace
  readonly pipelines: () => readonly ReplayPipeline[]
  /** program and first arguments of the CLI */
  readonly cli: readonly string[]
  /** makes a finished run, the folder named last, readable by time */
  readonly indexer: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** runs that are kept; of a new one the oldest has to make room */
  readonly kept: number
  readonly limits: RunLimits
  readonly clock: Clock
  readonly log: Context['log']
}

/** Events of each kind and sink that a difference lists: fewer where all of them are too long. */
const LISTED = [500, 50, 5, 0]
/** Pipelines of one replay. */
export const MOST_PIPELINES = 16

export class ReplayDesk {
  readonly captures: Captures
  readonly #host: ReplayHost
  readonly #runs = new Map<string, RunRecord>()
  readonly #opened: Promise<void>
  readonly #over = new AbortController()
  #running: { readonly id: string; readonly stop: AbortController; done: Promise<void> } | undefined
  #asking: { readonly key: string; readonly answer: Promise<unknown> } | undefined
  #diff: { readonly key: string; readonly diff: RunDiff } | undefined

  constructor(host: ReplayHost) {
    this.#host = host
    this.captures = new Captures(host.captures)
    this.#opened = this.#open()
    this.#opened.catch((error: unknown) => {
      // Whoever asks is told the same; the rest of the API does without.
      host.log.error({ error: String(error) }, 'replays cannot be kept')
    })
  }

  get kept(): number {
    return this.#host.kept
  }

  /** What was running when the last process ended is at its end, and its process must be as well. */
  async #open(): Promise<void> {
    await this.captures.makeFolder()
    for (const run of await readRuns(this.#host.folder)) {
      const isLost = run.state === 'running'
      if (isLost && run.pid !== null) await killLeftOver(run.pid, this.#dir(run.id))
      const message = 'the API was restarted meanwhile'
      const ended = { ...run, state: 'interrupted', message, pid: null, bytes: 0 } as const
      this.#runs.set(run.id, isLost ? ended : run)
      if (!isLost) continue
      await removeRun(this.#host.folder, run.id)
      await this.#keep(ended)
    }
  }

  #dir = (id: string): string => join(this.#host.folder, id)

  async list(): Promise<readonly RunRecord[]> {
    await this.#ready()
    return [...this.#runs.values()].sort((a, b) => b.started - a.started || (a.id < b.id ? -1 : 1))
  }

  /** @throws {ApiError} 404 */
  async get(id: string): Promise<RunRecord> {
    await this.#ready()
    const run = this.#runs.get(id)
    if (!run) throw notFound('Replay')
    return run
  }

  /** @returns the folder of a run that can be read @throws {ApiError} 404, 409 where it has not come to its end */
  async finished(id: string): Promise<string> {
    const { state } = await this.get(id)
    if (state !== 'done') throw new ApiError(409, 'This replay has not come to its end')
    return this.#dir(id)
  }

  /** @throws {ApiError} 404 on what is not listed, 409 while another one runs */
  async start(name: string, pipelineNames: readonly string[], by: string): Promise<RunRecord> {
    await this.#ready()
    const known = new Map(this.#host.pipelines().map((one) => [one.name, one]))
    const pipelines = [...new Set(pipelineNames)].map((one) => {
      const found = known.get(one)
      if (!found) throw notFound('Pipeline')
      return found
    })
    const capture = await this.captures.find(name)
    if (!capture) throw notFound('Capture')
    if (this.#running || this.#over.signal.aborted) {
      throw new ApiError(409, 'Another replay is running')
    }
    const run: RunRecord = {
      ...{ id: freshEpoch(), capture: name, capture_kind: capture.kind },
      ...{ capture_bytes: capture.bytes, pipelines: pipelines.map((one) => one.name) },
      ...{ started_by: by, started: this.#host.clock.now(), finished: null, state: 'running' },
      ...{ message: null, read: 0, progress: 0, wall_seconds: null, bytes: null, span: null },
      ...{ edges: [], pid: null },
    }
    const stop = new AbortController()
    const running = { id: run.id, stop, done: Promise.resolve() }
    this.#running = running
    this.#runs.set(run.id, run)
    try {
      await this.#makeRoom()
      await writeRun(this.#host.folder, run)
    } catch (error) {
      this.#runs.delete(run.id)
      this.#running = undefined
      throw error
    }
    running.done = this.#run(run, capture.path, pipelines, stop.signal)
    return run
  }

  async #makeRoom(): Promise<void> {
    const ended = (await this.list()).filter(({ state }) => state !== 'running')
    for (const { id } of ended.slice(this.#host.kept - 1)) await this.#forget(id)
  }

  async #run(
    run: RunRecord,
    capture: string,
    pipelines: readonly ReplayPipeline[],
    signal: AbortSignal,
  ): Promise<void> {
    const dir = this.#dir(run.id)
    let message: string | undefined
    try {
      message = await this.#process(run, signal, [
        ...[...this.#host.cli, 'pipeline', 'replay', ...pipelines.map(({ file }) => file)],
        ...['--capture', capture, '--sink', dir, '--sink', `db=sqlite:${join(dir, 'rows.db')}`],
        ...['--progress', 'json'],
        ...tapWords(pipelines),
      ])
      message ??= await this.#process(run, signal, [...this.#host.indexer, dir])
      if (message === undefined && !signal.aborted) {
        await this.#finish(run.id, { ...(await readOutcome(dir)), state: 'done', progress: 1 })
      }
    } catch (error) {
      this.#host.log.error({ replay: run.id, error: String(error) }, 'a replay failed')
      message = 'what it left cannot be read'
    }
    if (signal.aborted) {
      const state = this.#over.signal.aborted ? 'interrupted' : 'cancelled'
      await this.#finish(run.id, { state, message: null })
    } else if (message !== undefined) {
      const shown = message.replaceAll(dir, 'the run').replaceAll(capture, run.capture)
      await this.#finish(run.id, { state: 'failed', message: shown })
    }
    this.#running = undefined
  }

  #process(
    { id }: RunRecord,
    signal: AbortSignal,
    command: readonly string[],
  ): Promise<string | undefined> {
    const { env, limits } = this.#host
    return runProcess({
      ...{ command, env, limits, signal, dir: this.#dir(id) },
      onStart: (pid) => {
        this.#change(id, { pid })
        // Only so that a later process can end it; it is no reason to wait.
        this.#keep(this.#runs.get(id)).catch((error: unknown) =>
          this.#host.log.warn({ replay: id, error: String(error) }, 'cannot note a process'),
        )
      },
      onProgress: ({ read, share }) => this.#change(id, { read, progress: share }),
    })
  }

  async #finish(id: string, changes: Partial<RunRecord>): Promise<void> {
    // What did not come to its end is of no use to anybody, and may be large.
    if (changes.state !== 'done') await removeRun(this.#host.folder, id)
    const bytes = await folderBytes(this.#dir(id))
    this.#change(id, { ...changes, bytes, pid: null, finished: this.#host.clock.now() })
    await this.#keep(this.#runs.get(id)).catch((error: unknown) =>
      this.#host.log.error({ replay: id, error: String(error) }, 'a replay cannot be kept'),
    )
  }

  #change(id: string, changes: Partial<RunRecord>): void {
    const run = this.#runs.get(id)
    if (run) this.#runs.set(id, { ...run, ...changes })
  }

  async #keep(run: RunRecord | undefined): Promise<void> {
    if (run) await writeRun(this.#host.folder, run)
  }

  /** @throws {ApiError} 404, 409 where it does not run */
  async cancel(id: string): Promise<void> {
    await this.get(id)
    if (this.#running?.id !== id) throw new ApiError(409, 'This replay does not run')
    this.#running.stop.abort()
    await this.#running.done
  }

  /** @throws {ApiError} 404, 409 while it runs */
  async remove(id: string): Promise<void> {
    await this.get(id)
    if (this.#running?.id === id) throw new ApiError(409, 'This replay is running: cancel it first')
    await this.#forget(id)
  }

  async #forget(id: string): Promise<void> {
    this.#runs.delete(id)
    await removeRun(this.#host.folder, id)
  }

  /** @throws {ApiError} 404, 409, 429 while another question is being answered, 503 where it cannot be told */
  async diff(a: string, b: string): Promise<RunDiff> {
    const [dirA, dirB] = [await this.finished(a), await this.finished(b)]
    const key = `${a} ${b}`
    if (this.#diff?.key === key) return this.#diff.diff
    const diff = await this.#ask(key, async () => {
      for (const most of LISTED) {
        const words = ['pipeline', 'diff', dirA, dirB, '-o', 'json', '--most', String(most)]
        const answer = await this.#tool(words, [0, 1])
        if (answer !== 'too_long') return answer
      }
      return 'failed'
    })
    this.#diff = { key, diff: diff as RunDiff }
    return diff as RunDiff
  }

  /** @throws {ApiError} as `diff` */
  async explain(id: string, event: string): Promise<Explained> {
    const dir = await this.finished(id)
    const words = ['pipeline', 'explain-event', '--run', dir, '-o', 'json', '--', event]
    return (await this.#ask(`${id} ${event}`, () => this.#tool(words, [0, 1]))) as Explained
  }

  #tool(words: readonly string[], codes: readonly number[]): Promise<unknown> {
    const { cli, env } = this.#host
    return toolAnswer({ command: [...cli, ...words], env, codes })
  }

  /** One at a time: each is a process that reads whole runs. Who asks the same shares the answer. */
  async #ask(key: string, make: () => Promise<unknown>): Promise<unknown> {
    if (this.#asking && this.#asking.key !== key) {
      throw new ApiError(429, 'Another run is being looked at: try again in a moment', {
        'retry-after': '2',
      })
    }
    this.#asking ??= { key, answer: make() }
    const { answer } = this.#asking
    try {
      const given = await answer
      if (typeof given === 'object' && given !== null) return given
      throw new ApiError(503, 'This cannot be told of these runs')
    } finally {
      this.#asking = undefined
    }
  }

  async close(): Promise<void> {
    this.#over.abort()
    this.#running?.stop.abort()
    await this.#running?.done
  }

  /** @throws {ApiError} 503 where the folder of the runs cannot be had */
  async #ready(): Promise<void> {
    try {
      await this.#opened
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error
      throw new ApiError(503, 'The folder of the replays cannot be used')
    }
  }
}

/** Of a pipeline that is called like a node no tap could be told from one of the node. */
function tapWords(pipelines: readonly ReplayPipeline[]): string[] {
  const nodes = new Set(pipelines.flatMap((one) => one.nodes))
  return pipelines
    .filter(({ name }) => !nodes.has(name))
    .flatMap(({ name, taps }) => taps.flatMap((tap) => ['--tap', `${name}.${tap}`]))
}

async function readOutcome(dir: string): Promise<Partial<RunRecord>> {
  const summary = JSON.parse(await readFile(join(dir, 'summary.json'), 'utf8')) as {
    readonly wall_seconds: number
    readonly pipelines: Readonly<
      Record<string, { readonly edges: readonly Omit<RunEdge, 'pipeline'>[] }>
    >
  }
  const edges = Object.entries(summary.pipelines).flatMap(([pipeline, { edges }]) =>
    edges.map(({ from, to, sent }) => ({ pipeline, from, to, sent })),
  )
  const { from, step, buckets, places } = withIndex(dir, (index) => index.timeline())
  const span = places.length > 0 ? { from, until: from + step * buckets } : null
  return { wall_seconds: summary.wall_seconds, edges, span }
}

/** A process outlives an API that was killed. Its number may be another's by now: the folder tells. */
async function killLeftOver(pid: number, dir: string): Promise<void> {
  const words = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  if (!words.includes(dir)) return
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
