/** The bus of several hosts: NATS, with JetStream keeping what pipelines must not lose. */
import { UnavailableError } from '../engine/index.ts'
import type { Bus, BusConnection, SubscribeOptions, Subscription } from './bus.ts'
import { BusError } from './bus_error.ts'
import type { Message } from './envelope.ts'
import { MessageQueue } from './message_queue.ts'
import { DurableSubscription } from './nats/durable.ts'
import { type BusLog, Link } from './nats/link_transport.ts'
import { Outbox } from './nats/outbox.ts'
import { Publisher } from './nats/publisher.ts'
import type { NatsSettings } from './nats/settings.ts'
import { Streams } from './nats/streams.ts'
import { filterOf } from './nats/subject.ts'
import { VolatileSubscription } from './nats/volatile.ts'

/** Connects in the background, for as long as it takes; publishing and subscribing need not wait. */
export function natsBus(settings: NatsSettings, log: BusLog, process: string): Bus {
  return new NatsBus(settings, log, process)
}

class NatsBus implements Bus {
  readonly link: Link
  readonly streams: Streams
  readonly publisher: Publisher
  readonly settings: NatsSettings
  readonly log: BusLog
  readonly process: string
  readonly durables = new Set<DurableSubscription>()
  readonly #connections = new Set<NatsBusConnection>()

  constructor(settings: NatsSettings, log: BusLog, process: string) {
    this.settings = settings
    this.log = log
    this.process = process
    this.link = new Link(settings, log)
    this.streams = new Streams(settings)
    this.publisher = new Publisher(this.link, this.streams, settings.prefix)
  }

  get isConnected(): boolean {
    return this.link.current?.isOpen === true
  }

  async connect(name: string): Promise<BusConnection> {
    if (this.link.isClosed) throw closed()
    const connection = new NatsBusConnection(this, name)
    this.#connections.add(connection)
    return connection
  }

  async close(): Promise<void> {
    await Promise.all([...this.#connections].map((connection) => connection.close()))
    this.#connections.clear()
    await Promise.all([...this.durables].map((durable) => durable.end()))
    this.durables.clear()
    await this.link.close()
  }
}

class NatsBusConnection implements BusConnection {
  readonly #bus: NatsBus
  readonly #name: string
  readonly #outbox: Outbox
  readonly #subscriptions = new Set<Subscription>()
  #closed = false

  constructor(bus: NatsBus, name: string) {
    this.#bus = bus
    this.#name = name
    const from = { peer: name, process: bus.process }
    this.#outbox = new Outbox((messages) => bus.publisher.store(messages, from), bus.link, bus.log)
  }

  async publish(message: Message): Promise<void> {
    this.#refuseClosed()
    const bytes = this.#bus.publisher.check(message)
    this.#outbox.push({ v: 1, ...message }, bytes)
  }

  async store(messages: readonly Message[], parts?: readonly string[]): Promise<void> {
    this.#refuseClosed()
    for (const message of messages) this.#bus.publisher.check(message)
    const from = { peer: this.#name, process: this.#bus.process }
    const stored = await this.#bus.publisher.store(messages, from, parts)
    if (!stored) throw new UnavailableError('BUS_UNAVAILABLE', 'the bus does not take messages now')
  }

  async subscribe(
    patterns: readonly string[],
    options: SubscribeOptions = {},
  ): Promise<Subscription> {
    this.#refuseClosed()
    const { link, log, settings, streams, process, durables } = this.#bus
    const filters = patterns.map((pattern) => filterOf(settings.prefix, pattern))
    const { durable } = options
    if (durable) {
      const subscription = new DurableSubscription({
        link,
        log,
        settings,
        streams,
        peer: this.#name,
        patterns,
        subscribe: options,
        durable,
      })
      durables.add(subscription)
      this.#subscriptions.add(subscription)
      return subscription
    }
    const queue = new MessageQueue(options, () => {
      this.#subscriptions.delete(queue)
      volatile.end()
    })
    const own = options.echo === true ? undefined : { peer: this.#name, process }
    const tells = options.reconnected === true
    const { prefix } = settings
    const volatile = new VolatileSubscription(link, prefix, patterns, filters, own, queue, tells)
    this.#subscriptions.add(queue)
    await volatile.ready()
    return queue
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    for (const subscription of [...this.#subscriptions]) subscription.finish()
    await this.#outbox.close()
  }

  #refuseClosed(): void {
    if (this.#closed || this.#bus.link.isClosed) throw closed()
  }
}

const closed = (): BusError => new BusError('BUS_CLOSED', 'the bus is closed')
