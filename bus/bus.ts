/** What every transport of the bus offers. */
import { defineResource, type Json, type Resource } from '../engine/index.ts'
import type { Envelope, Message } from './envelope.ts'

/** How one subscription holds what its reader has not taken yet. */
export interface SubscribeOptions {
  /** messages held, at most; default 1024 (spec/bus.md section 7) */
  readonly maxMessages?: number
  /** bytes of JSON held, at most; default 16 MiB; one message is always let in */
  readonly maxBytes?: number
  /**
   * When full: `drop_oldest` (default) loses the oldest and counts it; `block` lets `publish`
   * wait, where the transport can (in memory; a socket cannot).
   */
  readonly overflow?: 'drop_oldest' | 'block'
  /**
   * Whether what this very connection publishes comes back too; default false. An echo never
   * blocks its publisher, who may be the only reader: it drops the oldest instead.
   */
  readonly echo?: boolean
  /**
   * Whether a message of `system.bus.reconnected` is put in after the bus was away, for what was
   * said meanwhile is gone; default false. In memory the bus is never away. A durable reader
   * misses nothing and is told only where what the transport kept is gone.
   */
  readonly reconnected?: boolean
  /** For a reader that must lose nothing: heeded where the transport keeps messages (NATS). */
  readonly durable?: Durable
}

/** Where a durable reader stands, as JSON: from the transport, for the transport. */
export type Place = Readonly<Record<string, Json>>

export interface Durable {
  /** Readers of one name follow one another: each goes on where the last was settled. */
  readonly name: string
  /** where to go on, if that is further; undefined: from the first message that is kept */
  readonly from?: Place | undefined
  /** Read a share of so many parts of the topics; the readers of one name have them all. */
  readonly partitions?: number | undefined
  /** Asks for `settle`: no more comes before long. */
  readonly onFull: () => void
}

/**
 * Messages on some patterns, each once, in the order each publisher sent them. Leaving a
 * `for await` closes it.
 */
export interface Subscription extends AsyncIterable<Envelope> {
  /** Messages dropped because the reader was slow. */
  readonly dropped: number
  /**
   * Waits for at least one message.
   * @param limit messages handed out, at most
   * @returns what is there, in order; undefined once the subscription has ended and is empty
   */
  take(limit: number): Promise<readonly Envelope[] | undefined>
  /** Where a durable reader goes on after what has been taken. Unset: what is taken is gone. */
  place?(): Place
  /** What was taken up to `place` need not come again. Can be called after the end, too. */
  settle?(place: Place): void
  /** Lets nothing more in; what is held can still be taken, then it ends. */
  finish(): void
  /** Ends it at once; what is held is gone. */
  close(): void
}

/**
 * One peer on the bus. Nothing a connection publishes is delivered to its own subscriptions,
 * unless they ask for an echo.
 */
export interface BusConnection {
  /**
   * @throws {BusError} `BUS_TOPIC`, `BUS_TOO_LARGE` (message over 1 MiB), `BUS_CLOSED`, or
   *   `BUS_AWAY` where it cannot leave this process now; within it, it has been delivered
   */
  publish(message: Message): Promise<void>
  /**
   * Publishes in order and waits until the transport has them for good; a repeat changes nothing.
   * Unset where it keeps nothing.
   * @param parts of the topics: see `Durable.partitions`
   * @throws {UnavailableError} when not all could be stored: all are to be tried again
   * @throws {BusError} as `publish`
   */
  store?(messages: readonly Message[], parts?: readonly string[]): Promise<void>
  /** @throws {BusError} `BUS_PATTERN` or `BUS_CLOSED` */
  subscribe(patterns: readonly string[], options?: SubscribeOptions): Promise<Subscription>
  /** Finishes this connection's subscriptions and refuses to publish; may be called again. */
  close(): Promise<void>
}

export interface Bus {
  /**
   * Opens a connection. Those of one name are one peer, so that a pipeline is not woken by what
   * it says itself, however many of its nodes use the bus.
   */
  connect(name: string): Promise<BusConnection>
  /** Whether what is published now can reach others. */
  readonly isConnected: boolean
  /** Finishes all subscriptions, refuses all else; may be called again. */
  close(): Promise<void>
}

/** The bus of this process: `(await context.use(busResource)).connect(context.pipeline)`. */
export const busResource: Resource<Bus> = defineResource<Bus>('bus')
