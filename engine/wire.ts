/** Turns a plan into RxJS: a node is an `Observable<Batch>`, an edge a subscription. */
import { concatMap, filter, map, type Observable, type OperatorFunction, share, tap } from 'rxjs'
import type { Backlog } from './backlog.ts'
import { type Batch, makeBatch } from './batch.ts'
import { type Clock, type EventClock, eventClock } from './clock.ts'
import { type EdgeCounters, type NodeCounters, newCounters, newEdgeCounters } from './counters.ts'
import type { Context, Logger, Writer } from './define.ts'
import { DetachedEdge } from './detached_edge.ts'
import type { AnswerSource } from './enrich/answers.ts'
import { Asking } from './enrich/asking.ts'
import { type FanInEdge, fanIn } from './fan_in.ts'
import { Flow } from './flow.ts'
import { streamId } from './ids.ts'
import { Injector } from './injector.ts'
import { Inlet } from './inlet.ts'
import { inputCheck } from './input_check.ts'
import { type OperatorRunner, operatorRunner, portsOf } from './operator_runner.ts'
import { Outputs, type Ported } from './outputs.ts'
import type { Plan, PlanEdge, PlanNode, PlanOperator, PlanSink, PlanSource } from './plan.ts'
import { countReaders, deadLetterEdges, inletOf, inputSchema, portKey } from './plan_edges.ts'
import { PortListeners } from './port_listeners.ts'
import { splitByShape } from './shape_split.ts'
import { SinkRunner, type SinkRunnerOptions } from './sink_runner.ts'
import type { Trace } from './trace.ts'

/** Node id of the implicit sink that takes every error port nobody else reads. */
export const DEAD_LETTERS = 'dead_letters'

export interface WireOptions {
  readonly plan: Plan
  readonly clock: Clock
  /** 16 hex characters; ids of events start from it */
  readonly epoch: string
  readonly contextFor: (node: PlanNode, clock: Clock, counters: NodeCounters) => Context
  readonly openSink: (node: PlanSink, context: Context) => Promise<Writer>
  readonly openDeadLetters: () => Promise<Writer>
  readonly batchSize: number
  /** tries of a sink that fails, or of a question without an answer */
  readonly attempts: number
  /** where enrichments find answers; default: each asks the outside, and nothing is kept */
  readonly answers?: AnswerSource | undefined
  readonly pause: (ms: number) => Promise<void>
  readonly log: Logger
  /** Aborted when sinks must stop trying. */
  readonly giveUp: AbortSignal
  readonly onFatal: (error: unknown) => void
  /** Every edge blocks, whatever its policy: what a replay drops must not hang on its batch size. */
  readonly dropless?: boolean
  /** Called with every batch that leaves a port, by `node` or `node.port`. */
  readonly taps?: ReadonlyMap<string, (batch: Batch) => void>
  /** Told what each operator does with each event. */
  readonly trace?: Trace | undefined
}

export interface Wired {
  readonly flow: Flow
  readonly inlets: ReadonlyMap<string, Inlet>
  readonly runners: ReadonlyMap<string, OperatorRunner>
  readonly sinks: ReadonlyMap<string, SinkRunner>
  /** The nodes that ask the outside. */
  readonly askers: ReadonlyMap<string, Asking>
  /** What waits before the sinks and the nodes that ask. */
  readonly backlogs: ReadonlyMap<string, Backlog>
  readonly detached: readonly DetachedEdge[]
  readonly counters: ReadonlyMap<string, NodeCounters>
  readonly edges: readonly EdgeCounters[]
  readonly contexts: ReadonlyMap<string, Context>
  /** Where a running graph can be looked at. */
  readonly listeners: PortListeners
  /** Ways into the operators and sinks, past their inputs, by node. */
  readonly injectors: ReadonlyMap<string, Injector>
  /**
   * An empty root batch through all sources at once, so that timers up to `time` (ms) fire;
   * Infinity lets event time run on to the last timer that is set, as at the end of input.
   */
  broadcast(time: number): void
}

/**
 * A sink that lags takes what has piled up in one write, up to this and to half of what may be under
 * way, so that the other half is made meanwhile: committing costs a database the same for one row as
 * for thousands.
 */
const EVENTS_PER_WRITE = 16_384

/** Source name of the root batches that enter by every source at once. */
const EVERYWHERE = '*'

export function wire(options: WireOptions): Wired {
  return new Wiring(options).build()
}

