/** Writes batches to one sink, in order, a few at a time, until each is delivered or given up. */
import { Subject } from 'rxjs'
import { Backlog } from './backlog.ts'
import type { Batch } from './batch.ts'
import type { EventClock } from './clock.ts'
import type { NodeCounters } from './counters.ts'
import type { Logger, Refusal, Writer } from './define.ts'
import { EngineError, FatalError, toFailure } from './errors.ts'
import type { Data, Event, Outcome } from './event.ts'
import { failpoint } from './failpoint.ts'
import { release } from './lanes/release.ts'
import { errorEvent } from './outputs.ts'

export interface SinkRunnerOptions {
  readonly node: string
  /** Opened at the first batch, again and again until that works. */
  readonly open: () => Promise<Writer>
  readonly check: (data: Data) => void
  readonly counters: NodeCounters
  /** How the token of a batch ends that was written whole. */
  readonly outcome: Outcome
  /** events per write, at most */
  readonly maxEvents: number
  /** tries before a batch fails; Infinity: as long as the pipeline runs */
  readonly attempts: number
  readonly pause: (ms: number) => Promise<void>
  readonly log: Logger
  readonly signal: AbortSignal
  readonly nodeClock: EventClock | undefined
  /** Told of a broken invariant; the pipeline stops. */
  readonly onFatal: (error: unknown) => void
  /** Whether anything reads the error port, so that every batch must hand on its part. */
  readonly errorsWired: boolean
}

/** Pauses between tries double, from the first to the last, ms. */
export const FIRST_RETRY_MS = 100
export const LAST_RETRY_MS = 30_000

interface Waiting {
  readonly batch: Batch
  /** how many came in */
  readonly taken: number
  /** events to write, where they are not encoded elsewhere */
  readonly accepted: readonly Event[]
  /** how many there are to write */
  readonly count: number
  readonly failures: Map<Event, unknown>
  /** set where the events are encoded elsewhere, and refused there too */
  readonly encoded?: Promise<Uint8Array<ArrayBuffer> | undefined>
}

export class SinkRunner {
  /** One batch, maybe empty, for every batch that came in. */
  readonly errors = new Subject<Batch>()
  /** What has come in and is not written yet. */
  readonly backlog = new Backlog()
  readonly #options: SinkRunnerOptions
  readonly #queue: Waiting[] = []
  #writer: Writer | undefined
  #working: Promise<void> | undefined
  #busy = false
  #gaveUp = false

  constructor(options: SinkRunnerOptions) {
    this.#options = options
  }

  /** Why the last write failed; undefined after one that worked. */
  cause: unknown

  /** Whether it is trying again and again just now. */
  get isStuck(): boolean {
    return this.cause !== undefined
  }

  push(batch: Batch): void {
    const { counters, check } = this.#options
    counters.in += batch.events.length
    const accepted: Event[] = []
    const failures = new Map<Event, unknown>()
    for (const event of batch.events) {
      try {
        check(event.data)
        accepted.push(event)
      } catch (error) {
        failures.set(event, error)
      }
    }
    const last = batch.events.at(-1)
    if (last) counters.lastTime = last.time
    const taken = batch.events.length
    this.#enqueue({ batch, taken, accepted, count: accepted.length, failures })
  }

  /**
   * Takes a batch whose events are being encoded for this sink elsewhere; they are counted there.
   * @param count how many come in
   * @param encoded what is to be written, whose buffer nobody else has, or undefined where it comes to nothing: the batch fails
   */
  pushEncoded(
    batch: Batch,
    count: number,
    encoded: Promise<Uint8Array<ArrayBuffer> | undefined>,
  ): void {
    this.#enqueue({ batch, taken: count, accepted: [], count, failures: new Map(), encoded })
  }

  #enqueue(waiting: Waiting): void {
    const { counters, onFatal } = this.#options
    this.#queue.push(waiting)
    this.backlog.enter(waiting.batch, waiting.taken)
    counters.queued = this.#queue.length
    if (!this.#busy) this.#working = this.#work().catch(onFatal)
  }

  /** Opens the sink before its first batch. @throws what `open` throws */
  async openNow(): Promise<void> {
    this.#writer ??= await this.#options.open()
  }

  /** How far the sink has been written; undefined where it does not tell, or is not open. */
  get position(): unknown {
    return this.#writer?.position?.()
  }

