/** The author surface: what a source, an operator and a sink say about themselves. */
import type { OperatorFunction } from 'rxjs'
import type { Static, TObject, TSchema } from 'typebox'
import type { Batch } from './batch.ts'
import type { Clock } from './clock.ts'
import type { Data, Draft, Event, Failure } from './event.ts'
import type { LineBlock } from './line_block.ts'
import type { Wakeup } from './wakeup.ts'

/** A piece of YAML that `explain-type` shows and the conformance suite compiles. */
export interface Example {
  readonly title: string
  /** Body of one node, e.g. `type: dedup\nkey: [data.attacker_ip]`; inputs are added for it. */
  readonly yaml: string
  /** What the node makes of some input; run by the conformance suite where it is given. */
  readonly run?: {
    readonly send: readonly (string | { topic?: string; time?: number; data: Data })[]
    /** Each expected event as a partial match, in order, over all ports but `errors`. */
    readonly expect: readonly { topic?: string; time?: number; data?: Data }[]
    /** What an enrichment is answered, by key; null: the outside has nothing on it. */
    readonly answers?: Readonly<Record<string, Json>>
  }
}

/**
 * A handle to something that lives outside the pipeline (a database, a bus). The component names
 * what it needs, the caller of the engine provides it, and it is opened at its first use.
 */
export interface Resource<T> {
  readonly name: string
  /** Never set; carries the type. */
  readonly type?: T
}
export const defineResource = <T>(name: string): Resource<T> => ({ name })

/** What every component may use while it runs. */
export interface Context {
  readonly pipeline: string
  readonly node: string
  readonly clock: Clock
  /** Aborted when the pipeline stops. */
  readonly signal: AbortSignal
  readonly log: Logger
  use<T>(resource: Resource<T>): Promise<T>
  /** Adds to this node's counter `decnet_node_counted_total{reason}`; `reason` is a constant. */
  count(reason: string, by?: number): void
  /** For a source that looks for news from time to time: waits until it is time to look again. */
  readonly wakeup: Wakeup
  /**
   * For a source whose peer hands out no more before chunks are `saved`: asks for a checkpoint ahead
   * of time. Unset where there are none, as in a replay.
   */
  readonly checkpointSoon?: (() => void) | undefined
  /**
   * Set only where somebody asks (`explain-event`): says in a few words why the event at hand is
   * handled as it is. Call it as `context.explain?.(…)`, so that the text costs nothing otherwise.
   */
  readonly explain?: ((reason: string) => void) | undefined
}

/** The part of pino that components see. */
export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

interface Described<C extends TObject> {
  /** Name in YAML, lower_snake_case. */
  readonly type: string
  readonly summary: string
  /** What it guarantees about delivery or state, in a sentence. */
  readonly promise: string
  readonly config: C
  readonly examples: readonly Example[]
}

/** What a source reads that it cannot use: it leaves by the source's error port. */
export interface Reject {
  readonly failure: Failure
  readonly draft: Draft
}

/** What one pull of a source yields. */
export interface Chunk<P> {
  readonly events: readonly (Draft | Reject)[]
  /**
   * The same events as lines that nobody has read yet, which another thread may do: whoever takes
   * these does not ask for `events`. Made by `chunkOfLines`.
   */
  readonly lines?: LineBlock
  /** Where to resume once all of `events` are acknowledged. */
  readonly position: P
  /** When they arrived, ms: no later event time is believed. Set by the journal; else it is now. */
  readonly arrival?: number
  /**
   * Called once the chunk need not be read again, whatever happens: a checkpoint that covers it is
   * on disk, or the journal has it. In the order of the chunks; also after the source has ended.
   */
  readonly saved?: () => void
}

/** What a source that reads a capture is told. */
export interface CaptureContext {
  /** The name of the source in its pipeline, which goes into ids. */
  readonly node: string
  /** For what does not end the reading, e.g. a capture that is cut; no text from outside. */
  warn(message: string): void
}

/** Some events of a capture. */
export interface CapturedChunk {
  /** Each has an id. */
  readonly events: readonly (Draft | Reject)[]
  /** Bytes of the capture before each event. */
  readonly offsets: readonly number[]
}

/** One event at every multiple of `period` (ms, since the epoch). */
export interface Ticks {
  readonly period: number
  /** The event of `time`; it also stands for `missed` ticks before it. */
  draft(time: number, missed: number): Draft
}

/** What a source reads that follows what sinks write, e.g. the rows of a table. */
export interface Following {
  /** the name that `feeds` of such a sink gives */
  readonly stream: string
  /**
   * Called once for a replay, which has no other memory of what is there already.
   * @returns what makes of an event that was written the one the source reads; undefined: nothing new
   */
  readonly reader: () => (event: Event) => Draft | undefined
}

