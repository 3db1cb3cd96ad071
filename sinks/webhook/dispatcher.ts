/** Stores events for those who subscribed to them, and keeps the receivers going. */
import {
  type Room,
  recordFault,
  storeDeliveries,
  sweepDeliveries,
} from '../../store/webhook_deliveries.ts'
import type { WebhookReceiver } from '../../store/webhook_subscriptions.ts'
import { enabledReceivers } from '../../store/webhook_subscriptions.ts'
import { Bodies } from './bodies.ts'
import { Booker } from './booker.ts'
import { Gate } from './gate.ts'
import type { Parts } from './parts.ts'
import { Receiver } from './receiver.ts'

/** Deliveries under way at once, of all receivers together (spec/webhooks.md section 8). */
const IN_FLIGHT = 10
/** Between two looks into the database for what nobody has told of, ms. */
const RELOAD_EVERY = 60_000
/** Receivers, at most: each may hold some MiB. */
const MOST_RECEIVERS = 256
/** What is on its way when we stop may take this long, ms. */
const GRACE = 3000

/** An event and who is to be told of it. */
interface Announcement {
  readonly id: string
  readonly topic: string
  /** JSON, as it is sent */
  readonly body: string
  readonly receivers: readonly Receiver[]
}

export class Dispatcher {
  readonly #parts: Parts
  readonly #gate = new Gate(IN_FLIGHT)
  readonly #booker: Booker
  readonly #bodies = new Bodies()
  #room: Room = new Map()
  readonly #active = new Map<string, Receiver>()
  /** stopped ones that are not done yet */
  readonly #leaving = new Map<string, Promise<void>>()
  readonly #stop = new AbortController()
  readonly #cut = new AbortController()
  #tail: Promise<void> = Promise.resolve()
  #reloader: Promise<void> | undefined

  constructor(parts: Parts) {
    this.#parts = parts
    this.#booker = new Booker(parts, () => this.#gate.taken === 0)
  }

  /** Begins to deliver. Rejects where the database is away. */
  async start(): Promise<void> {
    await this.reload()
    this.#reloader = this.#keepReloading()
  }

  /** @returns those who are told of a topic, each once, however many of his patterns fit */
  receiversOf(topic: string): readonly Receiver[] {
    return [...this.#active.values()].filter((receiver) => receiver.wants(topic))
  }

  /** Stores every announcement for its receivers; then it is no longer the caller's to keep. */
  async announce(announcements: readonly Announcement[]): Promise<void> {
    const { database, pace, limits, count } = this.#parts
    const deliveries = announcements.flatMap(({ id, topic, body, receivers }) =>
      receivers.map(({ uuid }) => ({ subscription: uuid, eventId: id, topic, body })),
    )
    if (deliveries.length === 0) return
    const now = Math.round(pace.now() * 1000)
    const { displaced, forgotten } = await storeDeliveries(
      database,
      deliveries,
      limits,
      now,
      this.#room,
    )
    for (const { id, topic, body, receivers } of announcements) {
      if (receivers.length > 0) this.#bodies.keep(topic, id, body)
    }
    if (displaced > 0) count('dropped_oldest', displaced)
    if (forgotten > 0) count('dead_letters_full', forgotten)
    for (const receiver of new Set(announcements.flatMap((one) => one.receivers))) receiver.wake()
  }

  /** Takes up what has changed about the subscriptions, and touches nothing else. */
  reload(): Promise<void> {
    const next = this.#tail.then(() => this.#reload())
    // Whoever asked is told; the next one begins anyway.
    this.#tail = Promise.allSettled([next]).then(() => undefined)
    return next
  }

  /** Stops within seconds; what has not arrived is told after the next start. */
  async close(): Promise<void> {
    const { pace, client } = this.#parts
    this.#stop.abort()
    await this.#reloader
    await this.#tail
    for (const receiver of this.#active.values()) this.#dismiss(receiver)
    const all = Promise.all(this.#leaving.values())
    const done = new AbortController()
    const grace = pace.pause(GRACE, done.signal).then(() => this.#cut.abort())
    await all
    done.abort()
    await grace
    await this.#booker.close()
    await client.close()
  }

  async #keepReloading(): Promise<void> {
    const { pace, database } = this.#parts
    const { signal } = this.#stop
    for (;;) {
      await pace.pause(RELOAD_EVERY, signal)
      if (signal.aborted) return
      await this.#tryReload(() => sweepDeliveries(database))
    }
  }

  async #tryReload(andThen?: () => Promise<void>): Promise<void> {
    try {
      await this.reload()
      await andThen?.()
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'unknown'
      this.#parts.log.warn({ reason }, 'webhooks could not be looked up; they stay as they were')
    }
  }

  async #reload(): Promise<void> {
    const { database, box, log } = this.#parts
    // Somebody may have had dead ones tried again.
    this.#room = new Map()
    const all = await enabledReceivers(database, box)
    if (this.#stop.signal.aborted) return
    const wanted = all.slice(0, MOST_RECEIVERS)
    if (all.length > wanted.length) {
      log.error({ webhooks: all.length, most: MOST_RECEIVERS }, 'the newest webhooks are left out')
    }
    const uuids = new Set(wanted.map(({ subscription }) => subscription.uuid))
    for (const receiver of this.#active.values()) {
      if (!uuids.has(receiver.uuid)) this.#dismiss(receiver)
    }
    for (const target of wanted) await this.#welcome(target)
  }

  async #welcome(target: WebhookReceiver): Promise<void> {
    const { log, database, pace } = this.#parts
    const { uuid, name, lastError } = target.subscription
    if (target.fault !== undefined && target.fault !== lastError) {
      log.error({ webhook: uuid, name, reason: target.fault }, 'nothing can be sent to a webhook')
      await recordFault(database, uuid, target.fault, Math.round(pace.now() * 1000))
    }
    const known = this.#active.get(uuid)
    if (known) return known.change(target)
    const receiver = new Receiver(target, this.#parts, {
      gate: this.#gate,
      booker: this.#booker,
      bodies: this.#bodies,
      cut: this.#cut.signal,
      after: this.#leaving.get(uuid),
      onTripped: () => {
        log.warn({ webhook: uuid, name }, 'a webhook failed too often and is disabled')
        this.#dismiss(receiver)
        // It may have been armed again before we heard that it has tripped.
        if (!this.#stop.signal.aborted) void this.#tryReload()
      },
    })
    this.#active.set(uuid, receiver)
  }

  #dismiss(receiver: Receiver): void {
    const { uuid, done } = receiver
    if (this.#active.get(uuid) === receiver) this.#active.delete(uuid)
    receiver.stop()
    this.#leaving.set(uuid, done)
    void done.then(() => {
      if (this.#leaving.get(uuid) === done) this.#leaving.delete(uuid)
    })
  }
}
