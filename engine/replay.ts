/** Runs pipelines on captured input, driven by event time, as fast as it will go. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { quote } from '../protocols/quote.ts'
import type { Capture } from './capture.ts'
import type { CaptureRequest, CaptureTarget } from './capture_target.ts'
import { stopwatch, turn } from './clock.ts'
import type { ResourceUse } from './context.ts'
import type { Context, Logger, Writer } from './define.ts'
import { type EdgeLog, openEdgeLog } from './edge_log.ts'
import { EngineError } from './errors.ts'
import { eventText } from './event_text.ts'
import { inTimeOrder } from './feed_order.ts'
import { openCaptures } from './open_captures.ts'
import type { Plan, PlanSink } from './plan.ts'
import { openReplayAnswers, type ReplayAnswers } from './replay_answers.ts'
import { Breakpoint, type BreakRequest } from './replay_break.ts'
import { Followers, upstreamFirst } from './replay_follow.ts'
import { ReplayGraph } from './replay_graph.ts'
import {
  deadLetterWriter,
  inTurn,
  mutedWriter,
  ndjsonWriter,
  tracedWriter,
} from './replay_outputs.ts'
import { paced } from './replay_pace.ts'
import { openTaps, type TapFile, type TapRequest } from './replay_taps.ts'
import { type Skipped, type Window, within } from './replay_window.ts'
import { type Progress, pipelineReport, type RunReport, readCount } from './report.ts'
import { joinTaps } from './taps.ts'
import { tickingSources, withTicks } from './ticks.ts'
import type { ReplayTrace } from './trace.ts'

export interface ReplayOptions {
  readonly plans: readonly Plan[]
  readonly captures: readonly CaptureRequest[]
  /** folder for `<pipeline>.<sink>.ndjson`, `edges/` and `summary.json`; undefined: sinks are muted */
  readonly sinkDir?: string | undefined
  /** false: without `edges/`, so that there is nothing to compare (default true) */
  readonly edgeLog?: boolean | undefined
  /** whether sinks that write to the database do */
  readonly writeDatabase: boolean
  readonly use: ResourceUse
  readonly log: Logger
  readonly batchSize?: number | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** aborting it ends the replay after the batch at hand */
  readonly signal?: AbortSignal | undefined
  /** told what each operator of each pipeline does with each event */
  readonly traceOf?: ((plan: Plan) => ReplayTrace) | undefined
  /** whether enrichments ask the outside where no journal has the answer */
  readonly askLive?: boolean | undefined
  /** how much faster than its events happened; undefined: as fast as it goes */
  readonly speed?: number | undefined
  /** events outside are skipped, and counted */
  readonly window?: Window | undefined
  /** where to stop */
  readonly breakAt?: BreakRequest | undefined
  /** ports whose events are written down, below `sinkDir` or to `onTapped` */
  readonly taps?: readonly TapRequest[] | undefined
  readonly onTapped?: ((text: string) => void) | undefined
}

/** ms of host time between two calls of `onProgress` */
const PROGRESS_EVERY = 100

/**
 * Same captures, same pipelines: same bytes in `sinkDir` (`summary.json` aside, which tells the
 * time it took), whatever the batch size.
 * @throws {EngineError} `CAPTURE_TARGET`, `CAPTURE` or `DUPLICATE_PIPELINE`, or what a sink gave up on
 */
export async function replay(options: ReplayOptions): Promise<RunReport> {
  const { plans, sinkDir, log } = options
  refuseTwins(plans)
  const { targets, captures } = await openCaptures(plans, options.captures, log)
  if (sinkDir !== undefined) await makeSinkDir(sinkDir)
  const answers = await openReplayAnswers(plans, targets, options.askLive ?? false)
  let report: RunReport
  try {
    report = await new ReplaySession(options, targets, captures, answers).run()
  } finally {
    answers.close()
  }
  if (sinkDir !== undefined) {
    const { wallSeconds, pipelines, outcome, skipped } = report
    const summary = { wall_seconds: wallSeconds, outcome, skipped, pipelines }
    await writeFile(join(sinkDir, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
  }
  return report
}

async function makeSinkDir(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true }).catch((cause: NodeJS.ErrnoException) => {
    const reason = cause.code === 'EEXIST' ? 'there is a file of that name' : cause.code
    throw new EngineError('SINK_DIR', `cannot make the folder ${quote(dir)}: ${reason}`, { cause })
  })
}

