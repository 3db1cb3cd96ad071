/** A pipeline wired for replay and tests: no state file, event time for a clock. */
import type { Batch } from './batch.ts'
import { eventClock, pause } from './clock.ts'
import { makeContext, type ResourceUse } from './context.ts'
import type { Context, Logger, Writer } from './define.ts'
import type { AnswerSource } from './enrich/answers.ts'
import { REPLAY_EPOCH } from './ids.ts'
import type { Plan, PlanSink } from './plan.ts'
import { SourcePump } from './source_pump.ts'
import type { Trace } from './trace.ts'
import { type Wired, wire } from './wire.ts'

export interface ReplayGraphOptions {
  readonly plan: Plan
  /** ms since the epoch; what the clock says before the first event */
  readonly startTime: number
  readonly batchSize: number
  readonly use: ResourceUse
  readonly log: Logger
  readonly openSink: (node: PlanSink, context: Context) => Promise<Writer>
  readonly deadLetters: Writer
  /** whether every edge blocks, whatever its policy */
  readonly dropless?: boolean
  /** sources in the process that a capture stands in for */
  readonly fed?: ReadonlySet<string>
  readonly taps?: ReadonlyMap<string, (batch: Batch) => void>
  readonly trace?: Trace | undefined
  readonly answers?: AnswerSource | undefined
}

/** Tries before a write fails for good: a replay has somebody waiting for it. */
const ATTEMPTS = 5

export class ReplayGraph {
  readonly plan: Plan
  readonly wired: Wired
  readonly #pumps: readonly SourcePump[]
  readonly #stopInside = new AbortController()
  readonly #giveUp = new AbortController()
  #failure: unknown
  #pumping: Promise<void>[] = []

  constructor(options: ReplayGraphOptions) {
    const { plan, use, log, openSink, deadLetters, batchSize, taps, trace } = options
    this.plan = plan
    this.wired = wire({
      plan,
      clock: eventClock(options.startTime),
      epoch: REPLAY_EPOCH,
      dropless: options.dropless ?? false,
      contextFor: (node, clock, counters) => {
        const signal = (node.section === 'sources' ? this.#stopInside : this.#giveUp).signal
        return makeContext({
          pipeline: plan.name,
          node: node.id,
          clock,
          signal,
          log,
          use,
          counters,
          explain: trace && ((reason) => trace.reason(node.id, reason)),
        })
      },
      openSink,
      openDeadLetters: async () => deadLetters,
      batchSize,
      attempts: ATTEMPTS,
      pause: (ms) => pause(ms, this.#giveUp.signal),
      log,
      giveUp: this.#giveUp.signal,
      onFatal: (error) => {
        this.#failure ??= error
        this.#giveUp.abort()
      },
      ...(taps && { taps }),
      trace,
      answers: options.answers,
    })
    this.#pumps = this.#internalPumps(batchSize, options.fed ?? new Set())
  }

  #internalPumps(batchSize: number, fed: ReadonlySet<string>): SourcePump[] {
    const { inlets, contexts, flow } = this.wired
    return this.plan.nodes.flatMap((node) => {
      if (node.section !== 'sources' || !node.component.internal || fed.has(node.id)) return []
      const inlet = inlets.get(node.id)
      const context = contexts.get(node.id)
      if (!inlet || !context) throw new Error(`source ${node.id} was not wired`)
      const { credit } = this.plan.settings
      return new SourcePump({ node, inlet, flow, context, batchSize, credit, position: undefined })
    })
  }

  /** Starts the sources that other pipelines of this process feed. */
  start(): void {
    this.#pumping = this.#pumps.map((pump) =>
      pump.run().catch((error: unknown) => {
        this.#failure ??= error
      }),
    )
  }

  get hasInternalSources(): boolean {
    return this.#pumps.length > 0
  }

  get isQuiet(): boolean {
    const { flow, detached } = this.wired
    return (
      flow.isQuiet &&
      detached.every(({ isEmpty }) => isEmpty) &&
      this.#pumps.every(({ isWaiting }) => isWaiting)
    )
  }

  /** @throws why the pipeline cannot go on, once it cannot */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (!this.wired.flow.failed) return
    const { sinks, askers } = this.wired
    const workers = [...sinks.values(), ...askers.values()]
    const stuck = workers.find(({ cause }) => cause !== undefined)
    throw stuck?.cause ?? new Error(`${this.plan.name} failed`)
  }

  async close(): Promise<void> {
    this.#stopInside.abort()
    await Promise.all(this.#pumping)
    for (const sink of this.wired.sinks.values()) await sink.close()
    this.#giveUp.abort()
  }
}
