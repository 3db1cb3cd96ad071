/** The way from this process to the broker of its host, kept open for as long as the process runs. */
import { connect, type Socket } from 'node:net'
import { type Clock, type Context, jitter, pause, stopwatch, turn } from '../engine/index.ts'
import { quote } from '../protocols/quote.ts'
import { BusError } from './bus_error.ts'
import { ENVELOPE_MAX_BYTES, type Envelope, readEnvelope } from './envelope.ts'
import { encodeFrame, type Frame, FrameDecoder, FrameError } from './frame.ts'
import { FrameQueue } from './frame_queue.ts'
import { isTopic } from './topic.ts'

export interface UplinkOptions {
  /** Where the broker's socket is, asked before each try: it may come later, elsewhere. */
  readonly path: () => string
  /** What the broker is told this process is; ASCII on one line. */
  readonly name: string
  readonly clock: Clock
  /** 32 lower-case hex characters, new each time */
  readonly nextId: () => string
  readonly log: Context['log']
  /** Takes a message that another process has published. */
  readonly receive: (envelope: Envelope, bytes: number) => void
  /** Told when the broker is back: what was said meanwhile is gone. */
  readonly onReturn: (envelope: Envelope) => void
}

interface Link {
  readonly socket: Socket
  readonly queue: FrameQueue
}

/** Pauses between tries: at most the first, doubled at each, up to the last. ms */
const FIRST_PAUSE = 500
const LAST_PAUSE = 30_000
/** A connection that has held this long was good: after it the pauses begin anew. ms */
const GOOD_AFTER = 1000
/** With more frames than this on their way a publisher waits, unless that has been in vain. */
const MANY_FRAMES = 512
/** How long it waits, ms. */
const PATIENCE = 1000
/** How long a farewell may take, ms. */
const FAREWELL = 500

/**
 * Connects in the background and again whenever the connection ends, with full jitter between tries.
 * @see spec/bus.md section 8
 */
export class UnixUplink {
  readonly #options: UplinkOptions
  readonly #wanted = new Map<string, number>()
  readonly #over = new AbortController()
  readonly #tried = Promise.withResolvers<void>()
  #running: Promise<void> | undefined
  #link: Link | undefined
  #awaySince: number | undefined
  #flushing = false
  #isStuck = false
  #lost = 0
  #coerced = 0
  #lastTopic = ''
  /** of a message without an id, which gets one, or without a time */
  readonly #fallback: { readonly id: string; readonly ts: number }