class ReplaySession {
  readonly #options: ReplayOptions
  readonly #targets: readonly CaptureTarget[]
  readonly #captures: readonly Capture[]
  readonly #answers: ReplayAnswers
  readonly #graphs: readonly ReplayGraph[]
  readonly #started = stopwatch()
  readonly #edgeLogs: EdgeLog[] = []
  readonly #text = eventText()
  readonly #traces = new Map<Plan, ReplayTrace>()
  #lastProgress = 0
  readonly #skipped: Skipped = { before: 0, after: 0 }
  readonly #break: Breakpoint | undefined
  readonly #tapFiles: readonly TapFile[]
  readonly #followers: Followers

  constructor(
    options: ReplayOptions,
    targets: readonly CaptureTarget[],
    captures: readonly Capture[],
    answers: ReplayAnswers,
  ) {
    this.#options = options
    this.#targets = targets
    this.#answers = answers
    const { window, breakAt, taps = [] } = options
    this.#captures = captures.map((capture) => within(capture, window ?? {}, this.#skipped))
    const captured = new Set(targets.map(({ source }) => source))
    this.#followers = new Followers(options.plans, (source) => captured.has(source))
    this.#graphs = options.plans.map((plan) => this.#graph(plan))
    this.#tapFiles = openTaps(taps, this.#graphs, { ...options, text: this.#text })
    this.#break = breakAt && new Breakpoint(breakAt, this.#graphs)
  }

  #graph(plan: Plan): ReplayGraph {
    const { use, log, sinkDir, edgeLog = true } = this.#options
    const trace = this.#options.traceOf?.(plan)
    if (trace) this.#traces.set(plan, trace)
    const edges =
      sinkDir !== undefined && edgeLog ? openEdgeLog(sinkDir, plan, this.#text) : undefined
    if (edges) this.#edgeLogs.push(edges)
    return new ReplayGraph({
      plan,
      startTime: this.#startTime(),
      batchSize: this.#batchSize(plan),
      use,
      log,
      openSink: (node, context) => this.#openSink(plan, node, context),
      deadLetters: deadLetterWriter(sinkDir, plan.name),
      dropless: true,
      fed: new Set(this.#targets.flatMap((one) => (one.plan === plan ? one.source.id : []))),
      taps: joinTaps(trace?.taps, edges?.taps),
      trace,
      answers: this.#answers.answersFor(plan),
    })
  }

  #startTime(): number {
    const starts = this.#captures.map(({ startTime }) => startTime)
    return starts.reduce((a, b) => Math.min(a, b), Number.MAX_SAFE_INTEGER)
  }

