/** Runs one or several pipelines live, in this process. */
import type { Worker } from 'node:worker_threads'
import { type Clock, every, liveClock, pause, stopwatch, turn } from './clock.ts'
import type { ResourceUse } from './context.ts'
import { type ControlSocket, startControl } from './control_socket.ts'
import type { Logger } from './define.ts'
import { type Endpoint, startEndpoint } from './endpoint.ts'
import { Liveness } from './liveness.ts'
import { PipelineRun } from './pipeline_run.ts'
import type { Plan } from './plan.ts'
import { type Progress, pipelineReport, type RunReport, readCount } from './report.ts'

export interface RunOptions {
  readonly plans: readonly Plan[]
  readonly stateDir: string
  readonly use: ResourceUse
  readonly log: Logger
  readonly batchSize?: number | undefined
  /** see `PipelineRunOptions` */
  readonly startLane?: ((plan: Plan) => Worker) | undefined
  /** see `PipelineRunOptions` */
  readonly busReachesOut?: boolean | undefined
  /** the wall clock, where nothing else is said */
  readonly clock?: Clock
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /**
   * Whether other processes feed the sources that pipelines of this one feed, so that they go on when
   * those have ended; default false.
   */
  readonly fedFromOutside?: boolean
}

export interface Running {
  readonly done: Promise<RunReport>
  /** Drains, writes a checkpoint and ends. */
  stop(): void
  /**
   * Does so with one pipeline, and leaves the others running.
   * @returns when it has been closed, or has failed to be
   */
  stopOne(pipeline: string): Promise<void>
  /** Names of the pipelines that hang; to be asked again and again. */
  hanging(): string[]
}

const PROGRESS_EVERY = 1000

/**
 * Starts the pipelines; they run until every source that reads from outside has ended, until
 * `stop`, or until one fails.
 * @throws {EngineError} when state or an endpoint cannot be opened; nothing has been read then
 */
export async function startPipelines(options: RunOptions): Promise<Running> {
  const { plans, stateDir, use, log, batchSize, startLane } = options
  const started = stopwatch()
  const runs: PipelineRun[] = []
  const endpoints: Endpoint[] = []
  const clock = options.clock ?? liveClock
  try {
    for (const plan of plans) {
      runs.push(
        new PipelineRun({
          plan,
          stateDir,
          clock,
          use,
          log,
          batchSize,
          startLane,
          busReachesOut: options.busReachesOut,
        }),
      )
    }
    for (const run of runs) {
      const { metricsListen } = run.plan.settings
      if (metricsListen !== undefined) endpoints.push(await startEndpoint(metricsListen, run, log))
    }
  } catch (error) {
    for (const endpoint of endpoints) await endpoint.close()
    for (const run of runs) await run.close(0)
    throw error
  }
  const controls = new Map<PipelineRun, ControlSocket>()
  for (const run of runs) {
    const control = await startControl(stateDir, run, log)
    if (control) controls.set(run, control)
  }
  let stopped = false
  const over = new AbortController()
  const stopRun = (run: PipelineRun) => {
    stopped = true
    run.stop('outside')
    // From here on the time to drain runs, also for a source that waits for a stuck sink.
    void pause(run.plan.settings.shutdownTimeout, over.signal).then(() => {
      if (!over.signal.aborted) return run.giveUp()
      return undefined
    })
  }
  const allStopped = Promise.withResolvers<void>()
  const stop = () => {
    for (const run of runs) stopRun(run)
    allStopped.resolve()
  }
  const closing = new Map<PipelineRun, Promise<void>>()
  const close = (run: PipelineRun): Promise<void> => {
    const closed =
      closing.get(run) ??
      run.close(run.plan.settings.shutdownTimeout).finally(() => controls.get(run)?.close())
    closing.set(run, closed)
    return closed
  }
  const stopOne = async (pipeline: string): Promise<void> => {
    const run = runs.find(({ plan }) => plan.name === pipeline)
    if (!run) return
    stopRun(run)
    run.stop('inside')
    await Promise.all([run.ended('outside'), run.ended('inside')])
    // Where it fails, `done` says so.
    await Promise.allSettled([close(run)])
  }
  for (const run of runs) run.start()
  const cancelProgress = every(PROGRESS_EVERY, () =>
    options.onProgress?.(progressOf(runs, started)),
  )
  const finish = async (): Promise<RunReport> => {
    try {
      const ended = (kind: 'outside' | 'inside') =>
        Promise.all(
          runs.map(async (run) => {
            await run.ended(kind)
            // Whoever started them together starts them together again.
            if (run.failure !== undefined) stop()
          }),
        )
      await ended('outside')
      if (options.fedFromOutside) await Promise.race([ended('inside'), allStopped.promise])
      await rest(runs.filter((run) => !closing.has(run)))
      for (const run of runs) run.stop('inside')
      await Promise.all(runs.map(close))
    } finally {
      await Promise.all([...controls.values()].map((control) => control.close()))
      over.abort()
      cancelProgress()
      for (const endpoint of endpoints) await endpoint.close()
    }
    options.onProgress?.(progressOf(runs, started))
    const failed = runs.find(({ failure }) => failure !== undefined)
    return {
      wallSeconds: (stopwatch() - started) / 1000,
      pipelines: Object.fromEntries(
        runs.map(({ plan, wired }) => [plan.name, pipelineReport(plan, wired)]),
      ),
      outcome: failed ? 'failed' : stopped ? 'stopped' : 'completed',
      ...(failed && { error: failed.failure }),
    }
  }
  const lives = runs.map((run) => ({ run, life: new Liveness(run) }))
  const hanging = () => lives.filter(({ life }) => life.hangs).map(({ run }) => run.plan.name)
  return { done: finish(), stop, stopOne, hanging }
}

/**
 * Waits until what the ended sources have read has gone through all pipelines, the in-memory bus
 * between them included, or until the shutdown timeout of the most patient has passed.
 */
async function rest(runs: readonly PipelineRun[]): Promise<void> {
  if (!runs.some(({ pumps }) => pumps.some(({ source }) => source.component.internal))) return
  const patience = Math.max(...runs.map(({ plan }) => plan.settings.shutdownTimeout))
  const since = stopwatch()
  let quietTurns = 0
  while (quietTurns < 3 && stopwatch() - since < patience) {
    const quiet = runs.every((run) => run.isQuiet && run.pumps.every((pump) => pump.isWaiting))
    quietTurns = quiet ? quietTurns + 1 : 0
    await (quiet ? turn() : pause(1))
    if (runs.some(({ failure }) => failure !== undefined)) return
  }
}

function progressOf(runs: readonly PipelineRun[], started: number): Progress {
  const read = runs.reduce((sum, { plan, wired }) => sum + readCount(plan, wired.counters), 0)
  return { read, seconds: (stopwatch() - started) / 1000 }
}
