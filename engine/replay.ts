/** Runs pipelines on captured input, driven by event time, as fast as it will go. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Capture, openCapture } from './capture.ts'
import { type CaptureRequest, type CaptureTarget, captureTargets } from './capture_target.ts'
import { stopwatch, turn } from './clock.ts'
import type { ResourceUse } from './context.ts'
import type { Context, Logger, Writer } from './define.ts'
import { EngineError } from './errors.ts'
import { inTimeOrder } from './feed_order.ts'
import type { Plan, PlanSink } from './plan.ts'
import { ReplayGraph } from './replay_graph.ts'
import { deadLetterWriter, inTurn, mutedWriter, ndjsonWriter } from './replay_outputs.ts'
import { type Progress, pipelineReport, type RunReport, readCount } from './report.ts'

export interface ReplayOptions {
  readonly plans: readonly Plan[]
  readonly captures: readonly CaptureRequest[]
  /** folder for `<pipeline>.<sink>.ndjson` and `summary.json`; undefined: sinks are muted */
  readonly sinkDir?: string | undefined
  /** whether sinks that write to the database do */
  readonly writeDatabase: boolean
  readonly use: ResourceUse
  readonly log: Logger
  readonly batchSize?: number | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** aborting it ends the replay after the batch at hand */
  readonly signal?: AbortSignal | undefined
}

/** ms of host time between two calls of `onProgress` */
const PROGRESS_EVERY = 100

/**
 * Same captures, same pipelines: same bytes in `sinkDir` (`summary.json` aside, which tells the
 * time it took), whatever the batch size.
 * @throws {EngineError} `CAPTURE_TARGET`, `CAPTURE` or `DUPLICATE_PIPELINE`, or what a sink gave up on
 */
export async function replay(options: ReplayOptions): Promise<RunReport> {
  const { plans, sinkDir } = options
  refuseTwins(plans)
  const targets = captureTargets(plans, options.captures)
  const captures = await Promise.all(targets.map(({ file, source }) => openCapture(file, source)))
  if (sinkDir !== undefined) await mkdir(sinkDir, { recursive: true })
  const session = new ReplaySession(options, targets, captures)
  const report = await session.run()
  if (sinkDir !== undefined) {
    const { wallSeconds, pipelines, outcome } = report
    const summary = { wall_seconds: wallSeconds, outcome, pipelines }
    await writeFile(join(sinkDir, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
  }
  return report
}

class ReplaySession {
  readonly #options: ReplayOptions
  readonly #targets: readonly CaptureTarget[]
  readonly #captures: readonly Capture[]
  readonly #graphs: readonly ReplayGraph[]
  readonly #started = stopwatch()
  #lastProgress = 0

  constructor(
    options: ReplayOptions,
    targets: readonly CaptureTarget[],
    captures: readonly Capture[],
  ) {
    this.#options = options
    this.#targets = targets
    this.#captures = captures
    this.#graphs = options.plans.map((plan) => this.#graph(plan))
  }

  #graph(plan: Plan): ReplayGraph {
    const { use, log, sinkDir } = this.#options
    const starts = this.#captures.map(({ startTime }) => startTime)
    return new ReplayGraph({
      plan,
      startTime: starts.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER),
      batchSize: this.#batchSize(plan),
      use,
      log,
      openSink: (node, context) => this.#openSink(plan, node, context),
      deadLetters: deadLetterWriter(sinkDir, plan.name),
    })
  }

  #batchSize(plan: Plan): number {
    return this.#options.batchSize ?? plan.settings.batchSize
  }

  async #openSink(plan: Plan, node: PlanSink, context: Context): Promise<Writer> {
    const { sinkDir, writeDatabase } = this.#options
    const { component, config } = node
    const writers: Writer[] = []
    if (sinkDir !== undefined) {
      writers.push(await ndjsonWriter(join(sinkDir, `${plan.name}.${node.id}.ndjson`)))
    }
    if (component.internal || (writeDatabase && component.writesDatabase)) {
      writers.push((await component.open(config as never, context)) as Writer)
    }
    return writers.length > 0 ? inTurn(writers) : mutedWriter
  }

  async run(): Promise<RunReport> {
    let stopped = false
    for (const graph of this.#graphs) graph.start()
    try {
      // A sink that gets nothing still leaves its file.
      for (const { wired } of this.#graphs) await openAll(wired.sinks.values())
      await this.#feed()
      stopped = this.#options.signal?.aborted ?? false
      if (!stopped) await this.#endOfInput()
    } finally {
      await Promise.allSettled(this.#graphs.map((graph) => graph.close()))
    }
    this.#progress(true)
    return this.#report(stopped)
  }

  async #feed(): Promise<void> {
    const coupled = this.#graphs.some(({ hasInternalSources }) => hasInternalSources)
    const batchSize = Math.min(...this.#options.plans.map((plan) => this.#batchSize(plan)))
    for await (const { feed, items } of inTimeOrder(this.#captures, batchSize)) {
      const { plan, source } = this.#targets[feed] as CaptureTarget
      const graph = this.#graphs.find((candidate) => candidate.plan === plan) as ReplayGraph
      graph.wired.inlets.get(source.id)?.send(items)
      // What one pipeline publishes, another must have taken in before the next event is read.
      if (coupled) await this.#quiet()
      else await graph.wired.flow.below(plan.settings.credit)
      graph.check()
      this.#progress(false)
      if (this.#options.signal?.aborted) return
    }
    await this.#quiet()
  }

  /** Event time runs on to the last timer, pipeline after pipeline. */
  async #endOfInput(): Promise<void> {
    for (const { wired } of this.#graphs) {
      wired.broadcast(Number.POSITIVE_INFINITY)
      await this.#quiet()
    }
  }

  async #quiet(): Promise<void> {
    for (let quietTurns = 0; quietTurns < 2; ) {
      for (const graph of this.#graphs) {
        await graph.wired.flow.quiet()
        graph.check()
      }
      await turn()
      quietTurns = this.#graphs.every(({ isQuiet }) => isQuiet) ? quietTurns + 1 : 0
    }
  }

  #progress(final: boolean): void {
    const { onProgress } = this.#options
    const now = stopwatch()
    if (!onProgress || (!final && now - this.#lastProgress < PROGRESS_EVERY)) return
    this.#lastProgress = now
    const sum = (read: (capture: Capture) => number) =>
      this.#captures.reduce((total, capture) => total + read(capture), 0)
    onProgress({
      read: this.#graphs.reduce((n, { plan, wired }) => n + readCount(plan, wired.counters), 0),
      bytesRead: sum((capture) => capture.bytesRead()),
      bytesTotal: sum(({ bytesTotal }) => bytesTotal),
      seconds: (now - this.#started) / 1000,
    })
  }

  #report(stopped: boolean): RunReport {
    const pipelines = this.#graphs.map(({ plan, wired }) => [
      plan.name,
      pipelineReport(plan, wired),
    ])
    return {
      wallSeconds: (stopwatch() - this.#started) / 1000,
      pipelines: Object.fromEntries(pipelines),
      outcome: stopped ? 'stopped' : 'completed',
    }
  }
}

async function openAll(sinks: Iterable<{ openNow(): Promise<void> }>): Promise<void> {
  for (const sink of sinks) await sink.openNow()
}

function refuseTwins(plans: readonly Plan[]): void {
  const names = new Set<string>()
  for (const { name } of plans) {
    if (names.has(name)) {
      throw new EngineError('DUPLICATE_PIPELINE', `two of the pipelines are called ${name}`)
    }
    names.add(name)
  }
}