  #batchSize(plan: Plan): number {
    return this.#options.batchSize ?? plan.settings.batchSize
  }

  async #openSink(plan: Plan, node: PlanSink, context: Context): Promise<Writer> {
    const { sinkDir, writeDatabase } = this.#options
    const { component, config } = node
    const writers: Writer[] = []
    // Before the file: what it refuses is not written there either, and a write that is tried again
    // after it was away does not stand there twice.
    if (component.internal || (writeDatabase && component.writesDatabase)) {
      writers.push((await component.open(config as never, context)) as Writer)
    }
    if (sinkDir !== undefined) {
      writers.push(await ndjsonWriter(join(sinkDir, `${plan.name}.${node.id}.ndjson`), this.#text))
    }
    const followed = this.#followers.writerFor(node)
    if (followed) writers.push(followed)
    const trace = this.#traces.get(plan)
    if (trace) writers.push(tracedWriter(node.id, trace))
    return writers.length > 0 ? inTurn(writers) : mutedWriter
  }

  async run(): Promise<RunReport> {
    let stopped = false
    for (const graph of this.#graphs) graph.start()
    try {
      // A sink that gets nothing still leaves its file.
      for (const { wired } of this.#graphs) await openAll(wired.sinks.values())
      await this.#feed()
      stopped = this.#stopped
      if (!stopped) await this.#endOfInput()
      stopped = this.#stopped
      for (const edges of this.#edgeLogs) edges.finish()
    } finally {
      await Promise.allSettled(this.#graphs.map((graph) => graph.close()))
      for (const edges of this.#edgeLogs) edges.close()
      for (const file of this.#tapFiles) file.close()
    }
    this.#progress(true)
    return this.#report(stopped)
  }

  get #stopped(): boolean {
    return this.#break?.hit !== undefined || (this.#options.signal?.aborted ?? false)
  }

  /** Batches in order of event time, and the sources they are for. */
  #batches() {
    const { speed, signal, plans } = this.#options
    const most = Math.min(...plans.map((plan) => this.#batchSize(plan)))
    const ticking = tickingSources(
      plans,
      this.#targets.map(({ source }) => source),
    )
    const fed: readonly (Pick<CaptureTarget, 'plan' | 'source' | 'journal'> & {
      file?: string
    })[] = [...this.#targets, ...ticking]
    const batches = withTicks(
      // One at a time, so that nothing comes after the event that is looked for.
      inTimeOrder(this.#captures, this.#break ? 1 : most),
      ticking.map(({ ticks }) => ticks),
      this.#targets.length,
      this.#startTime(),
    )
    return { fed, batches: speed === undefined ? batches : paced(batches, speed, signal) }
  }

  async #feed(): Promise<void> {
    const coupled =
      this.#break !== undefined ||
      !this.#followers.isEmpty ||
      this.#graphs.some(({ hasInternalSources }) => hasInternalSources)
    const { fed, batches } = this.#batches()
    for await (const whole of batches) {
      for (const batch of this.#followers.inOrder(whole)) {
        const { feed, items, times, arrivals, at, isTime } = batch
        const target = fed[feed] as (typeof fed)[number]
        const { plan, source, journal } = target
        this.#break?.reading(isTime ? { plan, source, journal } : { ...target, at })
        const graph = this.#graphOf(plan)
        if (isTime) graph.wired.broadcast(times[0] as number)
        else graph.wired.inlets.get(source.id)?.send(items, arrivals)
        // What one pipeline publishes, another must have taken in before the next event is read.
        if (coupled) await this.#quiet()
        else await graph.wired.flow.below(plan.settings.credit)
        graph.check()
        this.#progress(false)
        for (const file of this.#tapFiles) file.flush()
        if (this.#stopped) break
      }
      if (this.#stopped) break
    }
    await this.#quiet()
  }

  /**
   * Event time runs on to the last timer, pipeline after pipeline: one that follows another's sinks
   * behind that, for in front of it would be what was yet to come.
   */
  async #endOfInput(): Promise<void> {
    this.#break?.reading(undefined)
    for (const plan of upstreamFirst(this.#graphs.map((graph) => graph.plan))) {
      const { wired } = this.#graphOf(plan)
      wired.broadcast(Number.POSITIVE_INFINITY)
      await this.#quiet()
      if (this.#stopped) return
    }
  }

  #graphOf(plan: Plan): ReplayGraph {
    return this.#graphs.find((candidate) => candidate.plan === plan) as ReplayGraph
  }

  /** Lets everything come to rest, what is made of what was written included. */
  async #quiet(): Promise<void> {
    do await this.#rest()
    while (
      this.#followers.deliver((plan, source, items) =>
        this.#graphOf(plan).wired.inlets.get(source.id)?.send(items),
      )
    )
  }

  async #rest(): Promise<void> {
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
      ...(this.#options.window && { skipped: this.#skipped }),
      ...(this.#break?.hit && { hit: this.#break.hit }),
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
