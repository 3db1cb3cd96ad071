/** One pipeline, live: pumps, checkpoints, and the way down. */
import type { Worker } from 'node:worker_threads'
import { type Clock, every, freshEpoch, pause } from './clock.ts'
import { mayResume } from './compile/promises.ts'
import { makeContext, type ResourceUse } from './context.ts'
import { LetterReplay } from './dead_letter_replay.ts'
import type { Context, Logger, Writer } from './define.ts'
import type { AnswerBook } from './enrich/answers.ts'
import { EngineError, FatalError, toFailure } from './errors.ts'
import { stateCheck } from './input_check.ts'
import { Journal } from './journal/journal.ts'
import { barePosition } from './journal/position.ts'
import type { SavedKey, StateChanges } from './keyed_state.ts'
import { LaneGate } from './lanes/lane_gate.ts'
import { obstacleToLanes } from './lanes/lane_plan.ts'
import { LanePool } from './lanes/lane_pool.ts'
import type { Plan, PlanOperator, PlanSink, PlanSource } from './plan.ts'
import { SourcePump } from './source_pump.ts'
import { countChanges, mergeChanges } from './state_changes.ts'
import { isPassing, StateFile } from './state_file.ts'
import { type Wired, wire } from './wire.ts'

export interface PipelineRunOptions {
  readonly plan: Plan
  readonly stateDir: string
  readonly clock: Clock
  readonly use: ResourceUse
  readonly log: Logger
  /** 16 hex characters ids start from where the state begins with this run; undefined: fresh ones */
  readonly epoch?: string
  /** overrides the plan's */
  readonly batchSize?: number | undefined
  /** Starts a thread that serves a lane of the plan; undefined: `settings.threads` is 1 here. */
  readonly startLane?: ((plan: Plan) => Worker) | undefined
  /**
   * The bus keeps what its sources have not read, so that on a stop they need not wait for those
   * that feed them.
   */
  readonly busReachesOut?: boolean | undefined
  /** stands between the enrichments and where their answers are kept */
  readonly answersBy?: ((journal: AnswerBook | undefined) => AnswerBook) | undefined
}

/** A source that has given nothing for this long no longer holds event time back, ms. */
const IDLE_AFTER = 1000

/** How often is looked whether a source that starts for the first time has a place to save, ms. */
const FIRST_PLACE_EVERY = 100

/** Changes that may wait in memory for a disk that is full; beyond it the pipeline ends. */
const MOST_UNSAVED = 1_000_000

/** How long a sink that has been given up may take to let go, ms. */
const CLOSE_PATIENCE = 1000

export class PipelineRun {
  readonly plan: Plan
  readonly wired: Wired
  readonly pumps: readonly SourcePump[]
  /** Hands dead letters to their nodes once more. */
  readonly letters: LetterReplay
  readonly #options: PipelineRunOptions
  readonly #state: StateFile
  /** What sources with `journal: true` read, and what is answered; opened at its first use. */
  readonly journal: Journal
  readonly #batchSize: number
  /** Sources that read from outside stop first, so that what they read still reaches the others. */
  readonly #stopOutside = new AbortController()
  readonly #stopInside = new AbortController()
  readonly #giveUp = new AbortController()
  readonly #cancels: (() => void)[] = []
  #lanes: LanePool | undefined
  #checkpointing: Promise<boolean> | undefined
  #pumping: Promise<void>[] = []
  #failure: unknown
  #silentTicks = 0
  /** changes of keyed state that no checkpoint has yet */
  #unsaved: ReadonlyMap<string, StateChanges> = new Map()
  /** why the last checkpoint could not be written; undefined after one that was */
  #unwritten: unknown

