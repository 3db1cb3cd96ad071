/** Tells one receiver what is stored for it, in order, at its own pace. */
import { matcher } from '../../bus/topic.ts'
import {
  type DeliveryOutcome,
  type PendingDelivery,
  pendingDeliveries,
} from '../../store/webhook_deliveries.ts'
import type { WebhookReceiver } from '../../store/webhook_subscriptions.ts'
import { Bell } from './bell.ts'
import type { Bodies } from './bodies.ts'
import type { Booker } from './booker.ts'
import { delivering } from './delivery.ts'
import { Gate } from './gate.ts'
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
  readonly booker: Booker
  readonly bodies: Bodies
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
  /** places of its own */
  readonly #own: Gate
  readonly #booker: Booker
  readonly #knownBody: Bodies['find']
  readonly #onTripped: () => void
  readonly #reading = new Bell()
  readonly #queue: PendingDelivery[] = []
  /** all that are read and not booked, by id */
  readonly #held = new Set<number>()
  #open = 0
  #openBytes = 0
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
    const { gate, booker, bodies, cut, after, onTripped } = surroundings
    this.#knownBody = (...event) => bodies.find(...event)
    this.uuid = target.subscription.uuid
    this.#parts = parts
    this.#target = target
    this.#own = new Gate(parts.inFlight)
    this.#booker = booker
    this.#onTripped = onTripped
    this.#deliver = delivering({
      parts,
      own: this.#own,
      gate,
      stop: this.#stop.signal,
      cut,
      target: () => this.#target,
      onPlace: () => this.#begin(),
    })
    this.change(target)
    this.done = Promise.resolve(after).then(() => this.#run())
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

  isTripped = false

  get isStopped(): boolean {
    return this.#stop.signal.aborted
  }

  /** Begins nothing more and waits for nothing more; what is on its way arrives or not, and is booked. */
  stop(): void {
    this.#stop.abort()
    this.#reading.ring()
    this.#booker.hurry()
  }

  async #run(): Promise<void> {
    await this.#read()
    while (this.#open > 0 || this.#unbooked > 0) await this.#reading.wait()
  }

  booked(outcomes: readonly DeliveryOutcome[], tripped: boolean): void {
    this.unbooked(outcomes)
    if (!tripped) return
    this.isTripped = true
    this.#parts.count('tripped')
    this.stop()
    this.#onTripped()
  }

  unbooked(outcomes: readonly DeliveryOutcome[]): void {
    for (const { id } of outcomes) this.#held.delete(id)
    this.#unbooked -= outcomes.length
    if (this.isStopped) this.#reading.ring()
    else this.#begin()
  }

  async #read(): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted) {
      const { secret } = this.#target
      if (this.#mayHaveMore && this.#queue.length < AT_HAND && secret !== undefined) {
        await this.#readPage()
        this.#begin()
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
      const { deliveries, last, more } = await pendingDeliveries(
        database,
        this.uuid,
        after,
        this.#knownBody,
      )
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
    while (!this.isStopped && this.#open < WINDOW && this.#unbooked < UNBOOKED) {
      // Those that are to be tried again come first, so none begins to stand behind them.
      if (this.#own.taken >= this.#parts.inFlight) break
      const [next] = this.#queue
      if (!next) break
      const bytes = next.body.length
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
      this.#unbooked += 1
      this.#booker.add(this, outcome)
    } else this.#held.delete(id)
    if (this.isStopped) this.#reading.ring()
    else this.#begin()
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown')
