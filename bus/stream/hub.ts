/** One stream of events and the clients that follow it: each event is encoded once, for all. */
import { type Context, every, pause, stopwatch, turn } from '../../engine/index.ts'
import { FrameRing } from './frame_ring.ts'
import { encodeStreamEvent, KEEPALIVE_FRAME } from './text.ts'

/** Where the bytes of one client go. */
export interface Outlet {
  /** @returns false where it takes no more before the client is told `drained` */
  write(bytes: Buffer): boolean
  /** Nothing more comes. */
  end(): void
}

/** A client that follows a stream. */
export interface Follower {
  /** The outlet takes bytes again. */
  drained(): void
  /** The client has gone. */
  leave(): void
}

export interface StreamHubOptions {
  /** 16 lower-case hex characters; numbers of frames belong to it */
  readonly epoch: string
  /** What a client that comes in is shown first; events that come later are on top of it. */
  readonly snapshot: () => Promise<unknown>
  /** held for clients that are slow or come back */
  readonly maxFrames: number
  readonly maxBytes: number
  readonly log: Pick<Context['log'], 'warn'>
  /** ms without a frame before a client is sent a comment; 15 s where left out */
  readonly keepaliveAfter?: number | undefined
  /** where an earlier run of the same stream stood */
  readonly saved?: SavedStream | undefined
}

/** How far a stream has come, as JSON, with its newest frames. */
export interface SavedStream {
  readonly epoch: string
  /** number of the next frame */
  readonly next: number
  readonly frames: readonly string[]
}

/** One event as it is shown: `data` is JSON. */
export interface StreamEvent {
  readonly name: string
  readonly data: unknown
}

interface Snapshot {
  readonly bytes: Buffer
  /** number of the first frame that it does not know of */
  readonly next: number
  /** by the stopwatch, ms */
  readonly at: number
}

interface Client {
  readonly outlet: Outlet
  /** number of the frame it gets next */
  cursor: number
  /** the outlet takes no more */
  blocked: boolean
  /** waits for a snapshot */
  waiting: boolean
  gone: boolean
  /** by the stopwatch, ms */
  lastWrite: number
}

const KEEPALIVE_AFTER = 15_000
/** Between two looks for clients that have had nothing, ms. */
const SWEEP_EVERY = 1000
/** Bytes given to one client at once: what a slow one has in its outlet is bounded by it. */
const RUN_BYTES = 65_536
/** A snapshot serves all who come within this time, ms: after a restart all come at once. */
const SNAPSHOT_LASTS = 1000
/** Longest rest between two rounds over the clients, ms. */
const LONGEST_REST = 40
/** From the beginning of a round to that of the next, ms, where one takes no longer. */
const CYCLE = 100
/** A round lets others go on after so long, ms: what they publish goes out in the rest of it. */
const SLICE = 5
/** Bytes of frames kept in a checkpoint, for clients that come back after a restart. */
const SAVED_BYTES = 2 ** 20

/** `<epoch>-<number>` */
const FRAME_ID = /^([0-9a-f]{16})-(\d{1,15})$/

export class StreamHub {
  readonly epoch: string
  readonly #options: StreamHubOptions
  readonly #ring: FrameRing
  readonly #clients = new Set<Client>()
  readonly #stopSweep: () => void
  #snapshot: Snapshot | undefined
  #snapshotting: Promise<Snapshot> | undefined
  #serving = false
  /** whether something has come that not all clients have been given */
  #news = false
  /** when the next round may begin, by the stopwatch */
  #restUntil = 0
  #closed = false
  #saved: SavedStream | undefined

  constructor(options: StreamHubOptions) {
    this.#options = options
    const { saved } = options
    this.epoch = saved?.epoch ?? options.epoch
    this.#ring = new FrameRing(options, saved ? saved.next - saved.frames.length : 1)
    for (const frame of saved?.frames ?? []) this.#ring.push(Buffer.from(frame))
    const sweepEvery = Math.min(SWEEP_EVERY, options.keepaliveAfter ?? KEEPALIVE_AFTER)
    this.#stopSweep = every(sweepEvery, () => this.#sweep())
  }

  get clients(): number {
    return this.#clients.size
  }

  publish(events: readonly StreamEvent[]): void {
    for (const { name, data } of events) {
      const id = this.#idOf(this.#ring.next)
      this.#ring.push(encodeStreamEvent({ id, event: name, data }))
    }
    if (events.length === 0) return
    this.#news = true
    void this.#serve()
  }

  /**
   * A new client: it is told where it was cut off, if that is known and still held; else it gets a
   * snapshot, and where it had been here before, a gap first.
   */
  join(outlet: Outlet, lastEventId?: string): Follower {
    const client: Client = {
      outlet,
      cursor: this.#ring.next,
      blocked: false,
      waiting: false,
      gone: false,
      lastWrite: stopwatch(),
    }
    const follower = {
      drained: () => {
        client.blocked = false
        this.#feed(client)
      },
      leave: () => {
        client.gone = true
        this.#clients.delete(client)
      },
    }
    if (this.#closed) {
      outlet.end()
      return follower
    }
    // It follows from here on, so that nothing is lost while the snapshot is read.
    this.#clients.add(client)
    this.#write(client, KEEPALIVE_FRAME)
    const last = lastEventId === undefined ? undefined : this.#numberOf(lastEventId)
    if (last !== undefined && this.#holds(last + 1)) {
      client.cursor = last + 1
      this.#feed(client)
    } else void this.#startOver(client, lastEventId === undefined ? undefined : { after: last })
    return follower
  }

