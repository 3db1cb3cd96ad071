/** The replays of this host: started, watched, kept and forgotten. One runs at a time. */
import { join } from 'node:path'
import { freshEpoch } from '../../../engine/index.ts'
import { ApiError, notFound } from '../api_error.ts'
import { Captures } from './captures.ts'
import { type ReplayHost, type ReplayPipeline, replayCommand } from './host.ts'
import type { Explained, RunDiff } from './run_diff.ts'
import { killLeftOver, readOutcome } from './run_outcome.ts'
import { folderBytes, runProcess } from './run_process.ts'
import { RunQuestions } from './run_questions.ts'
import { type RunRecord, readRuns, removeRun, writeRun } from './run_record.ts'

export class ReplayDesk {
  readonly captures: Captures
  readonly #host: ReplayHost
  readonly #runs = new Map<string, RunRecord>()
  readonly #opened: Promise<void>
  readonly #over = new AbortController()
  #running: { readonly id: string; readonly stop: AbortController; done: Promise<void> } | undefined
  readonly #questions: RunQuestions

  constructor(host: ReplayHost) {
    this.#host = host
    this.captures = new Captures(host.captures)
    this.#questions = new RunQuestions(host)
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
      const command = replayCommand(this.#host.cli, { capture, dir, pipelines })
      message = await this.#process(run, signal, command)
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
    return this.#questions.diff(await this.finished(a), await this.finished(b))
  }

  /** @throws {ApiError} as `diff` */
  async explain(id: string, event: string): Promise<Explained> {
    return this.#questions.explain(await this.finished(id), event)
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
