/**
 * Reads one stream, or one part of it, for a durable subscription: in order, without a gap, from the
 * place up to which everything has been saved.
 *
 * The server's own redelivery would hand out what was lost with a connection after what came later.
 * So each connection gets a consumer of its own that starts behind the last message that is saved;
 * what has been taken already is skipped. The acknowledgement floors of these consumers are how the
 * next reader, maybe on another host, knows where to start.
 */
import type { ConsumerConfig } from '@nats-io/jetstream'
import type { Msg } from '@nats-io/transport-node'
import { pause } from '../../engine/index.ts'
import type { Envelope } from '../envelope.ts'
import { type BusLog, type Link, REQUEST_TIMEOUT, type Session } from './link_transport.ts'
import { decodeEnvelope, PEER_HEADER } from './message.ts'

/**
 * Messages a reader may have without their being saved. The engine is asked for a checkpoint at half
 * of it, so that the server need not stop while the other half is read.
 */
const WINDOW = 8192
const NANOS = 1_000_000
/**
 * Redelivery by time plays no part (see above), so it only has to stay out of the way of a
 * checkpoint that a slow sink holds up.
 */
const ACK_WAIT = 3600_000
/** ms until the server ends a pull that brings nothing, and between its signs of life meanwhile */
const PULL_EXPIRES = 30_000
const HEARTBEAT = 2000
/** Status of a request that nobody answers: the consumer has been deleted. */
const NO_RESPONDERS = 503
/** Bytes of one pull, at least: room for the largest message. */
const LEAST_BYTES = 2 * 2 ** 20
/** ms before a consumer that could not be made is tried again */
const RETRY = 500

/** Where a reader stands: sequence in a stream that was created at `created`. */
export interface ReaderPlace {
  readonly created: string
  readonly sequence: number
}

export interface ReaderOptions {
  readonly link: Link
  readonly log: BusLog
  readonly prefix: string
  /** the same for all readers that follow one another */
  readonly durable: string
  /** @returns name of the stream, which exists */
  readonly stream: (session: Session) => Promise<string>
  /** subject filter; undefined: all of the stream */
  readonly filter: string | undefined
  readonly wants: (topic: string) => boolean
  /** messages of this peer are left out */
  readonly peer: string | undefined
  readonly from: ReaderPlace | undefined
  readonly maxMessages: number
  readonly maxBytes: number
  readonly onMessage: () => void
  /** Asks for what was taken to be saved. */
  readonly onFull: () => void
  /** Told of messages that could not be read. */
  readonly onBad: () => void
  /** Told where messages may be gone that could not be read: the stream is another than before. */
  readonly onGap: (session: Session) => void
}

interface Held {
  readonly sequence: number
  readonly envelope: Envelope
}

export class Reader {
  readonly #options: ReaderOptions
  readonly #stop = new AbortController()
  readonly #running: Promise<void>
  #queue: Held[] = []
  #created: string | undefined
  /** sequence up to which everything has been received, handed out, saved */
  #received = 0
  #taken = 0
  #saved = 0
  #started = false
  /** what has been received on this connection and is not acknowledged */
  #unacked: { readonly sequence: number; readonly reply: string }[] = []
  /** acknowledgement that has to be said */
  #due: string | undefined
  #session: Session | undefined
  #acking = false
  #asked = false

  constructor(options: ReaderOptions) {
    this.#options = options
    this.#running = this.#run()
  }

  get size(): number {
    return this.#queue.length
  }

  /** Whether all that was handed out is saved. */
  get isSettled(): boolean {
    return this.#taken <= this.#saved
  }