class Wiring {
  readonly #options: WireOptions
  readonly #flow = new Flow()
  readonly #inlets = new Map<string, Inlet>()
  readonly #runners = new Map<string, OperatorRunner>()
  readonly #sinks = new Map<string, SinkRunner>()
  readonly #askers = new Map<string, Asking>()
  /** Nodes whose batches may come late, since something is asked before them. */
  readonly #late = new Set<string>()
  readonly #backlogs = new Map<string, Backlog>()
  readonly #detached: DetachedEdge[] = []
  readonly #counters = new Map<string, NodeCounters>()
  readonly #edges: EdgeCounters[] = []
  readonly #contexts = new Map<string, Context>()
  readonly #listeners = new PortListeners()
  readonly #injectors = new Map<string, Injector>()
  readonly #clocks = new Map<string, EventClock | undefined>()
  /** Port key → its batches. */
  readonly #ports = new Map<string, Observable<Batch>>()
  /** Node → the inlets whose batches reach it. */
  readonly #reached = new Map<string, ReadonlySet<string>>()
  readonly #readers: ReadonlyMap<string, number>
  readonly #deadLetterEdges: readonly PlanEdge[]

  readonly #fatal = (error: unknown): void => {
    this.#options.onFatal(error)
    this.#flow.fail()
  }

  constructor(options: WireOptions) {
    this.#options = options
    this.#deadLetterEdges = deadLetterEdges(options.plan)
    this.#readers = countReaders(options.plan, this.#deadLetterEdges)
  }

  build(): Wired {
    const { plan } = this.#options
    for (const node of plan.nodes) {
      this.#prepare(node)
      if (node.section === 'sources') this.#addSource(node)
      else if (node.section === 'operators') this.#addOperator(node)
      else this.#addSink(node)
    }
    this.#addDeadLetters()
    for (const node of plan.nodes) if (node.section === 'sources') this.#addWakes(node)
    return {
      flow: this.#flow,
      inlets: this.#inlets,
      runners: this.#runners,
      sinks: this.#sinks,
      askers: this.#askers,
      backlogs: this.#backlogs,
      detached: this.#detached,
      counters: this.#counters,
      edges: this.#edges,
      contexts: this.#contexts,
      listeners: this.#listeners,
      injectors: this.#injectors,
      broadcast: (time) => this.#broadcast(time),
    }
  }

  #prepare(node: PlanNode): void {
    const { clock, contextFor } = this.#options
    const counters = newCounters()
    const nodeClock = clock.live ? undefined : eventClock(clock.now())
    this.#counters.set(node.id, counters)
    this.#clocks.set(node.id, nodeClock)
    this.#contexts.set(node.id, contextFor(node, nodeClock ?? clock, counters))
  }

  #readersOf(node: string, port: string): number {
    return this.#readers.get(portKey(node, port)) ?? 0
  }

  #countersOf(node: string): NodeCounters {
    return this.#counters.get(node) as NodeCounters
  }

  #addSource(node: PlanNode): void {
    const { plan, clock, epoch } = this.#options
    const inlet = new Inlet({
      source: node.id,
      stream: streamId(epoch, plan.name, node.id),
      flow: this.#flow,
      clock,
      counters: this.#countersOf(node.id),
      consumers: { main: this.#readersOf(node.id, ''), errors: this.#readersOf(node.id, 'errors') },
    })
    this.#inlets.set(node.id, inlet)
    this.#reached.set(node.id, new Set([node.id, EVERYWHERE]))
    this.#expose(node.id, '', inlet.main)
    this.#expose(node.id, 'errors', inlet.errors)
  }

  /** A wake is no edge: it holds no batch and says only that there was something. */
  #addWakes({ id, wake = [] }: PlanSource): void {
    for (const { from, port } of wake) {
      const { wakeup } = this.#contexts.get(id) as Context
      this.#ports.get(portKey(from, port))?.subscribe({
        next: ({ events }) => {
          if (events.length > 0) wakeup.ring()
        },
        error: this.#fatal,
      })
    }
  }

  /** Makes a port readable, with its tap in between. */
  #expose(node: string, port: string, batches: Observable<Batch>): void {
    const key = portKey(node, port)
    const seen = this.#options.taps?.get(key)
    const tapped = seen ? batches.pipe(tap(seen), share()) : batches
    this.#ports.set(key, this.#listeners.watch(key, tapped))
  }

  #inputOf(node: { id: string; inputs: readonly PlanEdge[] }): Observable<Batch> {
    const edges = node.inputs.map((edge, index) => this.#edge(node.id, edge, index))
    const injector = new Injector(node.id, this.#flow, this.#options.clock)
    this.#injectors.set(node.id, injector)
    const reached = edges.flatMap(({ reachedFrom }) => [...reachedFrom])
    this.#reached.set(node.id, new Set([...reached, injector.inlet]))
    return injector.beside(fanIn(edges, this.#orderFor(node.id, node.inputs)))
  }

  /** @returns what fan-in keeps to where parts may come late: only there, as it costs a little */
  #orderFor(node: string, inputs: readonly PlanEdge[]): Flow | undefined {
    if (!inputs.some(({ from }) => this.#late.has(from))) return undefined
    this.#late.add(node)
    return this.#flow
  }

  #edge(consumer: string, edge: PlanEdge, index: number): FanInEdge {
    const from = portKey(edge.from, edge.port)
    const port = this.#ports.get(from)
    if (!port) throw new Error(`nothing leaves ${from}`)
    const counters = newEdgeCounters(from, consumer)
    this.#edges.push(counters)
    const { clock } = this.#options
    const batches = port.pipe(
      tap(({ events }) => {
        const last = events.at(-1)
        if (!last) return
        counters.sent += events.length
        counters.lastTime = last.time
        counters.lastAt = clock.now()
      }),
    )
    if (edge.policy === 'block' || this.#options.dropless) {
      return { batches, reachedFrom: this.#reached.get(edge.from) ?? new Set() }
    }
    const inlet = inletOf(edge, consumer, index)
    const detached = new DetachedEdge(inlet, edge, this.#flow, counters)
    detached.attach(batches, this.#fatal)
    this.#detached.push(detached)
    return { batches: detached.batches, reachedFrom: new Set([inlet]) }
  }

  #addOperator(node: PlanOperator): void {
    const input = this.#inputOf(node)
    if (node.component.stream) this.#addStream(node, input)
    else if (node.component.enrich) this.#addAsking(node, input)
    else this.#addRunner(node, input)
  }

  #addRunner(node: PlanOperator, input: Observable<Batch>): void {
    const counters = this.#countersOf(node.id)
    const context = this.#contextOf(node)
    const nodeClock = this.#clocks.get(node.id)
    const { trace } = this.#options
    const runner = operatorRunner(node, { context, counters, nodeClock, trace })
    this.#runners.set(node.id, runner)
    this.#exposeAll(node, portsOf(node), input.pipe(map((batch) => runner.process(batch))))
  }

  /** One batch at a time, so that order is kept; what waits is in flight, and bounded by credit. */
  #addAsking(node: PlanOperator, input: Observable<Batch>): void {
    const { trace, answers = {}, attempts, giveUp } = this.#options
    const counters = this.#countersOf(node.id)
    const asking = new Asking(node, {
      context: this.#contextOf(node),
      counters,
      nodeClock: this.#clocks.get(node.id),
      trace,
      answers,
      attempts,
      giveUp,
    })
    this.#askers.set(node.id, asking)
    this.#backlogs.set(node.id, asking.backlog)
    this.#late.add(node.id)
    const made = input.pipe(
      tap((batch) => {
        counters.queued += 1
        asking.backlog.enter(batch)
      }),
      concatMap((batch) => asking.process(batch)),
      tap(() => {
        counters.queued -= 1
      }),
      filter((ported) => ported !== undefined),
    )
    this.#exposeAll(node, portsOf(node), made)
  }

  /** The operator's own RxJS code sees only events that fit; the others take the error port. */
  #addStream(node: PlanOperator, input: Observable<Batch>): void {
    const { component, config } = node
    const make = component.stream as NonNullable<typeof component.stream>
    const counters = this.#countersOf(node.id)
    const check = inputCheck(inputSchema(node))
    const outputs = new Outputs(node.id, [''], counters)
    const checked = input.pipe(map((batch) => splitByShape(batch, check, outputs, counters)))
    const shared = checked.pipe(share())
    const made = shared.pipe(
      map((ported) => ported.get('') as Batch),
      make(config as never, this.#contextOf(node)),
      tap((batch) => {
        counters.out += batch.events.length
      }),
      this.#holding(this.#readersOf(node.id, '')),
    )
    const errors = shared.pipe(map((ported) => ported.get('errors') as Batch))
    this.#expose(node.id, '', made)
    this.#expose(
      node.id,
      'errors',
      errors.pipe(this.#retaining(this.#readersOf(node.id, 'errors'))),
    )
  }

  #exposeAll(node: PlanOperator, ports: readonly string[], made: Observable<Ported>): void {
    const counters = this.#countersOf(node.id)
    const all = [...ports, 'errors']
    const readers = all.reduce((sum, port) => sum + this.#readersOf(node.id, port), 0)
    const shared = made.pipe(
      tap((ported) => {
        for (const port of ports) counters.out += ported.get(port)?.events.length ?? 0
        const { token } = ported.get('errors') as Batch
        if (readers === 0) token.settle('delivered')
        else if (readers > 1) token.retain(readers - 1)
      }),
      share(),
    )
    for (const port of all) {
      this.#expose(node.id, port, shared.pipe(map((ported) => ported.get(port) as Batch)))
    }
  }

  /** The hold a batch came with becomes one for each of `readers`. */
  #holding(readers: number): OperatorFunction<Batch, Batch> {
    return (batches) =>
      batches.pipe(
        tap(({ token }) => {
          if (readers === 0) token.settle('delivered')
          else if (readers > 1) token.retain(readers - 1)
        }),
        share(),
      )
  }

  /** `readers` more holds, beside the one that goes another way. */
  #retaining(readers: number): OperatorFunction<Batch, Batch> {
    return (batches) =>
      batches.pipe(
        tap(({ token }) => token.retain(readers)),
        share(),
      )
  }

  #contextOf(node: PlanNode): Context {
    return this.#contexts.get(node.id) as Context
  }

  #addSink(node: PlanSink): void {
    const { openSink } = this.#options
    const runner = this.#sinkRunner(node.id, {
      open: () => openSink(node, this.#contextOf(node)),
      check: inputCheck(inputSchema(node)),
      outcome: 'delivered',
      errorsWired: true,
    })
    this.#inputOf(node).subscribe({
      next: (batch) => runner.push(batch),
      error: this.#fatal,
    })
    const readers = this.#readersOf(node.id, 'errors')
    this.#expose(node.id, 'errors', runner.errors.pipe(this.#holding(readers)))
  }

  #sinkRunner(
    id: string,
    own: Pick<SinkRunnerOptions, 'open' | 'check' | 'outcome' | 'errorsWired'>,
  ): SinkRunner {
    const { plan, attempts, pause, log, giveUp, batchSize } = this.#options
    const runner = new SinkRunner({
      ...own,
      node: id,
      counters: this.#countersOf(id),
      maxEvents: Math.max(batchSize, Math.min(EVENTS_PER_WRITE, plan.settings.credit >> 1)),
      attempts,
      pause,
      log,
      signal: giveUp,
      nodeClock: this.#clocks.get(id),
      onFatal: this.#fatal,
    })
    this.#sinks.set(id, runner)
    this.#backlogs.set(id, runner.backlog)
    return runner
  }

  #addDeadLetters(): void {
    if (this.#deadLetterEdges.length === 0) return
    this.#counters.set(DEAD_LETTERS, newCounters())
    const runner = this.#sinkRunner(DEAD_LETTERS, {
      open: this.#options.openDeadLetters,
      check: () => undefined,
      outcome: 'dead_lettered',
      errorsWired: false,
    })
    const edges = this.#deadLetterEdges.map((edge, index) => this.#edge(DEAD_LETTERS, edge, index))
    fanIn(edges, this.#orderFor(DEAD_LETTERS, this.#deadLetterEdges)).subscribe({
      next: (batch) => {
        for (const { data } of batch.events) this.#countersOf(String(data.node)).deadLettered += 1
        runner.push(batch)
      },
      error: this.#fatal,
    })
  }

  /** An empty root batch through all sources at once, so that timers up to `time` fire. */
  #broadcast(time: number): void {
    const { sequence, token } = this.#flow.open(EVERYWHERE, 0)
    const root = { sequence, source: EVERYWHERE, arrivals: [time] }
    const batch = makeBatch([], [], [time], root, token)
    for (const [id, inlet] of this.#inlets) {
      token.retain(this.#readersOf(id, '') + this.#readersOf(id, 'errors'))
      if (this.#readersOf(id, '') > 0) inlet.main.next(batch)
      if (this.#readersOf(id, 'errors') > 0) inlet.errors.next(batch)
    }
    token.settle('delivered')
  }
}
