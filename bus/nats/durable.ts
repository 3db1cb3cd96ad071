/** What a pipeline reads of the streams and will read again after a crash. */
import { type Json, pause } from '../../engine/index.ts'
import type { Durable, Place, SubscribeOptions, Subscription } from '../bus.ts'
import type { Envelope } from '../envelope.ts'
import { matcher } from '../topic.ts'
import { PartitionLeases } from './leases_transport.ts'
import type { BusLog, Link } from './link_transport.ts'
import { Reader, type ReaderPlace } from './reader_transport.ts'
import { reconnected } from './reconnected.ts'
import type { NatsSettings } from './settings.ts'
import type { Streams } from './streams.ts'
import { filterOf, partOf, rootOf, safeName, streamOf } from './subject.ts'

const MESSAGES = 1024
const BYTES = 16 * 2 ** 20
/** How often, and how long apart (ms), a checkpoint is asked for before a part is given away. */
const SAVE_TRIES = 60
const SAVE_EVERY = 250
/** Messages one reader holds, at least, however many share the bound. */
const LEAST_MESSAGES = 16

export interface DurableOptions {
  readonly link: Link
  readonly log: BusLog
  readonly settings: NatsSettings
  readonly streams: Streams
  readonly peer: string
  readonly patterns: readonly string[]
  readonly subscribe: SubscribeOptions
  readonly durable: Durable
}

export class DurableSubscription implements Subscription {
  readonly #options: DurableOptions
  readonly #roots: readonly string[]
  /** stream and part → its reader; those of one part come and go together */
  readonly #readers = new Map<string, Reader>()
  readonly #leases: PartitionLeases | undefined
  #news: Envelope | undefined
  #turn = 0
  #bad = 0
  #finished = false
  #wake: (() => void) | undefined

  constructor(options: DurableOptions) {
    this.#options = options
    this.#roots = options.streams.rootsOf(options.patterns)
    const { partitions } = options.durable
    if (partitions === undefined) this.#open(undefined)
    else {
      this.#leases = new PartitionLeases({
        link: options.link,
        log: options.log,
        prefix: options.settings.prefix,
        name: safeName(options.durable.name),
        count: partitions,
        onClaimed: (index) => this.#open(partOf(index, partitions)),
        onLost: (index) => this.#close(partOf(index, partitions)),
        release: (index) => this.#release(partOf(index, partitions)),
      })
    }
  }

  /** Messages that were none. */
  get dropped(): number {
    return this.#bad
  }

  async take(limit: number): Promise<readonly Envelope[] | undefined> {
    for (;;) {
      const news = this.#news
      this.#news = undefined
      if (news) return [news]
      const readers = [...this.#readers.values()]
      // In turn, so that a stream that never rests does not hold up the others.
      for (let step = 0; step < readers.length; step++) {
        const reader = readers[(this.#turn + step) % readers.length] as Reader
        if (reader.size === 0) continue
        this.#turn = (this.#turn + step + 1) % readers.length
        return reader.take(limit)
      }
      if (this.#finished) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  place(): Place {
    const places: Record<string, Json> = {}
    for (const [key, { place }] of this.#readers) if (place) places[key] = { ...place }
    return places
  }

  settle(place: Place): void {
    for (const [key, reader] of this.#readers) {
      const settled = placeIn(place, key)
      if (settled) reader.settle(settled)
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Envelope> {
    try {
      for (;;) {
        const [envelope] = (await this.take(1)) ?? []
        if (envelope === undefined) return
        yield envelope
      }
    } finally {
      this.close()
    }
  }

  finish(): void {
    this.#finished = true
    this.#leases?.finish()
    for (const reader of this.#readers.values()) reader.finish()
    this.#notify()
  }

  close(): void {
    this.finish()
  }

  /** To be called when the bus closes, after the last `settle`: what is still held is another's. */
  async end(): Promise<void> {
    this.finish()
    await Promise.all([...this.#readers.values()].map((reader) => reader.drop()))
    await Promise.all([...this.#readers.values()].map((reader) => reader.acknowledged()))
    await this.#leases?.end()
  }

  #open(part: string | undefined): void {
    if (this.#finished) return
    const { link, log, settings, streams, peer, patterns, subscribe, durable } = this.#options
    const { prefix } = settings
    const shares = this.#roots.length * (durable.partitions ?? 1)
    const most = (subscribe.maxMessages ?? MESSAGES) / shares
    for (const root of this.#roots) {
      const own = patterns.filter((pattern) => ['*', '>', root].includes(rootOf(pattern)))
      const wanted = own.map(matcher)
      const [pattern] = own
      // One filter is what every server knows; more are told apart here.
      const only = own.length === 1 && pattern !== undefined && rootOf(pattern) === root
      const filter = only ? filterOf(prefix, pattern, part) : undefined
      const key = keyOf(streamOf(prefix, root), part)
      const reader = new Reader({
        link,
        log,
        prefix,
        durable: safeName(part === undefined ? durable.name : `${durable.name}_${part}`),
        stream: (session) => streams.ensure(session, root),
        filter: filter ?? (part === undefined ? undefined : filterOf(prefix, '>', part)),
        wants: (topic) => wanted.some((wants) => wants(topic)),
        peer: subscribe.echo === true ? undefined : peer,
        from: durable.from === undefined ? undefined : placeIn(durable.from, key),
        maxMessages: Math.max(LEAST_MESSAGES, Math.floor(most)),
        maxBytes: Math.floor((subscribe.maxBytes ?? BYTES) / shares),
        onMessage: () => this.#notify(),
        onFull: durable.onFull,
        onBad: () => {
          this.#bad += 1
        },
        onGap: (session) => {
          log.warn({ stream: streamOf(prefix, root) }, 'the stream is new: what it held is gone')
          if (subscribe.reconnected !== true) return
          this.#news = reconnected(link, session)
          this.#notify()
        },
      })
      this.#readers.set(key, reader)
    }
  }

  /** The part is another's: what was read and not handed out is read again there. */
  async #close(part: string): Promise<void> {
    const lost = this.#readersOf(part)
    for (const [key] of lost) this.#readers.delete(key)
    await Promise.all(lost.map(([, reader]) => reader.drop()))
  }

  /** Hands nothing more out, and waits until what was handed out is saved. */
  async #release(part: string): Promise<void> {
    const { link, durable } = this.#options
    const leaving = this.#readersOf(part)
    await Promise.all(leaving.map(([, reader]) => reader.drop()))
    for (let tries = 0; tries < SAVE_TRIES && !link.isClosed; tries++) {
      if (leaving.every(([, reader]) => reader.isSettled)) break
      durable.onFull()
      await pause(SAVE_EVERY, link.over)
    }
    await Promise.all(leaving.map(([, reader]) => reader.acknowledged()))
    for (const [key] of leaving) this.#readers.delete(key)
  }

  #readersOf(part: string): [string, Reader][] {
    return [...this.#readers].filter(([key]) => key.endsWith(`|${part}`))
  }

  #notify(): void {
    this.#wake?.()
    this.#wake = undefined
  }
}

const keyOf = (stream: string, part: string | undefined): string =>
  part === undefined ? stream : `${stream}|${part}`

/** A place comes back from a checkpoint, so it is what was written there. */
function placeIn(place: Place, key: string): ReaderPlace | undefined {
  return Object.hasOwn(place, key) ? (place[key] as unknown as ReaderPlace) : undefined
}