export interface SourceDefinition<C extends TObject = TObject, P = unknown> extends Described<C> {
  /**
   * Whether what was read can be read again after a crash. `false`: input that was in flight is
   * lost, and `validate` says so.
   */
  readonly replayable: boolean | ((config: Static<C>) => boolean)
  /**
   * Fed by pipelines in the same process (the in-memory bus): `replay` reads it as it is, it needs
   * no capture, and it ends when everything that feeds it has ended.
   */
  readonly internal?: boolean
  /** Whether several processes of the pipeline share its input, so that each sees a part of it. */
  readonly shared?: (config: Static<C>) => boolean
  /**
   * Time alone makes its events. `replay` makes them itself, by event time, so it needs no capture;
   * live, it does not keep event time from following the clock where all others are silent.
   */
  readonly ticks?: (config: Static<C>) => Ticks
  /**
   * What no schema can say: called with the decoded config when the pipeline is read.
   * @throws {EngineError} where fields do not fit together
   */
  readonly check?: (config: Static<C>) => void
  /**
   * In a replay it reads, without a capture, what sinks of the same replay write of this. Where none
   * does, and other sources of its pipeline have input, it has none.
   */
  readonly follows?: (config: Static<C>) => Following
  /** Waits by `context.wakeup`, so that a pipeline may say with `wake:` what ends the wait. */
  readonly wakes?: boolean
  /** Pulled: the engine asks for the next chunk only while credit is left. */
  read(config: Static<C>, position: P | undefined, context: Context): AsyncIterable<Chunk<P>>
  /**
   * One line of a captured file as this source would have delivered it; `replay` reads captures
   * with it. `receivedAt` (ms) is the arrival time to use where the line has none of its own.
   * `truncated`: the reader has applied `config.max_line` to the bytes, and cut the line or not;
   * undefined: nobody has.
   */
  fromLine(line: string, receivedAt: number, config: Static<C>, truncated?: boolean): Draft | Reject
  /**
   * For a source whose captures are no lines: what it would have delivered, ids included, had it
   * read this file from its start. Where it is set, captures are read with it and not by line.
   * @param bytes of the file, unpacked, in pieces of any length
   */
  readCapture?(
    bytes: AsyncIterable<Buffer>,
    config: Static<C>,
    context: CaptureContext,
  ): AsyncIterable<CapturedChunk>
}

/** An output of an operator that has several: made with `to(port, event)`. */
export class Routed {
  readonly port: string
  readonly event: Draft
  constructor(port: string, event: Draft) {
    this.port = port
    this.event = event
  }
}
/** Sends `event` out of the named port. */
export const to = (port: string, event: Draft): Routed => new Routed(port, event)

/** What a step may hand on: nothing (the event is filtered), one event, or several. */
export type Emission = Draft | Routed | readonly (Draft | Routed)[] | undefined

/** What keyed code may ask of the engine about its own key. */
export interface Timers {
  /**
   * Wakes `onTimer` at event time `time` (ms); asking twice for one time wakes once. An event that
   * the timer will tell of asks for it, set or not: `explain-event` goes by who asked.
   */
  at(time: number): void
  cancel(time: number): void
  /** Drops the state of this key, or of another, and its timers after this call. */
  forget(key?: string): void
  /** Event time as the node sees it, ms: the latest so far, that of the event at hand included. */
  now(): number
  /**
   * State of another key, to read only; undefined where it has none. Reading counts as use, so what
   * many keys look at is not evicted by them.
   */
  peek(key: string): unknown
  /**
   * State of another key, to be changed; made by `init` where there is none.
   * @throws {EngineError} `KEY_TOO_LONG`, of more than 1024 characters
   */
  open(key: string): unknown
}

/** Keyed code. `S` is JSON; the engine keeps, bounds and checkpoints it. */
export interface Keyed<S, D = Data> {
  /**
   * False: the event is of no use here and is dropped, before it gets any state. For operators that
   * look for a few events among many, so that the many cost nothing and evict nobody.
   */
  wants?(event: Event<D>): boolean
  /** `undefined`: the event has no key and passes through unchanged. */
  key(event: Event<D>): string | undefined
  init(key: string): S
  step(state: S, event: Event<D>, timers: Timers): Emission
  onTimer?(state: S, time: number, key: string, timers: Timers): Emission
  /**
   * For code that derives an index from the states of all keys: what a checkpoint has kept, once,
   * before anything else. What is made later, `init` makes.
   */
  restored?(states: Iterable<readonly [key: string, state: S]>): void
  /** The key's state is gone: forgotten, aged out or evicted. */
  dropped?(key: string): void
  /**
   * True for keys that neither `max_keys` nor `ttl` takes away, as they are not what it counts. Code
   * that has any bounds them by the others, and forgets them.
   */
  isExtra?(key: string): boolean
}

