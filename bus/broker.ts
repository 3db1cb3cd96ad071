/** The broker of one host: hands each message on to every other connection that wants it. */
import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import { type Clock, type Context, pause } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'
import { type Envelope, isEventId, isTooDeep, readEnvelope } from './envelope.ts'
import { encodeFrame, type Frame, FrameDecoder, FrameError } from './frame.ts'
import { FrameQueue } from './frame_queue.ts'
import { RunWriter } from './frame_run.ts'
import { matcher, TOPIC_MAX } from './topic.ts'

export interface BrokerOptions {
  readonly clock: Clock
  /** 32 lower-case hex characters, new each time */
  readonly nextId: () => string
  readonly log: Context['log']
}

/** What a broker tells of itself in its heartbeat. */
export interface BrokerCounters {
  readonly connections: number
  /** messages that were published since the start */
  readonly published_total: number
  /** frames that slow readers have lost since the start */
  readonly dropped_total: number
  /** connections that were closed for what they said since the start */
  readonly refused_total: number
}

/** Patterns of one connection, at most; more are not needed by any peer of ours. */
const MOST_PATTERNS = 1024
/** Topics whose readers are remembered. */
const MOST_TOPICS = 4096
/** At least this long between two log lines on the same matter, ms. */
const LOG_EVERY = 10_000
/** How long a peer may take to read its farewell, ms. */
const FAREWELL = 200

/**
 * Carries frames between sockets; who listens for them is the caller's business.
 * @see spec/bus.md sections 5 and 7
 */
export class Broker {
  readonly #options: BrokerOptions
  readonly #connections = new Set<Connection>()
  readonly #readers = new Map<string, readonly Connection[]>()
  #published = 0
  #dropped = 0
  #refused = 0
  #closed = false
  #loggedDrop = Number.NEGATIVE_INFINITY
  #loggedBreach = Number.NEGATIVE_INFINITY
  #quietBreaches = 0
  #loggedRefusal = Number.NEGATIVE_INFINITY

  constructor(options: BrokerOptions) {
    this.#options = options
  }

  get counters(): BrokerCounters {
    return {
      connections: this.#connections.size,
      published_total: this.#published,
      dropped_total: this.#dropped,
      refused_total: this.#refused,
    }
  }

  /** Takes over a connection that has been accepted. */
  serve(socket: Socket): void {
    if (this.#closed) {
      socket.destroy()
      return
    }
    const connection = new Connection(socket, () => this.#lost(connection))
    this.#connections.add(connection)
    socket.on('data', (chunk: Buffer) => this.#read(connection, chunk))
    socket.on('end', () => {
      if (!connection.decoder.isBetweenFrames) {
        this.#options.log.debug({ peer: connection.name }, 'a peer left in the middle of a frame')
      }
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#options.log.debug({ peer: connection.name, code: error.code }, 'a connection broke')
    })
    socket.once('close', () => {
      this.#connections.delete(connection)
      this.#readers.clear()
    })
  }

  /** Publishes a message of the broker's own. */
  publish(envelope: Envelope): void {
    this.#fanOut(envelope.topic, JSON.stringify(envelope), undefined)
    this.#flush()
  }

  /** Says goodbye and closes every connection; takes no longer than a moment. */
  async close(): Promise<void> {
    this.#closed = true
    const all = [...this.#connections]
    const gone = all.map(({ socket, queue }) => {
      const closed = new Promise((resolve) => socket.once('close', resolve))
      queue.flush()
      socket.end(encodeFrame('BYE', ''))
      return closed
    })
    const patience = new AbortController()
    await Promise.race([Promise.all(gone), pause(FAREWELL, patience.signal)])
    patience.abort()
    for (const { socket } of all) socket.destroy()
    await Promise.all(gone)
  }

  #read(connection: Connection, chunk: Buffer): void {
    const { decoder, socket } = connection
    try {
      decoder.push(chunk)
      for (let frame = decoder.take(); frame; frame = decoder.take()) {
        if (!this.#obey(connection, frame)) {
          socket.end()
          socket.destroySoon()
          break
        }
      }
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.#breach(connection, error.message)
      socket.destroy()
    }
    // What one chunk has brought is written together.
    this.#flush()
  }

  /** Connections whose queues have grown since they were flushed. */
  readonly #dirty = new Set<Connection>()
  /** messages for the same readers, which share one copy of them */
  readonly #run = new RunWriter('EVT')
  #runReaders: readonly Connection[] = []
  #runFrom: Connection | undefined

  #flush(): void {
    this.#endRun()
    for (const { queue } of this.#dirty) queue.flush()
    this.#dirty.clear()
  }

  #endRun(): void {
    const run = this.#run.take()
    if (!run) return
    for (const reader of this.#runReaders) {
      if (reader === this.#runFrom) continue
      reader.queue.pushRun(run)
      this.#dirty.add(reader)
    }
  }

  /** @returns false once the peer has taken its leave */
  #obey(connection: Connection, { verb, args, body }: Frame): boolean {
    switch (verb) {
      case 'HELLO':
        connection.name = quote(args, 64)
        return true
      case 'PUB':
        if (args === '') throw new FrameError('PUB without a topic')
        this.#publish(connection, args, body)
        return true
      case 'SUB':
        if (args === '') throw new FrameError('SUB without a pattern')
        if (connection.patterns.size >= MOST_PATTERNS) throw new FrameError('too many patterns')
        connection.patterns.set(args, matcher(args))
        this.#readers.clear()
        return true
      case 'UNSUB':
        connection.patterns.delete(args)
        this.#readers.clear()
        return true
      case 'BYE':
        return false
      default:
        throw new FrameError(`${verb} is not for a broker`)
    }
  }

  #publish(from: Connection, topic: string, body: Uint8Array): void {
    this.#published += 1
    // Handed on as it came it would end the reader of whoever decodes it strictly.
    if (!isUtf8(body)) throw new FrameError('a body that is no UTF-8')
    const text = Buffer.from(body.buffer, body.byteOffset, body.length).toString()
    const message: Record<string, unknown> = text === '' ? {} : parseObject(text)
    // Some readers go through a message by recursion, and the stack of none is endless.
    if (isTooDeep(message.payload)) {
      this.#refuse(topic, 'a message nested too deep')
      return
    }
    const { clock, nextId } = this.#options
    // Most bodies come from clients that write them as we would.
    if (isOurs(message, text, topic)) {
      this.#fanOut(topic, body, from)
      return
    }
    const { envelope } = readEnvelope(message, topic, { id: nextId(), ts: clock.now() / 1000 })
    this.#fanOut(topic, JSON.stringify(envelope), from)
  }

