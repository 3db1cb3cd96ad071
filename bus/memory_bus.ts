/** The bus inside one process: tests, and pipelines that run side by side. */
import { quote } from '../protocols/quote.ts'
import type { Bus, BusConnection, SubscribeOptions, Subscription } from './bus.ts'
import { BusError } from './bus_error.ts'
import { ENVELOPE_MAX_BYTES, type Envelope, type Message } from './envelope.ts'
import { MessageQueue } from './message_queue.ts'
import { isPattern, isTopic, matcher } from './topic.ts'

interface Subscriber {
  readonly peer: string
  readonly queue: MessageQueue
  readonly wants: (topic: string) => boolean
  readonly blocks: boolean
  readonly echo: boolean
}

/**
 * A bus that lives in memory and ends with the process. Messages are handed over as they are, so
 * nobody may change a payload after it was published.
 */
export function memoryBus(): Bus {
  const hub = new Hub()
  return {
    connect: async (name) => new MemoryConnection(hub, name),
    close: async () => hub.close(),
  }
}

/** Nested deeper than this is no message: the walk below must end before the stack does. */
const MAX_DEPTH = 64

/**
 * About the bytes `value` takes as JSON: nothing is encoded here, and encoding each message only to
 * learn its length would cost more than handing it over.
 */
function roughBytes(value: unknown, depth = 0): number {
  if (typeof value === 'string') return value.length + 3
  if (typeof value !== 'object' || value === null) return 8
  if (depth === MAX_DEPTH) return ENVELOPE_MAX_BYTES + 1
  let bytes = 2
  if (Array.isArray(value)) {
    for (const item of value) bytes += roughBytes(item, depth + 1)
    return bytes
  }
  for (const [key, item] of Object.entries(value)) {
    bytes += key.length + 4 + roughBytes(item, depth + 1)
  }
  return bytes
}

class Hub {
  readonly #subscribers = new Set<Subscriber>()
  #closed = false

  get closed(): boolean {
    return this.#closed
  }

  add(subscriber: (end: () => void) => Subscriber): Subscriber {
    const added = subscriber(() => this.#subscribers.delete(added))
    this.#subscribers.add(added)
    return added
  }

  /** Resolves once every subscriber that blocks has taken the message in. */
  async deliver(envelope: Envelope, bytes: number, from: string): Promise<void> {
    const blocked: Promise<void>[] = []
    for (const { queue, wants, peer, blocks, echo } of this.#subscribers) {
      const own = peer === from
      if ((own && !echo) || !wants(envelope.topic)) continue
      if (own || !blocks) {
        queue.push(envelope, bytes)
        continue
      }
      const admitted = queue.pushWhenRoom(envelope, bytes)
      if (admitted) blocked.push(admitted)
    }
    if (blocked.length > 0) await Promise.all(blocked)
  }

  close(): void {
    this.#closed = true
    for (const { queue } of [...this.#subscribers]) queue.finish()
  }
}

class MemoryConnection implements BusConnection {
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
    await this.#hub.deliver({ v: 1, ...message }, bytes, this.#peer)
  }

  async subscribe(
    patterns: readonly string[],
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    this.#refuseClosed()
    const wrong = patterns.find((pattern) => !isPattern(pattern))
    if (wrong !== undefined) throw new BusError('BUS_PATTERN', `not a pattern: ${quote(wrong)}`)
    const matchers = patterns.map(matcher)
    const { queue } = this.#hub.add((remove) => ({
      peer: this.#peer,
      queue: new MessageQueue(options, () => {
        remove()
        this.#own.delete(queue)
      }),
      wants: (topic) => matchers.some((matches) => matches(topic)),
      blocks: options.overflow === 'block',
      echo: options.echo === true,
    }))
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
