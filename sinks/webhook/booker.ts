/** Books how deliveries ended: those of all receivers together, one transaction after the other. */
import type { DeliveryOutcome } from '../../store/webhook_deliveries.ts'
import { settleDeliveries } from '../../store/webhook_deliveries.ts'
import { Bell } from './bell.ts'
import type { Parts } from './parts.ts'

/** As many as these are booked at once... */
const MANY = 128
/** ...and fewer after this, ms: a transaction costs as much as some twenty posts. */
const LINGER = 20
/** Between two tries to reach the database, ms. */
const DATABASE_PAUSE = 1000

/** Whose deliveries are booked. */
interface Booking {
  readonly uuid: string
  /** Whether it has been told to stop. */
  readonly isStopped: boolean
  /** Whether its breaker has tripped. */
  readonly isTripped: boolean
  /** These are booked. */
  booked(outcomes: readonly DeliveryOutcome[], tripped: boolean): void
  /** These never will be: the database is away, and there is no time to wait for it. */
  unbooked(outcomes: readonly DeliveryOutcome[]): void
}

export class Booker {
  readonly #parts: Parts
  readonly #isIdle: () => boolean
  readonly #bell = new Bell()
  #ended = new Map<Booking, DeliveryOutcome[]>()
  #count = 0
  #isOver = false
  #isUrgent = false
  /** ends the pause under way */
  #hurry: AbortController | undefined
  readonly #done: Promise<void>

  /** @param isIdle whether nothing is under way that might soon have to be booked as well */
  constructor(parts: Parts, isIdle: () => boolean) {
    this.#parts = parts
    this.#isIdle = isIdle
    this.#done = this.#run()
  }

  add(who: Booking, outcome: DeliveryOutcome): void {
    const known = this.#ended.get(who)
    if (known) known.push(outcome)
    else this.#ended.set(who, [outcome])
    this.#count += 1
    this.#bell.ring()
    // A failure may trip a breaker, which is to stop what begins behind it.
    this.#isUrgent ||= outcome.error !== null
    if (this.#isDue) this.#hurry?.abort()
  }

  /** Waits for nothing any more: somebody stops. */
  hurry(): void {
    this.#hurry?.abort()
  }

  /** Ends once all that was added is booked, or never will be. */
  close(): Promise<void> {
    this.#isOver = true
    this.#bell.ring()
    this.hurry()
    return this.#done
  }

  get #isDue(): boolean {
    return this.#isOver || this.#isUrgent || this.#count >= MANY || this.#isIdle()
  }

  async #run(): Promise<void> {
    while (!this.#isOver || this.#count > 0) {
      if (this.#count === 0) await this.#bell.wait()
      else {
        if (!this.#isDue) await this.#pause(LINGER)
        await this.#bookAll()
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    const hurry = new AbortController()
    this.#hurry = hurry
    await this.#parts.pace.pause(ms, hurry.signal)
    this.#hurry = undefined
  }

  async #bookAll(): Promise<void> {
    const { database, log, threshold, limits, count } = this.#parts
    const ended = this.#ended
    this.#ended = new Map()
    this.#count = 0
    this.#isUrgent = false
    const settlings = Array.from(ended, ([{ uuid, isTripped }, outcomes]) => ({
      subscription: uuid,
      outcomes,
      isLate: isTripped,
    }))
    try {
      const limit = { threshold, deadLetters: limits.deadLetters }
      const { tripped, forgotten } = await settleDeliveries(database, settlings, limit)
      if (forgotten > 0) count('dead_letters_full', forgotten)
      for (const [who, outcomes] of ended) who.booked(outcomes, tripped.has(who.uuid))
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown'
      log.warn({ webhooks: ended.size, reason }, 'deliveries cannot be booked')
      this.#putBack(ended)
      if (!this.#isOver && this.#count > 0) await this.#pause(DATABASE_PAUSE)
    }
  }

  /** A stop does not wait for a database that is away: what is not booked is told once more. */
  #putBack(ended: ReadonlyMap<Booking, DeliveryOutcome[]>): void {
    for (const [who, outcomes] of ended) {
      if (who.isStopped) {
        who.unbooked(outcomes)
        continue
      }
      const later = this.#ended.get(who) ?? []
      this.#ended.set(who, [...outcomes, ...later])
      this.#count += outcomes.length
    }
  }
}