  #fanOut(topic: string, body: Uint8Array | string, from: Connection | undefined): void {
    const readers = this.#readersOf(topic)
    if (readers.length === 0 || (readers.length === 1 && readers[0] === from)) return
    if (readers !== this.#runReaders || from !== this.#runFrom) {
      this.#endRun()
      this.#runReaders = readers
      this.#runFrom = from
    }
    try {
      if (this.#run.add(topic, body)) this.#endRun()
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.#refuse(topic, error.message)
    }
  }

  #readersOf(topic: string): readonly Connection[] {
    const known = this.#readers.get(topic)
    if (known) return known
    const wanting = [...this.#connections].filter((connection) => connection.wants(topic))
    // The same array for the same readers, so that messages on several topics go out together.
    const readers = isSame(wanting, this.#runReaders) ? this.#runReaders : wanting
    if (this.#readers.size >= MOST_TOPICS) this.#readers.clear()
    if (topic.length <= TOPIC_MAX) this.#readers.set(topic, readers)
    return readers
  }

  #lost(reader: Connection): void {
    this.#dropped += 1
    const now = this.#options.clock.now()
    if (now - this.#loggedDrop < LOG_EVERY) return
    this.#loggedDrop = now
    const { dropped } = reader.queue
    this.#options.log.warn({ peer: reader.name, dropped }, 'a slow reader loses messages')
  }

  /** Nobody gets the message, but its publisher may go on. */
  #refuse(topic: string, reason: string): void {
    const now = this.#options.clock.now()
    if (now - this.#loggedRefusal < LOG_EVERY) return
    this.#loggedRefusal = now
    this.#options.log.error({ topic: quote(topic, 128) }, `not handed on: ${reason}`)
  }

  /** One line for many: a peer may come back with the next bad frame at once. */
  #breach({ name }: Connection, reason: string): void {
    this.#refused += 1
    const now = this.#options.clock.now()
    if (now - this.#loggedBreach < LOG_EVERY) {
      this.#quietBreaches += 1
      return
    }
    this.#loggedBreach = now
    const more = this.#quietBreaches
    this.#quietBreaches = 0
    this.#options.log.warn({ peer: name, reason, more }, 'a connection was closed: a bad frame')
  }
}

class Connection {
  readonly socket: Socket
  readonly decoder = new FrameDecoder()
  readonly patterns = new Map<string, (topic: string) => boolean>()
  readonly queue: FrameQueue
  /** what the peer calls itself, for the log; nobody vouches for it */
  name = 'unnamed'

  constructor(socket: Socket, onDrop: () => void) {
    this.socket = socket
    this.queue = new FrameQueue(socket, onDrop)
  }

  wants(topic: string): boolean {
    for (const matches of this.patterns.values()) if (matches(topic)) return true
    return false
  }
}

const isSame = (some: readonly Connection[], others: readonly Connection[]): boolean =>
  some.length === others.length && some.every((one, index) => one === others[index])

/** @throws {FrameError} */
function parseObject(text: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new FrameError('a body that is no JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new FrameError('a body that is no JSON object')
  }
  return value as Record<string, unknown>
}

/**
 * Whether a body is what we would write of it, so that it can be handed on as it came. Its start is
 * compared as text too: of a key that comes twice, one reader may believe the first, one the last.
 */
function isOurs(message: Record<string, unknown>, text: string, topic: string): boolean {
  const { v, id, type, ts, payload } = message
  if (v !== 1 || message.topic !== topic || !Number.isFinite(ts)) return false
  if (typeof type !== 'string' || !isEventId(id)) return false
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return false
  const start = `{"v":1,"id":"${id}","topic":${JSON.stringify(topic)},"type":${JSON.stringify(type)},"ts":`
  return text.startsWith(start) && Object.keys(message).length === 6
}
