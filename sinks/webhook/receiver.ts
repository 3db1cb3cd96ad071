/** Tells one receiver what is stored for it, in order, at its own pace. */
import { matcher } from '../../bus/topic.ts'
import type { Attempt } from '../../bus/webhook/client.ts'
import { RETRY_DELAYS, retryWait } from '../../protocols/webhook/retry.ts'
import {
  type DeliveryOutcome,
  type PendingDelivery,
  pendingDeliveries,
  settleDeliveries,
} from '../../store/webhook_deliveries.ts'
import type { WebhookReceiver } from '../../store/webhook_subscriptions.ts'
import { Gate } from './gate.ts'
import type { Parts } from './parts.ts'

/** Deliveries begun and not ended, those that wait for a retry included. */
const WINDOW = 16
/** Bytes of the same, unless one alone has more. */
const WINDOW_BYTES = 2 * 2 ** 20
/** Deliveries read ahead. */
const AHEAD = 64
/** Deliveries that have ended and are not booked yet, before no more are begun. */
const UNBOOKED = 256
/** Between two tries to reach the database, ms. */
const DATABASE_PAUSE = 1000

interface Surroundings {
  readonly gate: Gate
  readonly cut: AbortSignal
  readonly after: Promise<void> | undefined
  readonly onTripped: () => void
}

export class Receiver {
  readonly uuid: string
  readonly #parts: Parts
  readonly #gate: Gate
  readonly #own: Gate
  readonly #cut: AbortSignal
  readonly #stop = new AbortController()
  readonly #queue: PendingDelivery[] = []
  /** all that are read and not booked, by id */
  readonly #held = new Set<number>()
  #open = 0
  #openBytes = 0
  #ended: DeliveryOutcome[] = []
  #mayHaveMore = true
  #ring: (() => void) | undefined
  #rung = false
  #proven = false
  #target: WebhookReceiver
  #wants: readonly ((topic: string) => boolean)[] = []
  #tripped = false
  /** Resolves once nothing of it is under way any more. */
  readonly done: Promise<void>