  async close(): Promise<void> {
    await this.#working
    await this.#writer?.close?.()
    this.#writer = undefined
  }

  async #work(): Promise<void> {
    this.#busy = true
    // Batches that arrive in the same turn are written together.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      const group = this.#takeGroup()
      const refusals = group[0]?.encoded
        ? await this.#writeEncoded(group)
        : await this.#writeEvents(group.flatMap(({ accepted }) => accepted))
      this.#options.counters.queued = this.#queue.length
      for (const waiting of group) this.#finish(waiting, refusals)
    }
    // In the same step as the last look at the queue, so that no batch falls in between.
    this.#busy = false
  }

  #takeGroup(): Waiting[] {
    const group: Waiting[] = []
    let count = 0
    for (const waiting of this.#queue) {
      if (group[0] && !group[0].encoded !== !waiting.encoded) break
      if (group.length > 0 && count + waiting.count > this.#options.maxEvents) break
      group.push(waiting)
      count += waiting.count
    }
    this.#queue.splice(0, group.length)
    return group
  }

  async #writeEvents(events: readonly Event[]): Promise<readonly Refusal[] | undefined> {
    if (events.length === 0) return []
    const times = events.map(({ time }) => time)
    this.#options.nodeClock?.advanceTo(times.reduce((a, b) => Math.max(a, b), 0))
    return this.#write((writer) => writer.write(events))
  }

  async #writeEncoded(group: readonly Waiting[]): Promise<readonly Refusal[] | undefined> {
    const parts = await Promise.all(group.map(({ encoded }) => encoded))
    const whole = parts.filter((part) => part !== undefined)
    if (whole.length < parts.length) return undefined
    const written = whole.filter(({ length }) => length > 0)
    if (written.length === 0) return []
    const refusals = await this.#write(async (writer) => {
      if (!writer.append) throw new FatalError('LANE', `${this.#options.node} takes no bytes`)
      await writer.append(written)
      return undefined
    })
    for (const bytes of written) release(bytes)
    return refusals
  }

  /** @returns what the sink refused, or undefined when the batch failed for good */
  async #write(
    send: (writer: Writer) => Promise<readonly Refusal[] | undefined>,
  ): Promise<readonly Refusal[] | undefined> {
    const { attempts, log, node, signal, counters } = this.#options
    let wait = FIRST_RETRY_MS
    for (let attempt = 1; !this.#gaveUp; attempt++) {
      try {
        this.#writer ??= await this.#options.open()
        failpoint('sink.before_write')
        const refusals = (await send(this.#writer)) ?? []
        failpoint('sink.after_write')
        this.cause = undefined
        return refusals
      } catch (error) {
        if (error instanceof FatalError) throw error
        const { code, message } = toFailure(error)
        counters.retries += 1
        this.cause = error
        if (attempt >= attempts || signal.aborted) {
          this.#gaveUp = true
          log.error({ node, code, attempt }, `sink gave up: ${message}`)
          break
        }
        log.warn({ node, code, attempt, wait_ms: wait }, `write failed, trying again: ${message}`)
      }
      await this.#options.pause(wait)
      wait = Math.min(wait * 2, LAST_RETRY_MS)
    }
    return undefined
  }

  #finish(waiting: Waiting, refusals: readonly Refusal[] | undefined): void {
    const { batch, taken, accepted, failures, encoded } = waiting
    const { counters, node, outcome, errorsWired } = this.#options
    this.backlog.leave(batch, taken)
    if (refusals === undefined) {
      batch.token.settle('failed')
      return
    }
    if (encoded) {
      batch.token.settle(outcome)
      return
    }
    for (const { event, failure } of refusals) {
      if (accepted.includes(event)) {
        failures.set(event, new EngineError(failure.code, failure.message))
      }
    }
    counters.errors += failures.size
    counters.out += batch.events.length - failures.size
    if (!errorsWired) {
      if (failures.size > 0) throw new EngineError('ERRORS_LOST', `${node} has no error port`)
    } else {
      const events: Event[] = []
      const origins: number[] = []
      batch.events.forEach((event, index) => {
        if (!failures.has(event)) return
        events.push(errorEvent(node, event, failures.get(event), event.id))
        origins.push(batch.origins[index] as number)
      })
      batch.token.retain()
      this.errors.next(batch.with(events, origins))
    }
    batch.token.settle(batch.events.length > 0 ? outcome : 'delivered')
  }
}
