/** A pipeline under test: input from the case, time that moves when told, a crash when told. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { quote } from '../protocols/quote.ts'
import type { Batch } from './batch.ts'
import { type EventClock, turn } from './clock.ts'
import { type ResourceUse, silentLog } from './context.ts'
import type { Reject } from './define.ts'
import type { AnswerSource } from './enrich/answers.ts'
import { EngineError } from './errors.ts'
import type { Draft, Event } from './event.ts'
import { stateCheck } from './input_check.ts'
import { portsOf } from './operator_runner.ts'
import type { Plan, PlanSource, PlanTest } from './plan.ts'
import { ReplayGraph } from './replay_graph.ts'
import { mutedWriter } from './replay_outputs.ts'
import type { StateFile } from './state_file.ts'
import { openTestCapture } from './test_capture.ts'

/** Time of a test's first event where it tells none: 2026-03-01T09:00:00Z, ms. */
const START = 1_772_355_600_000

const noResource: ResourceUse = ({ name }) =>
  Promise.reject(new EngineError('NO_RESOURCE', `tests run without ${name}`))

/** An event that came out, with what its place among those of other ports follows from. */
interface Seen {
  readonly event: Event
  readonly life: number
  readonly sequence: number
  readonly origin: number
}

export class TestGraph {
  readonly #plan: Plan
  readonly #answers: AnswerSource
  readonly #sinks: ReadonlySet<string>
  /** Port key → what came out of it and has not been looked at. */
  readonly #seen = new Map<string, Seen[]>()
  /** Wired when it is first needed: its clock starts with the first event. */
  #wired: ReplayGraph | undefined
  /** Event time reached, ms; undefined before the first event. */
  #now: number | undefined
  /** Crashes so far. */
  #life = 0
  #state: { readonly file: StateFile; readonly dir: string } | undefined

  /**
   * @param looked the nodes and ports that will be looked at
   * @param answers what enrichments are answered
   */
  constructor(plan: Plan, looked: Iterable<string>, answers: PlanTest['answers']) {
    this.#plan = plan
    this.#answers = givenAnswers(answers)
    this.#sinks = new Set(
      plan.nodes.flatMap(({ id, section }) => (section === 'sinks' ? [id] : [])),
    )
    for (const name of looked) for (const port of this.#portsOf(name)) this.#seen.set(port, [])
  }