  /**
   * @param gate places that it shares with all others
   * @param cut aborted when there is no time left even for what is on its way
   * @param after what has to end before, where the same receiver was stopped just now
   * @param onTripped called once when its breaker trips
   */
  constructor(
    target: WebhookReceiver,
    parts: Parts,
    { gate, cut, after, onTripped }: Surroundings,
  ) {
    this.uuid = target.subscription.uuid
    this.#parts = parts
    this.#gate = gate
    this.#cut = cut
    this.#own = new Gate(parts.inFlight)
    this.#target = target
    this.change(target)
    this.done = Promise.resolve(after).then(() => this.#run(onTripped))
  }

  /** Takes a new URL, secret or patterns; what is under way goes on as it began. */
  change(target: WebhookReceiver): void {
    this.#target = target
    this.#wants = target.subscription.topicPatterns.map(matcher)
    this.wake()
  }

  wants(topic: string): boolean {
    return this.#wants.some((matches) => matches(topic))
  }

  /** There may be more to tell. */
  wake(): void {
    this.#mayHaveMore = true
    this.#call()
  }

  /** Begins nothing more and waits for nothing more; what is on its way arrives or not, and is booked. */
  stop(): void {
    this.#stop.abort()
    this.#call()
  }

  async #run(onTripped: () => void): Promise<void> {
    const { signal } = this.#stop
    for (;;) {
      if (this.#ended.length > 0 && (await this.#book())) onTripped()
      if (signal.aborted) {
        if (this.#open === 0 && this.#ended.length === 0) return
      } else {
        await this.#readAhead()
        this.#begin()
      }
      if (this.#ended.length === 0) await this.#called()
    }
  }

  async #readAhead(): Promise<void> {
    if (this.#queue.length > 0 || !this.#mayHaveMore || this.#target.secret === undefined) return
    this.#mayHaveMore = false
    const { database, log, pace } = this.#parts
    try {
      const rows = await pendingDeliveries(database, this.uuid, this.#held, AHEAD)
      if (rows.length > 0) this.#mayHaveMore = true
      for (const row of rows) this.#held.add(row.id)
      this.#queue.push(...rows)
    } catch (error) {
      this.#mayHaveMore = true
      log.warn({ webhook: this.uuid, reason: textOf(error) }, 'deliveries cannot be read')
      await pace.pause(DATABASE_PAUSE, this.#stop.signal)
      this.#rung = true
    }
  }

  #begin(): void {
    while (this.#open < WINDOW && this.#ended.length < UNBOOKED) {
      const [next] = this.#queue
      if (!next) return
      const bytes = Buffer.byteLength(next.body)
      if (this.#open > 0 && this.#openBytes + bytes > WINDOW_BYTES) return
      this.#queue.shift()
      this.#open += 1
      this.#openBytes += bytes
      void this.#deliver(next).then((outcome) => {
        this.#open -= 1
        this.#openBytes -= bytes
        if (outcome) this.#ended.push(outcome)
        else this.#held.delete(next.id)
        this.#call()
      })
    }
  }

  /** @returns undefined where it was stopped before it had ended: it stays pending */
  async #deliver(row: PendingDelivery): Promise<DeliveryOutcome | undefined> {
    const { pace, count } = this.#parts
    const { signal } = this.#stop
    const body = Buffer.from(row.body)
    const seconds = Math.floor(pace.now() / 1000)
    let tries = 0
    for (let attempts = 1; ; attempts += 1) {
      const attempt = await this.#attempt({ ...row, body, seconds })
      if (!attempt) return undefined
      this.#proven = attempt.ok
      if (attempt.tried) tries += 1
      const delay = RETRY_DELAYS[attempts - 1]
      if (attempt.ok || !attempt.retry || delay === undefined) {
        count(attempt.ok ? 'delivered' : attempt.tried ? 'given_up' : 'refused_destination')
        const at = Math.round(pace.now() * 1000)
        return { id: row.id, error: attempt.error, attempts: tries, at }
      }
      count('retried')
      await pace.pause(retryWait(delay, pace.chance(), attempt.retryAfter), signal)
      if (signal.aborted) return undefined
    }
  }

  /** @returns undefined where it was stopped before anything was sent */
  async #attempt(row: {
    readonly eventId: string
    readonly topic: string
    readonly body: Uint8Array
    readonly seconds: number
  }): Promise<Attempt | undefined> {
    const { signal } = this.#stop
    const leaveOwn = await this.#own.take(true, signal)
    if (!leaveOwn) return undefined
    const leave = await this.#gate.take(this.#proven, signal)
    try {
      const { secret, subscription } = this.#target
      if (!leave || secret === undefined) return undefined
      const { eventId: id, topic, body, seconds } = row
      // Not stopped in the middle: who has it must be known to have it.
      const post = { url: subscription.url, secret, id, topic, body, seconds }
      return await this.#parts.client.attempt(post, this.#cut)
    } catch (error) {
      if (!this.#cut.aborted) throw error
      return undefined
    } finally {
      leave?.()
      leaveOwn()
    }
  }

  /** @returns whether the breaker has tripped just now */
  async #book(): Promise<boolean> {
    const { database, log, pace, threshold, limits, count } = this.#parts
    const outcomes = this.#ended
    this.#ended = []
    const { deadLetters } = limits
    try {
      const limit = { threshold, deadLetters }
      const { tripped, forgotten } = await settleDeliveries(database, this.uuid, outcomes, limit)
      for (const { id } of outcomes) this.#held.delete(id)
      if (forgotten > 0) count('dead_letters_full', forgotten)
      if (!tripped || this.#tripped) return false
      this.#tripped = true
      count('tripped')
      for (const { id } of this.#queue.splice(0)) this.#held.delete(id)
      this.stop()
      return true
    } catch (error) {
      this.#ended.unshift(...outcomes)
      log.warn({ webhook: this.uuid, reason: textOf(error) }, 'deliveries cannot be booked')
      await pace.pause(DATABASE_PAUSE, this.#hurry())
      return false
    }
  }

  /** A stop does not wait for a database that is away: what is not booked is told once more. */
  #hurry(): AbortSignal {
    if (this.#stop.signal.aborted) {
      this.#ended = []
      this.#held.clear()
    }
    return this.#stop.signal
  }

  #call(): void {
    this.#rung = true
    this.#ring?.()
  }

  async #called(): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        this.#ring = resolve
      })
      this.#ring = undefined
    }
    this.#rung = false
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown')
