/** Runs the code of an enrichment, before its questions are asked and after they are answered. */
import { quote } from '../../protocols/quote.ts'
import type { Batch } from '../batch.ts'
import type { Enrichment } from '../define.ts'
import { EngineError } from '../errors.ts'
import type { Data, Event } from '../event.ts'
import { inputCheck } from '../input_check.ts'
import { MAX_KEY_LENGTH, portsOf, type RunnerOptions } from '../operator_runner.ts'
import { Outputs, type Ported } from '../outputs.ts'
import type { PlanOperator } from '../plan.ts'
import { inputSchema } from '../plan_edges.ts'
import type { Answer, Question } from './answers.ts'

/** What is known of one event: its question and its place, why it failed, or that it only passes. */
type Row = { readonly key: string; readonly at: number } | { readonly error: unknown } | undefined

/** A batch whose questions have not been answered yet. */
export interface Pending {
  readonly batch: Batch
  readonly questions: readonly Question[]
  readonly rows: readonly Row[]
}

export class EnrichRunner {
  readonly code: Enrichment
  readonly #node: PlanOperator
  readonly #check: (data: Data) => void
  readonly #outputs: Outputs
  readonly #options: RunnerOptions

  constructor(node: PlanOperator, options: RunnerOptions) {
    const make = node.component.enrich
    if (!make) throw new Error(`${node.component.type} asks nothing`)
    this.code = make(node.config as never, options.context) as Enrichment
    this.#node = node
    this.#check = inputCheck(inputSchema(node))
    this.#outputs = new Outputs(node.id, portsOf(node), options.counters, options.trace)
    this.#options = options
  }

  /** Finds out what is to be asked about the events of a batch. */
  begin(batch: Batch): Pending {
    const questions: Question[] = []
    const rows = batch.events.map((event) => this.#rowOf(event, questions))
    return { batch, questions, rows }
  }

  #rowOf(event: Event, questions: Question[]): Row {
    try {
      const key = this.#keyOf(event)
      if (key === undefined) return undefined
      questions.push({ event: event.id, key })
      return { key, at: questions.length - 1 }
    } catch (error) {
      return { error }
    }
  }

  #keyOf(event: Event): string | undefined {
    this.#check(event.data)
    const key = this.code.key(event)
    if (key !== undefined && key.length > MAX_KEY_LENGTH) {
      throw new EngineError('KEY_TOO_LONG', `a key of ${key.length} characters is not asked about`)
    }
    return key
  }

  /** @param answers in the order of the questions */
  finish({ batch, rows }: Pending, answers: readonly Answer[]): Ported {
    const { counters, nodeClock } = this.#options
    const { events, origins, watermarks } = batch
    counters.in += events.length
    for (let index = 0; index < events.length; index++) {
      const event = events[index] as Event
      const origin = origins[index] as number
      const watermark = watermarks[origin] as number
      nodeClock?.advanceTo(watermark === Number.POSITIVE_INFINITY ? event.time : watermark)
      this.#handle(event, origin, rows[index], answers)
    }
    const last = events.at(-1)
    if (last) counters.lastTime = last.time
    return this.#outputs.take(batch)
  }

  #handle(event: Event, origin: number, row: Row, answers: readonly Answer[]): void {
    const { counters } = this.#options
    try {
      if (row === undefined) {
        this.#outputs.emit(event, event, origin)
        return
      }
      if ('error' in row) throw row.error
      const answer = answers[row.at] as Answer
      this.#explain(row.key, answer)
      if ('failure' in answer) throw new EngineError(answer.failure.code, answer.failure.message)
      const made = this.#outputs.emit(
        this.code.step(event, answer.answer ?? undefined),
        event,
        origin,
      )
      if (made === 0) counters.filtered += 1
      else counters.made += made - 1
    } catch (error) {
      this.#outputs.fail(event, error, origin)
    }
  }

  #explain(key: string, answer: Answer): void {
    const { trace } = this.#options
    if (!trace) return
    const told =
      'failure' in answer
        ? `that failed with ${answer.failure.code}`
        : answer.answer === null
          ? 'there was no answer'
          : `the answer was ${quote(JSON.stringify(answer.answer), MOST_TOLD)}`
    trace.reason(this.#node.id, `asked about ${quote(key)}, ${told}`)
  }
}

/** Characters of an answer that an explanation shows. */
const MOST_TOLD = 300