  constructor(options: UplinkOptions) {
    this.#options = options
    this.#fallback = {
      id: '',
      get ts() {
        return options.clock.now() / 1000
      },
    }
  }

  /** Messages of this process that the broker has not got for certain. */
  get lost(): number {
    return this.#lost
  }

  /** Messages whose payload was no object. */
  get coerced(): number {
    return this.#coerced
  }

  get isConnected(): boolean {
    return this.#link !== undefined
  }

  /** @returns when it has been tried once; then it goes on by itself */
  async start(): Promise<void> {
    this.#running ??= this.#run()
    await this.#tried.promise
  }

  async publish({ id, topic, type, ts, payload }: Envelope): Promise<void> {
    const link = this.#link
    if (!link) {
      this.#lost += 1
      throw new BusError('BUS_AWAY', 'nobody listens at the socket of the bus')
    }
    const body = JSON.stringify({ v: 1, id, topic, type, ts, payload })
    if (Buffer.byteLength(body) > ENVELOPE_MAX_BYTES) {
      throw new BusError('BUS_TOO_LARGE', `a message of more than ${ENVELOPE_MAX_BYTES} bytes`)
    }
    link.queue.push(encodeFrame('PUB', topic, body))
    this.#flushSoon()
    if (link.queue.length > MANY_FRAMES) await this.#letDrain(link)
    else if (this.#isStuck && link.queue.length <= MANY_FRAMES / 2) {
      this.#isStuck = false
      this.#options.log.info({ lost: this.#lost }, 'the bus takes messages again')
    }
  }

  want(pattern: string): void {
    const count = this.#wanted.get(pattern) ?? 0
    this.#wanted.set(pattern, count + 1)
    if (count === 0) this.#say('SUB', pattern)
  }

  unwant(pattern: string): void {
    const count = this.#wanted.get(pattern) ?? 0
    if (count > 1) this.#wanted.set(pattern, count - 1)
    else if (this.#wanted.delete(pattern)) this.#say('UNSUB', pattern)
  }

  async close(): Promise<void> {
    this.#over.abort()
    const link = this.#link
    if (link) {
      link.queue.push(encodeFrame('BYE', ''))
      link.queue.flush()
      const gone = new Promise((resolve) => link.socket.once('close', resolve))
      await Promise.race([gone, pause(FAREWELL)])
      link.socket.destroy()
    }
    await this.#running
  }

  /** Never dropped, however much else waits: a subscription that is lost would be missed by nobody. */
  #say(verb: 'SUB' | 'UNSUB', pattern: string): void {
    const link = this.#link
    if (!link) return
    if (link.queue.pushUrgent(encodeFrame(verb, pattern))) link.queue.flush()
    // On the next connection everything is said anew.
    else link.socket.destroy()
  }

  /** What is published in one turn of the event loop is written together. */
  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    void turn().then(() => {
      this.#flushing = false
      this.#link?.queue.flush()
    })
  }

  /** A broker that reads is waited for, one that does not is not: whoever publishes has work to do. */
  async #letDrain(link: Link): Promise<void> {
    if (this.#isStuck) return
    const since = stopwatch()
    while (link.queue.length > MANY_FRAMES / 2 && link === this.#link) {
      await turn()
      if (this.#isStuck) return
      if (stopwatch() - since > PATIENCE) {
        this.#isStuck = true
        this.#options.log.warn({}, 'the bus is slow: what it does not take is lost')
        return
      }
    }
  }

  async #run(): Promise<void> {
    const { log } = this.#options
    const over = this.#over.signal
    let tries = 0
    while (!over.aborted) {
      const path = this.#options.path()
      const socket = await dial(path, over)
      if (over.aborted) {
        if (!(socket instanceof Error)) socket.destroy()
        break
      }
      if (socket instanceof Error) {
        if (this.#awaySince === undefined) {
          this.#awaySince = stopwatch()
          const reason = (socket as NodeJS.ErrnoException).code ?? socket.message
          log.warn({ path: quote(path, 200), reason }, 'no bus: going on without it, trying again')
        }
        this.#tried.resolve()
      } else {
        const since = stopwatch()
        await this.#stayOn(socket)
        if (stopwatch() - since > GOOD_AFTER) tries = 0
      }
      // Also after a connection that was made: a broker may accept, and close at once.
      await pause(jitter() * Math.min(FIRST_PAUSE * 2 ** tries, LAST_PAUSE), over)
      tries = Math.min(tries + 1, 16)
    }
    this.#tried.resolve()
  }

  /** @returns when the connection is gone */
  async #stayOn(socket: Socket): Promise<void> {
    const { log, clock, nextId, onReturn } = this.#options
    const ended = this.#open(socket)
    this.#tried.resolve()
    if (this.#awaySince !== undefined) {
      const away_ms = Math.round(stopwatch() - this.#awaySince)
      log.info({ away_ms, lost: this.#lost }, 'the bus is there')
      const ts = clock.now() / 1000
      const topic = 'system.bus.reconnected'
      onReturn({ v: 1, id: nextId(), topic, type: 'bus.reconnected', ts, payload: { away_ms } })
      this.#awaySince = undefined
    }
    this.#lost += await ended
    if (this.#over.signal.aborted) return
    this.#awaySince = stopwatch()
    log.warn({ lost: this.#lost }, 'the bus is gone: going on without it, trying again')
  }

  /** @returns when the connection is gone: messages that it has not taken */
  #open(socket: Socket): Promise<number> {
    const queue = new FrameQueue(socket, () => {
      this.#lost += 1
    })
    const first = [encodeFrame('HELLO', this.#options.name)]
    for (const pattern of this.#wanted.keys()) first.push(encodeFrame('SUB', pattern))
    queue.pushUrgent(Buffer.concat(first))
    queue.flush()
    this.#link = { socket, queue }
    this.#isStuck = false
    const decoder = new FrameDecoder()
    socket.on('data', (chunk: Buffer) => this.#read(decoder, socket, chunk))
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#options.log.debug({ code: error.code }, 'the connection to the bus broke')
    })
    return new Promise((resolve) => {
      socket.once('close', () => {
        this.#link = undefined
        resolve(queue.unsent)
      })
    })
  }

  #read(decoder: FrameDecoder, socket: Socket, chunk: Buffer): void {
    try {
      decoder.push(chunk)
      for (let frame = decoder.take(); frame; frame = decoder.take()) this.#obey(frame, socket)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      this.#options.log.warn({ reason: error.message }, 'what the bus says is not understood')
      socket.destroy()
    }
  }

  #obey({ verb, args, body }: Frame, socket: Socket): void {
    if (verb === 'BYE') {
      socket.destroy()
      return
    }
    if (verb !== 'EVT' || !this.#isTopic(args)) {
      this.#options.log.warn({ verb, args: quote(args, 64) }, 'passed over what the bus has said')
      return
    }
    const { nextId, receive } = this.#options
    const read = readEnvelope(parsed(body), args, this.#fallback)
    if (read.coerced) this.#coerced += 1
    const { envelope } = read
    receive(envelope.id === '' ? { ...envelope, id: nextId() } : envelope, body.length)
  }

  /** Most messages come on the topic of the one before. */
  #isTopic(text: string): boolean {
    if (text === this.#lastTopic) return true
    if (!isTopic(text)) return false
    this.#lastTopic = text
    return true
  }
}

/** @throws {FrameError} */
function parsed(body: Uint8Array): unknown {
  if (body.length === 0) return {}
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString())
  } catch {
    throw new FrameError('a body that is no JSON')
  }
}

/** @returns a connected socket, or why there is none */
function dial(path: string, over: AbortSignal): Promise<Socket | Error> {
  return new Promise((resolve) => {
    const socket = connect(path)
    const giveUp = () => socket.destroy(new Error('closed'))
    over.addEventListener('abort', giveUp, { once: true })
    socket.once('error', (error) => {
      over.removeEventListener('abort', giveUp)
      resolve(error)
    })
    socket.once('connect', () => {
      over.removeEventListener('abort', giveUp)
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}