/** What JSON can hold. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/**
 * Code that asks the outside (a database, a file, a service) about events. The engine asks, one batch
 * after the other, and keeps the answers in the journal, where the pipeline has one.
 */
export interface Enrichment<D = Data> {
  /**
   * What to ask about, 1024 characters at most; `undefined`: nothing, and the event passes through
   * unchanged. It hangs on the event alone: by it a replay finds the answer again.
   */
  key(event: Event<D>): string | undefined
  /**
   * Asks about keys, each of them once, at most 512 at a time.
   * @param signal aborted when nobody waits any longer
   * @returns the answers there are; a key without one, or with null, has none
   * @throws {UnavailableError} to be asked again after a pause; any other error is the fault of a
   *   key: its events take the error port
   */
  ask(keys: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Json>>
  /** @param answer undefined where the outside has nothing on the key; not to be changed */
  step(event: Event<D>, answer: Json | undefined): Emission
}

export interface OperatorDefinition<
  C extends TObject = TObject,
  I extends TSchema = TSchema,
  S extends TSchema = TSchema,
> extends Described<C> {
  /** Shape of `event.data`; an event that does not fit goes to the error port. */
  readonly input?: I | ((config: Static<C>) => I)
  /** Names of the outputs, for an operator that has more than the one. */
  readonly outputs?: (config: Static<C>) => readonly string[]
  /**
   * What no schema can say: called with the decoded config when the pipeline is read.
   * @throws {EngineError} where fields do not fit together
   */
  readonly check?: (config: Static<C>) => void
  /** Shape of one key's state; required with `keyed`. */
  readonly state?: S
  /**
   * Its `each` hangs on the event and the config alone: it uses no resource, no clock and nothing of
   * earlier events, so that threads may share its work (`settings.threads`).
   */
  readonly pure?: true
  /** Config fields that must hold a CEL expression are declared with `cel()`. */
  readonly each?: (
    config: Static<C>,
    context: Context,
  ) => (event: Event<Static<I> extends Data ? Static<I> : Data>) => Emission
  readonly keyed?: (
    config: Static<C>,
    context: Context,
  ) => Keyed<Static<S>, Static<I> extends Data ? Static<I> : Data>
  /**
   * What `enrich` asks belongs to this host and its configuration, a file beside the pipeline: a
   * replay that has no recorded answer asks it too.
   */
  readonly asksLocally?: (config: Static<C>) => boolean
  /** The one way to I/O: every answer is an input, and the journal keeps it. */
  readonly enrich?: (
    config: Static<C>,
    context: Context,
  ) => Enrichment<Static<I> extends Data ? Static<I> : Data>
  /** For the rest. Must hand on every batch it got, as itself or by `batch.with(events)`. */
  readonly stream?: (config: Static<C>, context: Context) => OperatorFunction<Batch, Batch>
}

/** An event a sink could not write, and why; it goes to the sink's error port. */
export interface Refusal {
  readonly event: Event
  readonly failure: Failure
}

/** Events as a sink writes them. */
export interface Encoded {
  readonly bytes: Uint8Array
  readonly refusals: readonly Refusal[]
}

export interface Writer<D = Data> {
  /**
   * Writes one batch. A throw fails all of it: it stays unacknowledged and is tried again. Events
   * that can never be written are returned instead.
   */
  write(events: readonly Event<D>[]): Promise<readonly Refusal[] | undefined>
  /** Writes what the sink's `encode` made of some batches; a throw is as one of `write`. */
  append?(parts: readonly Uint8Array[]): Promise<void>
  /**
   * How far the sink has been written, as JSON, when no write is under way; with `resumes` only.
   * Each checkpoint keeps it, and the next start gives it to `open`.
   */
  position?(): unknown
  close?(): Promise<void>
}

export type Effect = 'exactly_once' | 'at_least_once' | 'at_most_once'

export interface SinkDefinition<C extends TObject = TObject, I extends TSchema = TSchema>
  extends Described<C> {
  /** What a repeat after a crash does: nothing, a duplicate, or (once) nothing because it is lost. */
  readonly effect: Effect
  /** The effect as the sink is set up here, where that is not always the same. */
  readonly effectHere?: () => Effect
  /** Feeds pipelines in the same process, so that `replay` lets it write for real. */
  readonly internal?: boolean
  /**
   * Its writer has a `position`, and `open` takes back what was written after the one it is given:
   * exactly once in effect, where all that reaches the sink can be read again. Only there is a
   * position given, for nothing else would write again what was taken back.
   */
  readonly resumes?: boolean
  /**
   * Opened before anything is read, whether or not there is anything to write: it serves others. A
   * start at which that fails is one that has failed.
   */
  readonly opensFirst?: boolean
  /**
   * It shows what happens while somebody looks and says where something is missing: what a crash
   * loses on the way to it is no loss to warn of.
   */
  readonly showsLive?: boolean
  /**
   * It keeps what was written and works on it by itself, also on what an earlier run has left: so it
   * is opened at the start, and not at its first event.
   */
  readonly goesOnAlone?: true
  /** The config field that names the file it writes: `chaos` puts a file of its own there. */
  readonly pathField?: string
  /**
   * Its events as it writes them, for a writer that has `append`: other threads may encode them
   * (`settings.threads`), so it hangs on the config and the events alone. They are put in the front
   * of `room` if they fit, else in memory of their own.
   */
  readonly encode?: (config: Static<C>) => (events: readonly Event[], room: Buffer) => Encoded
  /** What it writes, by the name that sources follow it under; in a replay they read it, see `follows`. */
  readonly feeds?: (config: Static<C>) => string
  /** Whether `replay --sink db=URL` lets it write for real. */
  readonly writesDatabase?: boolean
  readonly input?: I | ((config: Static<C>) => TSchema)
  open(
    config: Static<C>,
    context: Context,
    saved?: unknown,
  ):
    | Writer<Static<I> extends Data ? Static<I> : Data>
    | Promise<Writer<Static<I> extends Data ? Static<I> : Data>>
}

export type AnySource = SourceDefinition & { readonly section: 'sources' }
export type AnyOperator = OperatorDefinition & { readonly section: 'operators' }
export type AnySink = SinkDefinition & { readonly section: 'sinks' }
export type Component = AnySource | AnyOperator | AnySink

export type Section = Component['section']

/** The sections of a pipeline file that hold nodes, in the order a file has them. */
export const SECTIONS: readonly Section[] = ['sources', 'operators', 'sinks']

/** Every component a program knows, keyed by `${section}.${type}`: a type is unique in its section. */
export type Registry = ReadonlyMap<string, Component>

/**
 * Puts components in a registry, by section and then by type.
 * @throws {Error} when two components of one section have one type: a bug in the program
 */
export function makeRegistry(components: Iterable<Component>): Registry {
  const byKey = new Map<string, Component>()
  for (const component of components) {
    const key = `${component.section}.${component.type}`
    if (byKey.has(key)) throw new Error(`two components are called ${key}`)
    byKey.set(key, component)
  }
  const rank = (component: Component) => SECTIONS.indexOf(component.section)
  const ordered = [...byKey].sort(
    ([a, one], [b, other]) => rank(one) - rank(other) || (a < b ? -1 : 1),
  )
  return new Map(ordered)
}

/** @returns the component of that type in that section, or undefined */
export function findComponent(
  registry: Registry,
  section: 'sources',
  type: string,
): AnySource | undefined
export function findComponent(
  registry: Registry,
  section: 'operators',
  type: string,
): AnyOperator | undefined
export function findComponent(
  registry: Registry,
  section: 'sinks',
  type: string,
): AnySink | undefined
export function findComponent(
  registry: Registry,
  section: Section,
  type: string,
): Component | undefined
export function findComponent(registry: Registry, section: Section, type: string) {
  return registry.get(`${section}.${type}`)
}

/** Every component of that type, whatever its section: `ndjson_file` is a source and a sink. */
export const componentsOfType = (registry: Registry, type: string): readonly Component[] =>
  SECTIONS.flatMap((section) => findComponent(registry, section, type) ?? [])

// The registry holds components of every config; erasing the parameters here, once, is what lets
// each author write against his own types.
export const defineSource = <C extends TObject, P>(definition: SourceDefinition<C, P>): AnySource =>
  ({ ...definition, section: 'sources' }) as unknown as AnySource

export const defineOperator = <C extends TObject, I extends TSchema, S extends TSchema>(
  definition: OperatorDefinition<C, I, S>,
): AnyOperator => ({ ...definition, section: 'operators' }) as unknown as AnyOperator

export const defineSink = <C extends TObject, I extends TSchema>(
  definition: SinkDefinition<C, I>,
): AnySink => ({ ...definition, section: 'sinks' }) as unknown as AnySink
