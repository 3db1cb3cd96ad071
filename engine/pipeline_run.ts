/** One pipeline, live: pumps, checkpoints, and the way down. */
import { type Clock, every, freshEpoch, pause } from './clock.ts'
import { makeContext, type ResourceUse } from './context.ts'
import type { Logger, Writer } from './define.ts'
import { EngineError } from './errors.ts'
import { stateCheck } from './input_check.ts'
import type { SavedKey } from './keyed_state.ts'
import type { Plan, PlanOperator } from './plan.ts'
import { SourcePump } from './source_pump.ts'
import { StateFile } from './state_file.ts'
import { type Wired, wire } from './wire.ts'

export interface PipelineRunOptions {
  readonly plan: Plan
  readonly stateDir: string
  readonly clock: Clock
  readonly use: ResourceUse
  readonly log: Logger
  /** overrides the plan's */
  readonly batchSize?: number | undefined
}

/** A source that has given nothing for this long no longer holds event time back, ms. */
const IDLE_AFTER = 1000

/** How long a sink that has been given up may take to let go, ms. */
const CLOSE_PATIENCE = 1000

export class PipelineRun {
  readonly plan: Plan
  readonly wired: Wired
  readonly pumps: readonly SourcePump[]
  readonly #options: PipelineRunOptions
  readonly #state: StateFile
  readonly #batchSize: number
  /** Sources that read from outside stop first, so that what they read still reaches the others. */
  readonly #stopOutside = new AbortController()
  readonly #stopInside = new AbortController()
  readonly #giveUp = new AbortController()
  readonly #cancels: (() => void)[] = []
  #checkpointing: Promise<boolean> | undefined
  #pumping: Promise<void>[] = []
  #failure: unknown

  /** Opens the state, wires the graph and restores what was kept; nothing is read yet. */
  constructor(options: PipelineRunOptions) {
    this.#options = options
    this.plan = options.plan
    this.#batchSize = options.batchSize ?? options.plan.settings.batchSize
    const types = new Map(this.plan.nodes.map(({ id, component }) => [id, component.type]))
    const { deadLetterLimit } = this.plan.settings
    this.#state = new StateFile(options.stateDir, this.plan.name, { types, deadLetterLimit })
    this.wired = this.#wire()
    this.pumps = this.#restore()
  }

  get failure(): unknown {
    return this.#failure
  }

  #wire(): Wired {
    const { plan, clock, use, log } = this.#options
    return wire({
      plan,
      clock,
      epoch: this.#state.epoch(freshEpoch),
      contextFor: (node, nodeClock, counters) =>
        makeContext({
          pipeline: plan.name,
          node: node.id,
          clock: nodeClock,
          signal: this.#signalFor(node),
          log,
          use,
          counters,
        }),
      openSink: async ({ component, config }, context) =>
        (await component.open(config as never, context)) as Writer,
      openDeadLetters: async () => ({
        write: async (events) => {
          const gone = this.#state.addDeadLetters(events)
          if (gone > 0) log.warn({ pipeline: plan.name, gone }, 'the oldest dead letters are gone')
          return undefined
        },
      }),
      batchSize: this.#batchSize,
      attempts: Number.POSITIVE_INFINITY,
      pause: (ms) => pause(ms, this.#giveUp.signal),
      log,
      giveUp: this.#giveUp.signal,
      onFatal: (error) => this.#fail(error),
    })
  }