  /** Opens the state, wires the graph and restores what was kept; nothing is read yet. */
  constructor(options: PipelineRunOptions) {
    this.#options = options
    this.plan = options.plan
    this.#batchSize = options.batchSize ?? options.plan.settings.batchSize
    const types = new Map(this.plan.nodes.map(({ id, component }) => [id, component.type]))
    const { deadLetterLimit } = this.plan.settings
    this.#state = new StateFile(options.stateDir, this.plan.name, { types, deadLetterLimit })
    this.journal = new Journal({
      ...options,
      giveUp: this.#giveUp.signal,
      broadcast: (time) => this.wired.broadcast(time),
      undisturbed: () => this.#undisturbed(),
    })
    this.wired = this.#wire()
    this.pumps = this.#restore()
    this.letters = this.#letterReplay()
  }

  #letterReplay(): LetterReplay {
    return new LetterReplay({
      wired: this.wired,
      credit: this.plan.settings.credit,
      letters: (selection, after, limit) => this.#state.letters(selection, after, limit),
      countLetters: (selection) => this.#state.countLetters(selection),
      undisturbed: () => this.#undisturbed(),
      checkpoint: () => this.checkpoint(),
    })
  }

  /** Resolves when no checkpoint is being written. */
  async #undisturbed(): Promise<void> {
    while (this.#checkpointing) await this.#checkpointing
  }

  /** How many dead letters are kept. */
  get deadLetterCount(): number {
    return this.#state.countLetters({}).count
  }

  get failure(): unknown {
    return this.#failure
  }

  #wire(): Wired {
    const { plan, epoch, clock, use, log } = this.#options
    return wire({
      plan,
      clock,
      epoch: this.#state.epoch(() => epoch ?? freshEpoch()),
      contextFor: (node, nodeClock, counters) =>
        makeContext({
          pipeline: plan.name,
          node: node.id,
          clock: nodeClock,
          signal: this.#signalFor(node),
          log,
          use,
          counters,
          checkpointSoon: () => void this.checkpoint().catch((error) => this.#fail(error)),
        }),
      openSink: (node, context) => this.#openSink(node, context),
      openDeadLetters: async () => ({
        write: async (events) => {
          const gone = this.#state.addDeadLetters(events)
          if (gone > 0) log.warn({ pipeline: plan.name, gone }, 'the oldest dead letters are gone')
          return undefined
        },
      }),
      batchSize: this.#batchSize,
      attempts: Number.POSITIVE_INFINITY,
      answers: { book: this.#answerBook() },
      pause: (ms) => pause(ms, this.#giveUp.signal),
      log,
      giveUp: this.#giveUp.signal,
      onFatal: (error) => this.#fail(error),
    })
  }

  /** Without a journal an answer is not kept: the event may be read again, and asks again. */
  #answerBook(): AnswerBook | undefined {
    const { plan, answersBy } = this.#options
    const hasJournal = plan.nodes.some((node) => node.section === 'sources' && node.journal)
    const journal = hasJournal ? this.journal : undefined
    return answersBy ? answersBy(journal) : journal
  }

  async #openSink(node: PlanSink, context: Context): Promise<Writer> {
    const { component, config, id } = node
    const resumes = mayResume(this.plan, id)
    const saved = resumes ? this.#state.positions().get(id)?.position : undefined
    const writer = (await component.open(config as never, context, saved)) as Writer
    // Before its first write: what a crash leaves behind this point is taken back.
    if (resumes && writer.position) this.#state.saveSinkPosition(id, writer.position())
    return writer
  }

  /**
   * Sinks that take back what no checkpoint covers, or go on with what they have taken, do so before
   * anything is read: the input may bring nothing that would open them. One that cannot be opened now
   * is tried at its first batch, unless others wait for it to be there.
   */
  async #resumeSinks(): Promise<void> {
    const saved = this.#state.positions()
    for (const [id, sink] of this.wired.sinks) {
      const node = this.plan.nodes.find((one) => one.id === id)
      if (node?.section === 'sinks' && node.component.opensFirst) {
        await sink.openNow()
        continue
      }
      if (!goesOnAlone(this.plan, id) && !(mayResume(this.plan, id) && saved.has(id))) continue
      await sink.openNow().catch((error: unknown) => {
        if (error instanceof FatalError) throw error
        const { code, message } = toFailure(error)
        this.#options.log.warn({ pipeline: this.plan.name, node: id, code }, message)
      })
    }
  }

  #signalFor(node: Plan['nodes'][number]): AbortSignal {
    if (node.section !== 'sources') return this.#giveUp.signal
    return this.#isInside(node) ? this.#stopInside.signal : this.#stopOutside.signal
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
      const kept = saved?.position ?? undefined
      const position = node.journal ? kept : barePosition(kept)
      const read = node.journal
        ? this.journal.attach(node, { position, stream: inlet.stream, given: inlet.sequence })
        : node
      const batchSize = this.#batchSize
      pumps.push(new SourcePump({ node: read, inlet, flow, context, batchSize, credit, position }))
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
    this.#openLanes()
    // What comes before the threads are there would be done by the first alone.
    const resumed = Promise.all([this.#resumeSinks(), this.#lanes?.ready])
    this.#pumping = this.pumps.map((pump) =>
      resumed.then(() => pump.run()).catch((error) => this.#fail(error)),
    )
    this.#cancels.push(
      every(checkpointInterval, () => void this.checkpoint().catch((error) => this.#fail(error))),
      every(IDLE_AFTER, () => this.#tick()),
    )
    this.#checkpointEarly()
  }

  #openLanes(): void {
    const { plan, startLane } = this.#options
    const { threads } = plan.settings
    if (!startLane || threads === 1 || obstacleToLanes(plan) !== undefined) return
    const pool = new LanePool({
      count: threads,
      start: () => startLane(plan),
      onFatal: (error) => {
        this.#fail(error)
        this.wired.flow.fail()
      },
    })
    this.#lanes = pool
    const sinks = plan.nodes.filter((node) => node.section === 'sinks')
    const gate = new LaneGate(pool, this.wired, sinks)
    for (const inlet of this.wired.inlets.values()) inlet.bypass = gate
  }

  /**
   * A source without a saved place starts anew after a crash, and a file that was rotated meanwhile
   * would be lost: the first place is saved as soon as there is one.
   */
  #checkpointEarly(): void {
    const unsaved = this.pumps.filter(({ position }) => position === undefined)
    if (unsaved.length === 0) return
    const cancel = every(FIRST_PLACE_EVERY, () => {
      if (unsaved.every(({ position }) => position === undefined)) return
      cancel()
      this.checkpoint().catch((error) => this.#fail(error))
    })
    this.#cancels.push(cancel)
  }

  #isInside({ component }: PlanSource): boolean {
    return component.internal === true && !this.#options.busReachesOut
  }

  /** Resolves when every source has ended, of itself or because it was stopped. */
  async ended(kind: 'outside' | 'inside'): Promise<void> {
    const wanted = this.pumps.map(({ source }) => this.#isInside(source) === (kind === 'inside'))
    await Promise.all(this.#pumping.filter((_, index) => wanted[index]))
  }

  stop(kind: 'outside' | 'inside'): void {
    if (kind === 'outside') this.#stopOutside.abort()
    else this.#stopInside.abort()
  }

  /** Nothing in flight, nothing waiting in an edge, and no source in the middle of a pull. */
  get isQuiet(): boolean {
    const { flow, detached } = this.wired
    return flow.isQuiet && detached.every(({ isEmpty }) => isEmpty) && this.journal.isEmpty
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
      let atRest = false
      const rest = Promise.all(this.pumps.map((pump) => pump.pause()))
        .then(() => {
          // Whoever gave up has let everything go on.
          if (!patience.signal.aborted) for (const edge of detached) edge.pause()
          return flow.quiet()
        })
        .then(() => {
          atRest = true
        })
      // A slow sink gets the time it takes, as long as it gets anywhere: what waits for it is
      // bounded, and without a checkpoint it would all be read again.
      for (let before = -1; !atRest && flow.closed > before; ) {
        before = flow.closed
        await Promise.race([rest, pause(checkpointInterval, patience.signal)])
      }
      if (!atRest || flow.failed || !flow.isQuiet || this.#failure) return false
      if (!this.#save()) return false
      for (const pump of this.pumps) pump.checkpointed()
      await this.journal.checkpointed()
      return true
    } finally {
      patience.abort()
      for (const edge of detached) edge.resume()
      for (const pump of this.pumps) pump.resume()
    }
  }

  /** @returns false when it cannot be written now, as on a full disk; the next one will have it */
  #save(): boolean {
    const { runners, sinks } = this.wired
    const keyed = [...runners].filter(([, runner]) => runner.state)
    const doneLetters = this.letters.done
    const changes = mergeChanges(
      this.#unsaved,
      new Map(
        keyed.map(([id, runner]) => [id, runner.takeChanges() ?? { saved: [], removed: [] }]),
      ),
    )
    this.#unsaved = changes
    try {
      this.#state.save({
        positions: new Map(
          this.pumps.map(({ source: { id, journal }, position, inlet }) => [
            id,
            {
              position: journal ? this.journal.positionOf(id) : position,
              sequence: inlet.sequence,
            },
          ]),
        ),
        sinkPositions: new Map(
          [...sinks]
            .filter(([id, sink]) => sink.position !== undefined && mayResume(this.plan, id))
            .map(([id, sink]) => [id, sink.position]),
        ),
        watermarks: new Map(keyed.map(([id, { watermark }]) => [id, watermark])),
        changes,
        doneLetters,
      })
    } catch (error) {
      if (!isPassing(error) || countChanges(changes) > MOST_UNSAVED) throw error
      this.#unwritten = error
      const { pipeline, message } = { pipeline: this.plan.name, message: toFailure(error).message }
      this.#options.log.warn({ pipeline }, `no checkpoint now, trying again: ${message}`)
      return false
    }
    this.#unwritten = undefined
    this.#unsaved = new Map()
    this.letters.forget(doneLetters)
    return true
  }

  /**
   * When nothing comes in, time still passes: timers fire by the clock. Not when all has come in,
   * for the next start goes on from there; and not at the first silence, which may only be this
   * process that could not look. With a journal only where a timer fires, for that is written down,
   * and months of silence must not fill it.
   */
  #tick(): void {
    const silent = this.pumps.every(
      (pump) => pump.source.component.ticks !== undefined || pump.hasBeenIdle(IDLE_AFTER),
    )
    const over = this.pumps.every((pump) => pump.hasEnded)
    this.#silentTicks = silent && !over ? this.#silentTicks + 1 : 0
    if (this.#checkpointing || this.#silentTicks < 2) return
    // What is being written down has arrived already, though it has not entered yet.
    if (!this.journal.isEmpty) return
    if (!this.wired.flow.isQuiet) return
    const now = this.now()
    if (!this.journal.isInUse) this.wired.broadcast(now)
    else if ([...this.wired.runners.values()].some(({ nextTimer }) => nextTimer <= now)) {
      this.journal.passTime(now).catch((error) => this.#fail(error))
    }
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
    this.letters.close()
    const timer = new AbortController()
    const deadline = pause(ms, timer.signal)
    await Promise.race([this.#drained(), deadline])
    if (!this.isQuiet) await this.giveUp()
    for (const cancel of this.#cancels) cancel()
    const saved = this.isQuiet && (await this.checkpoint())
    if (!saved && !this.#failure) this.#failure = this.#whyNot()
    await this.#lanes?.close()
    const closing = [...this.wired.sinks.values()].map((sink) => sink.close())
    await Promise.race([Promise.allSettled(closing), pause(CLOSE_PATIENCE, timer.signal)])
    timer.abort()
    await this.journal.close()
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
    const { sinks, askers } = this.wired
    const workers = [...sinks.values(), ...askers.values()]
    const stuck = workers.find(({ cause }) => cause !== undefined)
    const message = 'the pipeline stopped with input in flight; it will be read again'
    return stuck?.cause ?? this.#unwritten ?? new EngineError('NOT_DRAINED', message)
  }
}

const goesOnAlone = ({ nodes }: Plan, id: string): boolean =>
  nodes.some((node) => node.id === id && node.section === 'sinks' && node.component.goesOnAlone)
