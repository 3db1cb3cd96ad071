/** Runs one operator by itself, with a clock the test moves and a crash whenever it likes. */
import { quote } from '../protocols/quote.ts'
import { type Batch, makeBatch, Token } from './batch.ts'
import { eventClock } from './clock.ts'
import { compileKeyedNode } from './compile.ts'
import { makeContext, silentLog } from './context.ts'
import { newCounters } from './counters.ts'
import type { AnyOperator, Json } from './define.ts'
import type { Answer, Question } from './enrich/answers.ts'
import { EnrichRunner } from './enrich/enrich_runner.ts'
import { EngineError } from './errors.ts'
import type { Data, Event } from './event.ts'
import { deriveId } from './ids.ts'
import type { SavedKey } from './keyed_state.ts'
import { type OperatorRunner, operatorRunner, portsOf } from './operator_runner.ts'
import type { PlanOperator } from './plan.ts'

/** What a test sends; what it leaves out is filled in. */
export interface TestEvent {
  readonly id?: string
  readonly topic?: string
  readonly time?: number
  readonly data: Data
}

/** An event that came out; `port` where the operator has named outputs. */
export type Output = Event & { readonly port?: string }

export interface Harness {
  /** Sends events in one batch. @returns what came out, in order, timers that fired included */
  send(...events: readonly TestEvent[]): Output[]
  /** Lets event time pass. @returns what the timers made */
  advanceTo(time: number): Output[]
  /** Throws the operator away and restores it from what a checkpoint at this moment would hold. */
  crashAndRestore(): void
  /** What has left by the error port so far. */
  readonly errors: readonly Event[]
  /** What has been counted so far, the component's own reasons under `reasons`. */
  readonly counters: ReturnType<typeof newCounters>
  readonly state: OperatorRunner['state']
}

/**
 * @param config as YAML would hold it: `{ window: '60s' }`; `max_keys` and `ttl` too
 * @param answers what an enrichment is answered, by key; an event it has none for fails with
 *   `NO_ANSWER`
 * @throws {EngineError} `CONFIG` when the config does not fit the component
 */
export function harness(
  component: AnyOperator,
  config: Record<string, unknown> = {},
  answers: Readonly<Record<string, Json>> = {},
): Harness {
  const node = planNode(component, config)
  const counters = newCounters()
  const saved = new Map<string, SavedKey>()
  const errors: Event[] = []
  const clock = eventClock(0)
  let runner = makeRunner()
  let watermark = Number.NEGATIVE_INFINITY
  let sent = 0

  function makeRunner(): OperatorRunner {
    const context = makeContext({
      pipeline: 'test',
      node: node.id,
      clock,
      signal: new AbortController().signal,
      log: silentLog,
      use: ({ name }) => Promise.reject(new EngineError('NO_RESOURCE', `no ${name} in a test`)),
      counters,
    })
    const options = { context, counters, nodeClock: clock }
    if (!component.enrich) return operatorRunner(node, options)
    return answeringRunner(new EnrichRunner(node, options), answers)
  }

  function run(events: readonly Event[], watermarks: readonly number[]): Output[] {
    const arrivals = events.map(() => Number.POSITIVE_INFINITY)
    const root = { sequence: 0, source: 'test', arrivals }
    const token = new Token(() => undefined)
    const origins = events.map((_, index) => index)
    return collect(runner.process(makeBatch(events, origins, watermarks, root, token)))
  }

  function collect(ported: ReadonlyMap<string, Batch>): Output[] {
    errors.push(...(ported.get('errors')?.events ?? []))
    const rows = portsOf(node).flatMap((port) => {
      const { events = [], origins = [] } = ported.get(port) ?? {}
      return events.map((event, index) => ({
        origin: origins[index] as number,
        output: port === '' ? event : { ...event, port },
      }))
    })
    return rows.sort((a, b) => a.origin - b.origin).map(({ output }) => output)
  }

  return {
    errors,
    counters,
    get state() {
      return runner.state
    },
    send(...events) {
      const complete = events.map(({ id, topic = 'test', time = clock.now(), data }) => {
        sent += 1
        return { id: id ?? deriveId('test', sent), topic, time, data }
      })
      const watermarks = complete.map(({ time }) => {
        watermark = Math.max(watermark, time)
        return watermark
      })
      return run(complete, watermarks)
    },
    advanceTo(time) {
      watermark = Math.max(watermark, time)
      return run([], [watermark])
    },
    crashAndRestore() {
      const changes = runner.takeChanges()
      for (const key of changes?.removed ?? []) saved.delete(key)
      for (const key of changes?.saved ?? []) saved.set(key.key, key)
      const at = runner.watermark
      runner = makeRunner()
      if (changes) runner.restore([...saved.values()], at)
    },
  }
}

/** An enrichment whose every question is answered at once. */
function answeringRunner(
  runner: EnrichRunner,
  answers: Readonly<Record<string, Json>>,
): OperatorRunner {
  const answer = ({ key }: Question): Answer => {
    const given = Object.hasOwn(answers, key) ? answers[key] : undefined
    if (given !== undefined) return { answer: given }
    return { failure: { code: 'NO_ANSWER', message: `no answer about ${quote(key)} was given` } }
  }
  return {
    process(batch) {
      const pending = runner.begin(batch)
      return runner.finish(pending, pending.questions.map(answer))
    },
    state: undefined,
    watermark: Number.NEGATIVE_INFINITY,
    nextTimer: Number.POSITIVE_INFINITY,
    takeChanges: () => undefined,
    restore: () => undefined,
  }
}

function planNode(component: AnyOperator, given: Record<string, unknown>): PlanOperator {
  const { config, keyed } = compileKeyedNode(component, given)
  return {
    id: component.type,
    section: 'operators',
    component,
    config,
    inputs: [],
    ...(keyed && { keyed }),
  }
}