  get #graph(): ReplayGraph {
    this.#wired ??= this.#wire()
    return this.#wired
  }

  /** A name without a port stands for all outputs of an operator that has several. */
  #portsOf(name: string): readonly string[] {
    const node = this.#plan.nodes.find(({ id }) => id === name)
    if (node?.section !== 'operators') return [name]
    return portsOf(node).map((port) => (port === '' ? name : `${name}.${port}`))
  }

  #wire(): ReplayGraph {
    const record = (port: string) => (batch: Batch) => {
      const { sequence } = batch.root
      const seen = this.#seen.get(port)
      batch.events.forEach((event, index) => {
        const origin = batch.origins[index] as number
        seen?.push({ event, life: this.#life, sequence, origin })
      })
    }
    return new ReplayGraph({
      plan: this.#plan,
      startTime: this.#now ?? START,
      batchSize: this.#plan.settings.batchSize,
      use: noResource,
      log: silentLog,
      // A sink has no output of its own: what is expected of it is what reaches it.
      openSink: async ({ id }) => ({
        write: async (events) => {
          const seen = this.#sinks.has(id) ? this.#seen.get(id) : undefined
          for (const event of events) {
            seen?.push({ event, life: this.#life, sequence: 0, origin: 0 })
          }
          return undefined
        },
      }),
      deadLetters: mutedWriter,
      answers: this.#answers,
      taps: new Map(
        [...this.#seen.keys()]
          .filter((port) => !this.#sinks.has(port))
          .map((port) => [port, record(port)]),
      ),
    })
  }

  /** Lines and events as a test writes them, in one batch. */
  async send(source: string, items: readonly unknown[]): Promise<void> {
    const node = this.#source(source)
    const receivedAt = this.#now ?? START
    await this.#deliver(
      source,
      items.map((item) => asDraft(item, node, receivedAt)),
    )
  }

  /**
   * The first `limit` events of a captured file or a journal.
   * @param source undefined: each source gets what it would in a replay
   * @param path relative to the folder of the pipeline file
   * @throws {EngineError} `CAPTURE` when it cannot be read, `CAPTURE_TARGET` when it is unclear what
   *   is to read it
   */
  async sendCapture(
    source: string | undefined,
    path: string,
    limit = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const file = resolve(dirname(this.#plan.file), path)
    const named = source === undefined ? undefined : this.#source(source)
    const { sources, batches } = await openTestCapture(this.#plan, named, file)
    let left = limit
    for await (const { feed, items } of batches) {
      const taken = items.slice(0, left)
      left -= taken.length
      await this.#deliver((sources[feed] as PlanSource).id, taken)
      if (left <= 0) return
    }
  }

  #source(id: string): PlanSource {
    return this.#plan.nodes.find((node) => node.id === id) as PlanSource
  }

  async #deliver(source: string, items: readonly (Draft | Reject)[]): Promise<void> {
    const times = items.map((item) => ('failure' in item ? item.draft : item).time)
    this.#now ??= times[0]
    this.#graph.wired.inlets.get(source)?.send(items)
    for (const time of times) this.#now = Math.max(this.#now ?? time, time)
    await this.#rest()
  }

  /** Lets `ms` of event time pass for every source and every node. */
  async advance(ms: number): Promise<void> {
    const now = (this.#now ?? START) + ms
    this.#now = now
    const { wired } = this.#graph
    for (const inlet of wired.inlets.values()) inlet.watermark = Math.max(inlet.watermark, now)
    wired.broadcast(now)
    await this.#rest()
    // A node without timers has no batch to take its time from.
    for (const { clock } of wired.contexts.values()) {
      if ('advanceTo' in clock) (clock as EventClock).advanceTo(now)
    }
  }

  async #rest(): Promise<void> {
    const { flow, detached } = this.#graph.wired
    do {
      await flow.quiet()
      this.#graph.check()
      await turn()
    } while (!flow.isQuiet || detached.some(({ isEmpty }) => !isEmpty))
  }

  /** What has come out of a node or a port since the last call for it, in order. */
  take(name: string): Event[] {
    const ports = this.#portsOf(name)
    const seen = ports.flatMap((port) => this.#seen.get(port)?.splice(0) ?? [])
    if (ports.length > 1) {
      seen.sort((a, b) => a.life - b.life || a.sequence - b.sequence || a.origin - b.origin)
    }
    return seen.map(({ event }) => event)
  }

  /** Throws the graph away and wires it anew from a checkpoint written at this moment. */
  async crashAndRestore(): Promise<void> {
    const file = await this.#checkpoint()
    const sequences = [...this.#graph.wired.inlets].map(([id, { sequence }]) => [id, sequence])
    await this.#graph.close()
    this.#life += 1
    this.#wired = this.#wire()
    const { runners, inlets } = this.#graph.wired
    for (const [id, runner] of runners) {
      const saved = runner.state && file.keyed(id)
      if (!saved) continue
      const operator = this.#plan.nodes.find((node) => node.id === id)
      const fits = stateCheck(
        operator?.section === 'operators' ? operator.component.state : undefined,
      )
      runner.restore(
        saved.keys.filter(({ state }) => fits(state)),
        saved.watermark,
      )
    }
    for (const [id, sequence] of sequences) {
      const inlet = inlets.get(id as string)
      if (inlet) inlet.sequence = sequence as number
    }
  }

  /** @returns state by key, as a checkpoint at this moment holds it */
  async state(node: string): Promise<ReadonlyMap<string, unknown>> {
    const file = await this.#checkpoint()
    const keys = file.keyed(node)?.keys ?? []
    return new Map(keys.map(({ key, state }) => [key, JSON.parse(state)]))
  }

  /** The same file, written the same way, as that of a pipeline that runs. */
  async #checkpoint(): Promise<StateFile> {
    this.#state ??= await openState(this.#plan)
    const keyed = [...this.#graph.wired.runners].filter(([, runner]) => runner.state)
    this.#state.file.save({
      positions: new Map(),
      watermarks: new Map(keyed.map(([id, { watermark }]) => [id, watermark])),
      changes: new Map(
        keyed.map(([id, runner]) => [id, runner.takeChanges() ?? { saved: [], removed: [] }]),
      ),
    })
    return this.#state.file
  }

  async close(): Promise<void> {
    await this.#wired?.close()
    if (!this.#state) return
    this.#state.file.close()
    rmSync(this.#state.dir, { recursive: true, force: true })
  }
}

/** By key: a test says what there is outside, and not when it was asked. */
const givenAnswers = (answers: PlanTest['answers']): AnswerSource => ({
  book: {
    recall: async (node, questions) =>
      questions.map(({ key }) => {
        const answer = Object.hasOwn(answers[node] ?? {}, key) ? answers[node]?.[key] : undefined
        return answer === undefined ? undefined : { answer }
      }),
    record: async () => undefined,
  },
  refusal: (node, key) => ({
    code: 'NO_ANSWER',
    message: `the test has no answer about ${quote(key)} in its answers.${node}`,
  }),
})

/** SQLite takes its time to load, and most tests need none. */
async function openState(plan: Plan): Promise<{ file: StateFile; dir: string }> {
  const { StateFile } = await import('./state_file.ts')
  const dir = mkdtempSync(join(tmpdir(), 'decnet-test-'))
  const types = new Map(plan.nodes.map(({ id, component }) => [id, component.type]))
  const { deadLetterLimit } = plan.settings
  return { dir, file: new StateFile(dir, plan.name, { types, deadLetterLimit }) }
}

function asDraft(
  item: unknown,
  { component, config }: PlanSource,
  receivedAt: number,
): Draft | Reject {
  if (typeof item === 'string') return component.fromLine(item, receivedAt, config as never)
  // A copy, so that nothing a component does to it reaches the next test.
  const { topic = 'test', time = receivedAt, data = {} } = structuredClone(item) as Partial<Draft>
  return { topic, time, data }
}
