/** The bus inside one process: tests, and pipelines that run side by side. */
import { quote } from '../protocols/quote.ts'
import type { Bus, BusConnection, SubscribeOptions, Subscription } from './bus.ts'
import { BusError } from './bus_error.ts'
import { ENVELOPE_MAX_BYTES, type Envelope, type Message, PAYLOAD_MAX_LEVELS } from './envelope.ts'
import { MessageQueue } from './message_queue.ts'
import { isPattern, isTopic, matcher } from './topic.ts'

interface Subscriber {
  readonly peer: string
  readonly queue: MessageQueue
  readonly wants: (topic: string) => boolean
  readonly blocks: boolean
  readonly echo: boolean
  readonly hearsReturns: boolean
}

/**
 * A bus that lives in memory and ends with the process. Messages are handed over as they are, so
 * nobody may change a payload after it was published.
 */
export function memoryBus(): Bus {
  const hub = new Hub()
  return {
    connect: async (name) => new MemoryConnection(hub, name),
    get isConnected() {
      return !hub.closed
    },
    close: async () => hub.close(),
  }
}

/** What carries messages beyond this process. */
export interface Uplink {
  /** @throws {BusError} `BUS_TOO_LARGE`, `BUS_AWAY` */
  publish(envelope: Envelope): Promise<void>
  /** Called for each pattern of each subscription, and once more when that ends. */
  want(pattern: string): void
  unwant(pattern: string): void
}

/**
 * About the bytes `value` takes as JSON: nothing is encoded here, and encoding each message only to
 * learn its length would cost more than handing it over.
 */
function roughBytes(value: unknown, depth = 0): number {
  if (typeof value === 'string') return value.length + 3
  if (typeof value !== 'object' || value === null) return 8
  if (depth === PAYLOAD_MAX_LEVELS) return ENVELOPE_MAX_BYTES + 1
  let bytes = 2
  if (Array.isArray(value)) {
    for (const item of value) bytes += roughBytes(item, depth + 1)
    return bytes
  }
  const members = value as Readonly<Record<string, unknown>>
  for (const key of Object.keys(members)) {
    bytes += key.length + 4 + roughBytes(members[key], depth + 1)
  }
  return bytes
}

/** The subscriptions of this process. */
export class Hub {
  readonly uplink: Uplink | undefined
  readonly #subscribers = new Set<Subscriber>()
  #closed = false

  constructor(uplink?: Uplink) {
    this.uplink = uplink
  }

  get closed(): boolean {
    return this.#closed
  }

  add(subscriber: (end: () => void) => Subscriber): Subscriber {
    const added = subscriber(() => this.#subscribers.delete(added))
    this.#subscribers.add(added)
    return added
  }

  /** @returns what resolves once every subscriber that blocks has taken the message in */
  deliver(envelope: Envelope, bytes: number, from: string): Promise<unknown> | undefined {
    // Mostly nobody listens, or nobody blocks: then there is nothing to wait for.
    let blocked: Promise<void>[] | undefined
    for (const { queue, wants, peer, blocks, echo } of this.#subscribers) {
      const own = peer === from
      if ((own && !echo) || !wants(envelope.topic)) continue
      if (own || !blocks) {
        queue.push(envelope, bytes)
        continue
      }
      const admitted = queue.pushWhenRoom(envelope, bytes)
      if (!admitted) continue
      blocked ??= []
      blocked.push(admitted)
    }
    return blocked && Promise.all(blocked)
  }

  /** Hands on what has come from another process, which nobody here can make wait. */
  receive(envelope: Envelope, bytes: number): void {
    for (const { queue, wants } of this.#subscribers) {
      if (wants(envelope.topic)) queue.push(envelope, bytes)
    }
  }

  /** Tells those who asked for it that messages may have been missed. */
  announceReturn(envelope: Envelope): void {
    for (const { queue, hearsReturns } of this.#subscribers) {
      if (hearsReturns) queue.push(envelope, 0)
    }
  }

  close(): void {
    this.#closed = true
    for (const { queue } of [...this.#subscribers]) queue.finish()
  }
}

/** One peer of a hub. */
export class MemoryConnection implements BusConnection {
  readonly #hub: Hub
  readonly #peer: string
  readonly #own = new Set<MessageQueue>()
  #closed = false

  constructor(hub: Hub, peer: string) {
    this.#hub = hub
    this.#peer = peer
  }

  async publish(message: Message): Promise<void> {
    this.#refuseClosed()
    if (!isTopic(message.topic)) {
      throw new BusError('BUS_TOPIC', `not a topic: ${quote(message.topic)}`)
    }
    const bytes = roughBytes(message.payload)
    if (bytes > ENVELOPE_MAX_BYTES) {
      throw new BusError('BUS_TOO_LARGE', `a message of more than ${ENVELOPE_MAX_BYTES} bytes`)
    }
    const { id, topic, type, ts, payload } = message
    const envelope: Envelope = { v: 1, id, topic, type, ts, payload }
    const blocked = this.#hub.deliver(envelope, bytes, this.#peer)
    if (blocked) await blocked
    if (this.#hub.uplink) await this.#hub.uplink.publish(envelope)
  }

  async subscribe(
    patterns: readonly string[],
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    this.#refuseClosed()
    const wrong = patterns.find((pattern) => !isPattern(pattern))
    if (wrong !== undefined) throw new BusError('BUS_PATTERN', `not a pattern: ${quote(wrong)}`)
    const matchers = patterns.map(matcher)
    const { uplink } = this.#hub
    const { queue } = this.#hub.add((remove) => ({
      peer: this.#peer,
      queue: new MessageQueue(options, () => {
        remove()
        this.#own.delete(queue)
        for (const pattern of patterns) uplink?.unwant(pattern)
      }),
      wants: (topic) => matchers.some((matches) => matches(topic)),
      blocks: options.overflow === 'block',
      echo: options.echo === true,
      hearsReturns: options.reconnected === true,
    }))
    for (const pattern of patterns) uplink?.want(pattern)
    this.#own.add(queue)
    return queue
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const queue of [...this.#own]) queue.finish()
  }

  #refuseClosed(): void {
    if (this.#closed || this.#hub.closed) throw new BusError('BUS_CLOSED', 'the bus is closed')
  }
}
