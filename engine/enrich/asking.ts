/** Asks the outside about the events of one node, batch after batch, for as long as it takes. */
import { Backlog } from '../backlog.ts'
import type { Batch } from '../batch.ts'
import { pause } from '../clock.ts'
import type { Json } from '../define.ts'
import { FatalError, toFailure, UnavailableError } from '../errors.ts'
import type { RunnerOptions } from '../operator_runner.ts'
import type { Ported } from '../outputs.ts'
import type { PlanOperator } from '../plan.ts'
import { FIRST_RETRY_MS, LAST_RETRY_MS } from '../sink_runner.ts'
import type { Answer, Answered, AnswerSource, Question } from './answers.ts'
import { EnrichRunner } from './enrich_runner.ts'

export interface AskingOptions extends RunnerOptions {
  readonly answers: AnswerSource
  /** tries before a batch fails; Infinity: as long as the pipeline runs */
  readonly attempts: number
  /** aborted when nothing is to be tried again */
  readonly giveUp: AbortSignal
  /** ms an answer may take before the question is asked again */
  readonly patience?: number
}

/** A server that has not answered by now has lost the question. */
const PATIENCE_MS = 30_000
/** Keys asked about at once, whatever the batch size: one statement, one request. */
const MOST_KEYS = 512
/** A reason to abort that nobody is told: one that is made for each question has a stack trace. */
const OVER = 'answered'
/** Characters of an answer as JSON: it is kept in the journal for each event it was given for. */
const MAX_ANSWER = 64 * 1024

const asksLocally = ({ component, config }: PlanOperator): boolean =>
  component.asksLocally?.(config as never) ?? false

export class Asking {
  readonly #options: AskingOptions
  readonly #node: PlanOperator
  readonly #runner: EnrichRunner

  constructor(node: PlanOperator, options: AskingOptions) {
    this.#node = node
    this.#options = options
    this.#runner = new EnrichRunner(node, options)
  }

  /** What has come in and has no answers yet; whoever calls `process` enters it. */
  readonly backlog = new Backlog()

  /** Why the last question got no answer; undefined after one that did. */
  cause: unknown

  /** Whether it is asking again and again just now. */
  get isStuck(): boolean {
    return this.cause !== undefined
  }

  /**
   * To be called with one batch after the other, never with two at once.
   * @returns undefined when the batch has failed for good: it will be read again
   * @throws {FatalError} when no further try can help
   */
  async process(batch: Batch): Promise<Ported | undefined> {
    const pending = this.#runner.begin(batch)
    try {
      const answers = await this.#answers(pending.questions)
      return this.#runner.finish(pending, answers)
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      this.cause = error
      batch.token.settle('failed')
      return undefined
    } finally {
      this.backlog.leave(batch)
    }
  }

  /** @throws {UnavailableError} when it has been given up */
  async #answers(questions: readonly Question[]): Promise<readonly Answer[]> {
    if (questions.length === 0) return []
    const { answers, context } = this.#options
    const known = await this.#unlessGivenUp(
      answers.book?.recall(this.#node.id, questions) ?? Promise.resolve([]),
    )
    const open = questions.filter((_, index) => known[index] === undefined)
    if (open.length < questions.length) {
      context.count('answers_reused', questions.length - open.length)
    }
    const found = open.length === 0 ? undefined : await this.#find(open)
    return questions.map(({ key }, index) => known[index] ?? (found?.get(key) as Answer))
  }

  async #find(questions: readonly Question[]): Promise<ReadonlyMap<string, Answer>> {
    const { refusal } = this.#options.answers
    const events = Map.groupBy(questions, ({ key }) => key)
    const keys = [...events.keys()]
    if (refusal && !asksLocally(this.#node)) {
      return new Map(keys.map((key) => [key, { failure: refusal(this.#node.id, key) }]))
    }
    const found = new Map<string, Answer>()
    for (let at = 0; at < keys.length; at += MOST_KEYS) {
      const asked = await this.#ask(keys.slice(at, at + MOST_KEYS))
      await this.#record(
        asked.map(([key, answer]) => {
          found.set(key, answer)
          return { key, events: (events.get(key) ?? []).map(({ event }) => event), answer }
        }),
      )
    }
    return found
  }

  /** Before anything is made of an answer it has to be safe: asked again, it may be another. */
  async #record(answered: readonly Answered[]): Promise<void> {
    const { book } = this.#options.answers
    if (book) await this.#unlessGivenUp(book.record(this.#node.id, answered))
  }

  async #ask(keys: readonly string[]): Promise<[string, Answer][]> {
    const { attempts, context, counters, giveUp } = this.#options
    let wait = FIRST_RETRY_MS
    for (let attempt = 1; ; attempt++) {
      context.count('asked', keys.length)
      try {
        const found = await this.#askOnce(keys)
        this.cause = undefined
        return keys.map((key) => [key, storable(found.get(key))])
      } catch (error) {
        if (error instanceof FatalError) throw error
        if (!(error instanceof UnavailableError)) {
          this.cause = undefined
          return this.#blame(keys, error)
        }
        counters.retries += 1
        this.cause = error
        const { code, message } = error
        const node = this.#node.id
        if (attempt >= attempts || giveUp.aborted) {
          context.log.error({ node, code, attempt }, `asking was given up: ${message}`)
          throw error
        }
        context.log.warn({ node, code, attempt, wait_ms: wait }, `asking again: ${message}`)
      }
      await pause(wait, giveUp)
      wait = Math.min(wait * 2, LAST_RETRY_MS)
    }
  }

  /** Which keys share a batch hangs on its size: only the one that is at fault may fail. */
  async #blame(keys: readonly string[], error: unknown): Promise<[string, Answer][]> {
    const [only] = keys
    if (only !== undefined && keys.length === 1) {
      this.#options.context.count('ask_failed')
      return [[only, { failure: toFailure(error) }]]
    }
    const answers: [string, Answer][] = []
    for (const key of keys) answers.push(...(await this.#ask([key])))
    return answers
  }

  async #askOnce(keys: readonly string[]): Promise<ReadonlyMap<string, Json>> {
    const { giveUp, patience = PATIENCE_MS } = this.#options
    const end = new AbortController()
    const stop = () => end.abort()
    giveUp.addEventListener('abort', stop, { once: true })
    if (giveUp.aborted) stop()
    const over = new AbortController()
    void pause(patience, over.signal).then(() => over.signal.aborted || stop())
    try {
      return await unlessAborted(this.#runner.code.ask(keys, end.signal), end.signal)
    } finally {
      over.abort(OVER)
      giveUp.removeEventListener('abort', stop)
    }
  }

  #unlessGivenUp<T>(work: Promise<T>): Promise<T> {
    return unlessAborted(work, this.#options.giveUp)
  }
}

/** @throws {UnavailableError} when `signal` aborts first; what becomes of `work` is not heard then */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new UnavailableError('NO_ANSWER_IN_TIME', 'no answer came in time'))
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

/** The answer as a journal gives it back, so that a replay steps on the same. */
function storable(answer: Json | undefined): Answer {
  let text: string
  try {
    text = JSON.stringify(answer ?? null)
  } catch (error) {
    const { message } = toFailure(error)
    return { failure: { code: 'BAD_ANSWER', message: `an answer is no JSON: ${message}` } }
  }
  if (text.length > MAX_ANSWER) {
    const message = `an answer of ${text.length} characters is too long`
    return { failure: { code: 'ANSWER_TOO_LONG', message } }
  }
  return { answer: JSON.parse(text) }
}
