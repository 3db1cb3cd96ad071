/** Tells one receiver what is stored for it, in order, at its own pace. */
import { matcher } from '../../bus/topic.ts'
import {
  type DeliveryOutcome,
  type PendingDelivery,
  pendingDeliveries,
  settleDeliveries,
} from '../../store/webhook_deliveries.ts'
import type { WebhookReceiver } from '../../store/webhook_subscriptions.ts'
import { Bell } from './bell.ts'
import { delivering } from './delivery.ts'
import type { Gate } from './gate.ts'
import type { Parts } from './parts.ts'

/** Deliveries begun and not ended, those that wait for a retry included. */
const WINDOW = 16
/** Bytes of the same, unless one alone has more. */
const WINDOW_BYTES = 2 * 2 ** 20
/** With fewer than these at hand more are read. */
const AT_HAND = 64
/** Deliveries that have ended and are not booked yet, before no more are begun. */
const UNBOOKED = 256
/** Between two tries to reach the database, ms. */
const DATABASE_PAUSE = 1000

interface Surroundings {
  /** places that it shares with all others */
  readonly gate: Gate
  /** aborted when there is no time left even for what is on its way */
  readonly cut: AbortSignal
  /** what has to end before, where the same receiver was stopped just now */
  readonly after: Promise<void> | undefined
  /** called once, when its breaker trips */
  readonly onTripped: () => void
}

export class Receiver {
  readonly uuid: string
  readonly #parts: Parts
  readonly #stop = new AbortController()
  readonly #deliver: ReturnType<typeof delivering>
  readonly #reading = new Bell()
  readonly #booking = new Bell()
  readonly #queue: PendingDelivery[] = []
  /** all that are read and not booked, by id */
  readonly #held = new Set<number>()
  #open = 0
  #openBytes = 0
  #ended: DeliveryOutcome[] = []
  /** those ended, and those being booked */
  #unbooked = 0
  #mayHaveMore = true
  /** id behind which nothing has been read */
  #last = 0
  #fromBeginning = true
  #target: WebhookReceiver
  #wants: readonly ((topic: string) => boolean)[] = []
  /** Resolves once nothing of it is under way any more. */
  readonly done: Promise<void>

  constructor(target: WebhookReceiver, parts: Parts, surroundings: Surroundings) {
    const { gate, cut, after, onTripped } = surroundings
    this.uuid = target.subscription.uuid
    this.#parts = parts
    this.#target = target
    const stop = this.#stop.signal
    this.#deliver = delivering({ parts, gate, stop, cut, target: () => this.#target })
    this.change(target)
    this.done = Promise.resolve(after).then(() => this.#run(onTripped))
  }

  /** Takes a new URL, secret or patterns, and looks for all there is to tell once more. */
  change(target: WebhookReceiver): void {
    this.#target = target
    this.#wants = target.subscription.topicPatterns.map(matcher)
    this.#fromBeginning = true
    this.wake()
  }

  wants(topic: string): boolean {
    return this.#wants.some((matches) => matches(topic))
  }

  /** There is more to tell, behind all there was. */
  wake(): void {
    this.#mayHaveMore = true
    this.#reading.ring()
  }

  /** Begins nothing more and waits for nothing more; what is on its way arrives or not, and is booked. */
  stop(): void {
    this.#stop.abort()
    this.#reading.ring()
    this.#booking.ring()
  }

  async #run(onTripped: () => void): Promise<void> {
    await Promise.all([this.#read(), this.#book(onTripped)])
  }

  async #read(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const { secret } = this.#target
      if (this.#mayHaveMore && this.#queue.length < AT_HAND && secret !== undefined) {
        await this.#readPage()
        if (!signal.aborted) this.#begin()
      } else await this.#reading.wait()
    }
    for (const { id } of this.#queue.splice(0)) this.#held.delete(id)
  }

  async #readPage(): Promise<void> {
    const { database, log, pace } = this.#parts
    const after = this.#fromBeginning ? 0 : this.#last
    this.#fromBeginning = false
    this.#mayHaveMore = false
    try {
      const { deliveries, last, more } = await pendingDeliveries(database, this.uuid, after)
      const fresh = deliveries.filter(({ id }) => !this.#held.has(id))
      for (const { id } of fresh) this.#held.add(id)
      this.#queue.push(...fresh)
      this.#last = last
      if (more) this.#mayHaveMore = true
    } catch (error) {
      this.#fromBeginning = true
      this.#mayHaveMore = true
      log.warn({ webhook: this.uuid, reason: textOf(error) }, 'deliveries cannot be read')
      await pace.pause(DATABASE_PAUSE, this.#stop.signal)
    }
  }

  #begin(): void {
    while (this.#open < WINDOW && this.#unbooked < UNBOOKED) {
      const [next] = this.#queue
      if (!next) break
      const bytes = Buffer.byteLength(next.body)
      if (this.#open > 0 && this.#openBytes + bytes > WINDOW_BYTES) break
      this.#queue.shift()
      this.#open += 1
      this.#openBytes += bytes
      void this.#deliver(next).then((outcome) => this.#end(next.id, bytes, outcome))
    }
    if (this.#queue.length < AT_HAND) this.#reading.ring()
  }

  #end(id: number, bytes: number, outcome: DeliveryOutcome | undefined): void {
    this.#open -= 1
    this.#openBytes -= bytes
    if (outcome) {
      this.#ended.push(outcome)
      this.#unbooked += 1
    } else this.#held.delete(id)
    this.#booking.ring()
    if (!this.#stop.signal.aborted) this.#begin()
  }

  async #book(onTripped: () => void): Promise<void> {
    const { signal } = this.#stop
    while (!(signal.aborted && this.#open === 0 && this.#ended.length === 0)) {
      if (this.#ended.length === 0) await this.#booking.wait()
      else {
        if (await this.#bookEnded()) onTripped()
        if (!signal.aborted) this.#begin()
      }
    }
  }

  /** @returns whether the breaker has tripped just now */
  async #bookEnded(): Promise<boolean> {
    const { database, log, pace, threshold, limits, count } = this.#parts
    const outcomes = this.#ended
    this.#ended = []
    const limit = { threshold, deadLetters: limits.deadLetters }
    try {
      const { tripped, forgotten } = await settleDeliveries(database, this.uuid, outcomes, limit)
      this.#forget(outcomes)
      if (forgotten > 0) count('dead_letters_full', forgotten)
      if (!tripped) return false
      count('tripped')
      this.stop()
      return true
    } catch (error) {
      log.warn({ webhook: this.uuid, reason: textOf(error) }, 'deliveries cannot be booked')
      // A stop does not wait for a database that is away: what is not booked is told once more.
      if (this.#stop.signal.aborted) this.#forget(outcomes)
      else this.#ended.unshift(...outcomes)
      await pace.pause(DATABASE_PAUSE, this.#stop.signal)
      return false
    }
  }

  #forget(outcomes: readonly DeliveryOutcome[]): void {
    for (const { id } of outcomes) this.#held.delete(id)
    this.#unbooked -= outcomes.length
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown')