  #signalFor(node: Plan['nodes'][number]): AbortSignal {
    if (node.section !== 'sources') return this.#giveUp.signal
    return node.component.internal ? this.#stopInside.signal : this.#stopOutside.signal
  }

  #restore(): SourcePump[] {
    const { plan, log } = this.#options
    const strangers = this.#state.forgetStrangers()
    if (strangers.length > 0) {
      log.warn({ pipeline: plan.name, nodes: strangers }, 'dropped the state of nodes that changed')
    }
    for (const [id, runner] of this.wired.runners) {
      const saved = runner.state && this.#state.keyed(id)
      if (saved) runner.restore(this.#fitting(id, saved.keys), saved.watermark)
    }
    const positions = this.#state.positions()
    const pumps: SourcePump[] = []
    for (const node of plan.nodes) {
      if (node.section !== 'sources') continue
      const inlet = this.wired.inlets.get(node.id)
      const context = this.wired.contexts.get(node.id)
      if (!inlet || !context) throw new Error(`source ${node.id} was not wired`)
      const saved = positions.get(node.id)
      inlet.sequence = saved?.sequence ?? 0
      const { flow } = this.wired
      const { credit } = plan.settings
      const position = saved?.position ?? undefined
      const batchSize = this.#batchSize
      pumps.push(new SourcePump({ node, inlet, flow, context, batchSize, credit, position }))
    }
    return pumps
  }

  /** State that an earlier version of the operator kept in another shape is no state of this one. */
  #fitting(node: string, keys: readonly SavedKey[]): SavedKey[] {
    const { plan, log } = this.#options
    const operator = plan.nodes.find(({ id }) => id === node) as PlanOperator
    const fits = stateCheck(operator.component.state)
    const fitting = keys.filter(({ state }) => fits(state))
    const misfits = keys.length - fitting.length
    if (misfits > 0)
      log.warn({ pipeline: plan.name, node, misfits }, 'dropped state of another shape')
    return fitting
  }

  /** ms since the epoch, by the pipeline's clock */
  now(): number {
    return this.#options.clock.now()
  }

  /** Starts reading. */
  start(): void {
    const { checkpointInterval } = this.plan.settings
    this.#pumping = this.pumps.map((pump) => pump.run().catch((error) => this.#fail(error)))
    this.#cancels.push(
      every(checkpointInterval, () => void this.checkpoint().catch((error) => this.#fail(error))),
      every(IDLE_AFTER, () => this.#tick()),
    )
  }

  /** Resolves when every source has ended, of itself or because it was stopped. */
  async ended(kind: 'outside' | 'inside'): Promise<void> {
    const wanted = this.pumps.map(
      (pump) => !!pump.source.component.internal === (kind === 'inside'),
    )
    await Promise.all(this.#pumping.filter((_, index) => wanted[index]))
  }

  stop(kind: 'outside' | 'inside'): void {
    if (kind === 'outside') this.#stopOutside.abort()
    else this.#stopInside.abort()
  }

  /** Nothing in flight, nothing waiting in an edge, and no source in the middle of a pull. */
  get isQuiet(): boolean {
    const { flow, detached } = this.wired
    return flow.isQuiet && detached.every(({ isEmpty }) => isEmpty)
  }

  /** Sinks stop trying; what is in flight fails and will be read again. */
  async giveUp(): Promise<void> {
    this.#giveUp.abort()
    // A write that hangs settles nothing; whoever waits for it must not hang with it.
    await Promise.race([this.wired.flow.quiet(), pause(CLOSE_PATIENCE)])
    if (!this.wired.flow.isQuiet) this.wired.flow.fail()
  }

  /**
   * Stands the pipeline still, writes positions, state and timers at once, and goes on.
   * @returns false when it could not come to rest before the next one is due, or has failed
   */
  checkpoint(): Promise<boolean> {
    this.#checkpointing ??= this.#checkpoint().finally(() => {
      this.#checkpointing = undefined
    })
    return this.#checkpointing
  }

  async #checkpoint(): Promise<boolean> {
    const { flow, detached } = this.wired
    const { checkpointInterval } = this.plan.settings
    const patience = new AbortController()
    try {
      const rest = Promise.all(this.pumps.map((pump) => pump.pause())).then(() => {
        for (const edge of detached) edge.pause()
        return flow.quiet()
      })
      await Promise.race([rest, pause(checkpointInterval, patience.signal)])
      if (flow.failed || !flow.isQuiet || this.#failure) return false
      this.#save()
      return true
    } finally {
      patience.abort()
      for (const edge of detached) edge.resume()
      for (const pump of this.pumps) pump.resume()
    }
  }

  #save(): void {
    const { runners } = this.wired
    const keyed = [...runners].filter(([, runner]) => runner.state)
    this.#state.save({
      positions: new Map(
        this.pumps.map(({ source, position, inlet }) => [
          source.id,
          { position, sequence: inlet.sequence },
        ]),
      ),
      watermarks: new Map(keyed.map(([id, { watermark }]) => [id, watermark])),
      changes: new Map(
        keyed.map(([id, runner]) => [id, runner.takeChanges() ?? { saved: [], removed: [] }]),
      ),
    })
  }

  /** When nothing comes in, time still passes: timers fire by the clock. */
  #tick(): void {
    if (this.#checkpointing || !this.pumps.every((pump) => pump.hasBeenIdle(IDLE_AFTER))) return
    if (this.wired.flow.isQuiet) this.wired.broadcast(this.#options.clock.now())
  }

  #fail(error: unknown): void {
    this.#failure ??= error
    this.#stopOutside.abort()
    this.#stopInside.abort()
    this.#giveUp.abort()
  }

  /**
   * Ends the pipeline after its sources have ended: drains, writes a last checkpoint, closes.
   * @param ms how long draining may take before what is in flight is given up
   */
  async close(ms: number): Promise<void> {
    const timer = new AbortController()
    const deadline = pause(ms, timer.signal)
    await Promise.race([this.#drained(), deadline])
    if (!this.isQuiet) await this.giveUp()
    for (const cancel of this.#cancels) cancel()
    const saved = this.isQuiet && (await this.checkpoint())
    if (!saved && !this.#failure) this.#failure = this.#whyNot()
    const closing = [...this.wired.sinks.values()].map((sink) => sink.close())
    await Promise.race([Promise.allSettled(closing), pause(CLOSE_PATIENCE, timer.signal)])
    timer.abort()
    this.#state.close()
  }

  async #drained(): Promise<void> {
    await Promise.all(this.#pumping)
    while (!this.isQuiet && !this.wired.flow.failed) {
      await this.wired.flow.quiet()
      await pause(1)
    }
  }

  #whyNot(): unknown {
    const sink = [...this.wired.sinks.values()].find(({ cause }) => cause !== undefined)
    const message = 'the pipeline stopped with input in flight; it will be read again'
    return sink?.cause ?? new EngineError('NOT_DRAINED', message)
  }
}