  position(): SavedStream {
    const { next } = this.#ring
    if (this.#saved?.next === next) return this.#saved
    const frames = this.#ring.newest(SAVED_BYTES).map((frame) => frame.toString())
    this.#saved = { epoch: this.epoch, next, frames }
    return this.#saved
  }

  /** All clients are let go; they come back. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#stopSweep()
    for (const client of this.#clients) {
      this.#feed(client)
      client.gone = true
      client.outlet.end()
    }
    this.#clients.clear()
  }

  #idOf(number: number): string {
    return `${this.epoch}-${number}`
  }

  #numberOf(id: string): number | undefined {
    const [, epoch, number] = FRAME_ID.exec(id) ?? []
    return epoch === this.epoch ? Number(number) : undefined
  }

  /** Also a number that is still to come: after a crash, what no checkpoint had comes again. */
  #holds(number: number): boolean {
    const { first, next } = this.#ring
    return number >= first && number <= next + this.#options.maxFrames
  }

  /** Rounds over all clients, as long as there is news. */
  async #serve(): Promise<void> {
    if (this.#serving) return
    this.#serving = true
    while (this.#news && !this.#closed) {
      const rest = this.#restUntil - stopwatch()
      await (rest < 1 ? turn() : pause(rest))
      this.#news = false
      await this.#serveAll()
    }
    this.#serving = false
  }

  /** One round; after it they rest, so that it is never all we do. */
  async #serveAll(): Promise<void> {
    const began = stopwatch()
    let slice = began
    for (const client of this.#clients) {
      this.#feed(client)
      if (stopwatch() - slice < SLICE) continue
      await turn()
      slice = stopwatch()
    }
    const took = stopwatch() - began
    const rest = Math.min(took, LONGEST_REST, Math.max(CYCLE - took, took / 10))
    this.#restUntil = began + took + rest
  }

  /** Gives a client what there is for it, as long as its outlet takes it. */
  #feed(client: Client): void {
    while (!client.blocked && !client.waiting && !client.gone) {
      if (client.cursor < this.#ring.first) {
        void this.#startOver(client, { after: client.cursor - 1 })
        return
      }
      if (client.cursor >= this.#ring.next) return
      const { bytes, next } = this.#ring.run(client.cursor, RUN_BYTES)
      client.cursor = next
      this.#write(client, bytes)
    }
  }

  #write(client: Client, bytes: Buffer): void {
    client.lastWrite = stopwatch()
    if (!client.outlet.write(bytes)) client.blocked = true
  }

  /**
   * Sends a snapshot, and then all that it does not know of.
   * @param lost set where the client had seen something: up to the frame `after`, if that is known
   */
  async #startOver(client: Client, lost?: { readonly after: number | undefined }): Promise<void> {
    client.waiting = true
    try {
      const { bytes, next } = await this.#currentSnapshot()
      if (client.gone) return
      // Nobody knows where a client stood that names a frame which never was.
      const missed = lost?.after === undefined || lost.after >= next ? null : next - 1 - lost.after
      if (lost) this.#write(client, encodeStreamEvent({ event: 'gap', data: { missed } }))
      // Not in one piece with the gap: after a restart there would be a snapshot for each client.
      this.#write(client, bytes)
      client.cursor = next
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.#options.log.warn({ reason: error.message }, 'a stream has no snapshot: cutting it off')
      this.#interrupt(client)
    } finally {
      client.waiting = false
    }
    this.#feed(client)
  }

  #interrupt(client: Client): void {
    if (client.gone) return
    const data = { message: 'Stream interrupted' }
    client.gone = true
    this.#clients.delete(client)
    client.outlet.write(encodeStreamEvent({ event: 'error', data }))
    client.outlet.end()
  }

  async #currentSnapshot(): Promise<Snapshot> {
    const held = this.#snapshot
    const isFresh = held !== undefined && stopwatch() - held.at < SNAPSHOT_LASTS
    if (isFresh && held.next >= this.#ring.first) return held
    this.#snapshotting ??= this.#takeSnapshot().finally(() => {
      this.#snapshotting = undefined
    })
    return this.#snapshotting
  }

  async #takeSnapshot(): Promise<Snapshot> {
    // The number first: what comes while the rows are read is sent as well.
    const { next } = this.#ring
    const at = stopwatch()
    const data = await this.#options.snapshot()
    const bytes = encodeStreamEvent({ id: this.#idOf(next - 1), event: 'snapshot', data })
    this.#snapshot = { bytes, next, at }
    return this.#snapshot
  }

  #sweep(): void {
    const now = stopwatch()
    const after = this.#options.keepaliveAfter ?? KEEPALIVE_AFTER
    for (const client of this.#clients) {
      const quiet = !client.blocked && now - client.lastWrite >= after
      if (quiet) this.#write(client, KEEPALIVE_FRAME)
    }
    const held = this.#snapshot
    if (held && now - held.at > SNAPSHOT_LASTS) this.#snapshot = undefined
  }
}