  get place(): ReaderPlace | undefined {
    if (this.#created === undefined) return undefined
    return { created: this.#created, sequence: this.#taken }
  }

  take(limit: number): Envelope[] {
    const taken = this.#queue.splice(0, limit)
    const last = taken.at(-1)
    if (last) this.#taken = last.sequence
    this.#askForRoom()
    this.#onRoom()
    return taken.map(({ envelope }) => envelope)
  }

  /** Everything up to `place` need not be read again. */
  settle({ created, sequence }: ReaderPlace): void {
    if (created !== this.#created || sequence <= this.#saved) return
    this.#saved = sequence
    this.#passSkipped()
    this.#asked = false
    void this.#acknowledge()
  }

  /** Receives no more; what is held can still be taken and settled. */
  finish(): void {
    this.#stop.abort()
  }

  /** What is held is gone; it will be read again. */
  async drop(): Promise<void> {
    this.finish()
    this.#queue = []
    // Else what was thrown away would pass for what nobody wants, and be acknowledged.
    this.#received = this.#taken
    await this.#running
  }

  /** Waits until the server knows what is saved. */
  async acknowledged(): Promise<void> {
    for (let tries = 0; tries < 10 && this.#session?.isOpen; tries++) {
      if (await this.#acknowledge()) return
      await pause(50)
    }
  }

  /** What nobody wants needs no saving of its own once all before it is saved. */
  #passSkipped(): void {
    if (this.#queue.length > 0) return
    if (this.#taken <= this.#saved && this.#received > this.#saved) {
      this.#taken = this.#received
      this.#saved = this.#received
      void this.#acknowledge()
    }
  }

  #askForRoom(): void {
    if (this.#asked || this.#taken <= this.#saved) return
    // In the list are also those saved just now, so the end of it tells.
    const middle = this.#unacked.at(-WINDOW / 2)
    if (!middle || middle.sequence <= this.#saved) return
    this.#asked = true
    this.#options.onFull()
  }

  async #run(): Promise<void> {
    const { link, log } = this.#options
    const { signal } = this.#stop
    let failing = false
    while (!signal.aborted) {
      const session = await link.session(signal)
      if (!session) return
      try {
        const consumer = await this.#consumer(session)
        if (failing) log.info({ stream: consumer.stream }, 'reading from the bus again')
        failing = false
        await this.#receive(session, consumer)
      } catch (error) {
        if (session.isOpen && !failing) {
          const { name, message } = error as Error
          log.warn({ durable: this.#options.durable, name, message }, 'cannot read from the bus')
        }
        failing = session.isOpen
        await pause(RETRY, signal)
      }
    }
  }

  /** Makes the consumer of this connection, and takes those away that it follows. */
  async #consumer(session: Session): Promise<{ stream: string; name: string }> {
    const { durable, filter, from, stream: find, onGap } = this.#options
    const { jsm } = session
    const stream = await find(session)
    const info = await jsm.streams.info(stream)
    if (this.#created !== info.created) {
      const known = this.#created ?? from?.created
      this.#startOver(info.created)
      // With the stream that was read so far went what it still held.
      if (known !== undefined && known !== info.created) onGap(session)
    }
    const before: string[] = []
    let floor = 0
    for await (const { name, ack_floor } of jsm.consumers.list(stream)) {
      if (!name.startsWith(`${durable}-`)) continue
      before.push(name)
      floor = Math.max(floor, ack_floor.stream_seq)
    }
    if (!this.#started) {
      const saved = from?.created === info.created ? from.sequence : 0
      this.#saved = Math.max(saved, floor)
      this.#taken = this.#saved
      this.#received = this.#saved
      this.#started = true
    }
    // What is behind the first message has been kept as long as the stream keeps anything.
    const start = this.#saved + 1
    const name = `${durable}-${freshSuffix()}`
    await jsm.consumers.add(stream, {
      durable_name: name,
      ack_policy: 'all',
      ack_wait: ACK_WAIT * NANOS,
      deliver_policy: 'by_start_sequence',
      opt_start_seq: start,
      max_ack_pending: WINDOW,
      max_waiting: 8,
      ...(filter !== undefined && { filter_subject: filter }),
    } as Partial<ConsumerConfig>)
    // Only now: whoever dies in between leaves one that tells the place.
    for (const old of before) await jsm.consumers.delete(stream, old).catch(gone)
    this.#unacked = []
    this.#due = undefined
    this.#session = session
    return { stream, name }
  }

  /** The stream is another one than before: sequences count from 1 again. */
  #startOver(created: string): void {
    if (this.#created !== undefined) this.#saved = 0
    this.#taken = this.#saved
    this.#received = this.#saved
    this.#queue = []
    this.#created = created
  }

  /** Pulls until the connection or the consumer ends, or this reader does. */
  async #receive(session: Session, consumer: { stream: string; name: string }): Promise<void> {
    const { maxMessages, maxBytes } = this.#options
    const { nc } = session
    const { signal } = this.#stop
    const inbox = `_INBOX.${consumer.name}`
    let delivered = 0
    let outstanding = 0
    let alive = performance.now()
    let fault: string | undefined
    let changed = (): void => undefined
    const subscription = nc.subscribe(inbox, {
      callback: (error, message) => {
        alive = performance.now()
        if (error) fault = error.message
        else if (message.headers?.code && message.data.length === 0) {
          const { code } = message.headers
          if (code === 100) return
          // 404, 408, 409 for its size: this pull is over, and the next may bring more.
          outstanding = 0
          const { description } = message.headers
          const isOver = code === NO_RESPONDERS || /deleted|shutdown|leadership/i.test(description)
          if (isOver) fault = description || 'the consumer is gone'
        } else {
          outstanding -= 1
          const expected = delivered + 1
          delivered = this.#accept(message, consumer.stream)
          if (delivered !== expected) fault = 'a message was lost on the way'
        }
        changed()
      },
    })
    const stop = () => changed()
    signal.addEventListener('abort', stop, { once: true })
    void session.ended.then(stop)
    const watch = setInterval(() => {
      if (outstanding > 0 && performance.now() - alive > 3 * HEARTBEAT) fault = 'no sign of life'
      changed()
    }, HEARTBEAT)
    try {
      while (!signal.aborted && session.isOpen && fault === undefined) {
        const room = maxMessages - this.#queue.length
        if (outstanding <= 0 && room > 0 && room >= maxMessages / 2) {
          outstanding = room
          alive = performance.now()
          nc.publish(
            `$JS.API.CONSUMER.MSG.NEXT.${consumer.stream}.${consumer.name}`,
            JSON.stringify({
              batch: room,
              max_bytes: Math.max(maxBytes, LEAST_BYTES),
              expires: PULL_EXPIRES * NANOS,
              idle_heartbeat: HEARTBEAT * NANOS,
            }),
            { reply: inbox },
          )
        }
        await new Promise<void>((resolve) => {
          changed = resolve
          this.#onRoom = resolve
        })
      }
      if (fault !== undefined && !signal.aborted) throw new Error(fault)
    } finally {
      clearInterval(watch)
      signal.removeEventListener('abort', stop)
      subscription.unsubscribe()
    }
  }
  #onRoom: () => void = () => undefined

  /** @returns the message's number among those this consumer has delivered */
  #accept(message: Msg, stream: string): number {
    const { prefix, wants, peer, onMessage, onBad } = this.#options
    if (this.#stop.signal.aborted) return 0
    const { sequence, delivered, time } = placeOf(message.reply ?? '')
    this.#unacked.push({ sequence, reply: message.reply as string })
    // On a connection of its own a consumer starts behind what is saved, so some was there before.
    if (sequence <= this.#received) return delivered
    this.#received = sequence
    const isOwn = peer !== undefined && message.headers?.get(PEER_HEADER) === peer
    const place = `${stream}:${sequence}`
    const envelope = decodeEnvelope(prefix, message.subject, message.data, place, time)
    if (!envelope) onBad()
    if (envelope && !isOwn && wants(envelope.topic)) {
      this.#queue.push({ sequence, envelope })
      onMessage()
    } else this.#passSkipped()
    this.#askForRoom()
    return delivered
  }

  /** @returns whether the server has said that it knows */
  async #acknowledge(): Promise<boolean> {
    if (this.#acking) return false
    this.#acking = true
    try {
      for (;;) {
        const count = this.#unacked.findLastIndex(({ sequence }) => sequence <= this.#saved) + 1
        if (count > 0) this.#due = this.#unacked[count - 1]?.reply
        this.#unacked = this.#unacked.slice(count)
        const due = this.#due
        if (due === undefined) return true
        const session = this.#session
        if (!session?.isOpen) return false
        // It stands for all before it.
        await session.nc.request(due, '+ACK', { timeout: REQUEST_TIMEOUT })
        if (this.#due === due) this.#due = undefined
      }
    } catch {
      // The next checkpoint says it again, and after a lost connection the next consumer does.
      return false
    } finally {
      this.#acking = false
    }
  }
}

/** Reads `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>`. */
function placeOf(reply: string): { sequence: number; delivered: number; time: number } {
  const tokens = reply.split('.')
  // With a domain and an account hash (2.11), five more stand in front or behind.
  const at = tokens.length >= 11 ? 7 : 5
  return {
    sequence: Number(tokens[at]),
    delivered: Number(tokens[at + 1]),
    time: Number(tokens[at + 2]) / NANOS,
  }
}

const freshSuffix = (): string =>
  Math.floor(Math.random() * 2 ** 48)
    .toString(16)
    .padStart(12, '0')

/** It is gone already, or goes with the next consumer. */
const gone = (): void => undefined
