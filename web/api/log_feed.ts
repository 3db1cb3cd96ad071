/** The logs as they come in, to any number of clients: rows are read and encoded once for all. */
import type { Follower, Outlet } from '../../bus/stream/hub.ts'
import { encodeStreamEvent, KEEPALIVE_FRAME } from '../../bus/stream/text.ts'
import { type Clock, type Context, every, stopwatch } from '../../engine/index.ts'
import type { Database } from '../../store/database.ts'
import { type LogFilter, lastLogId, logHistogram, logsAfter } from '../../store/read/logs.ts'
import { readStats } from '../../store/read/overview.ts'
import { cached } from './cached.ts'

/** Between two looks at the table, ms. */
const LOOK_EVERY = 1000
/** Rows of one frame. */
const ROWS = 50
/** Figures are sent so often where nothing comes in, ms. */
const FIGURES_EVERY = 10_000
/** Figures over whole tables are kept so long, ms. */
const FIGURES_LAST = 5000
const HISTOGRAM_MINUTES = 15
const KEEPALIVE_AFTER = 15_000
/** Answers of one look that are held for the next client, and the bytes of their frames. */
const MOST_HELD = 256
const MOST_HELD_BYTES = 8 * 2 ** 20

interface Client {
  readonly outlet: Outlet
  readonly filter: LogFilter
  /** id of the last row it was given; undefined: it begins at the end of the table */
  after: number | undefined
  blocked: boolean
  gone: boolean
  isBusy: boolean
  /** there may be more for it by the time it is no longer busy */
  again: boolean
  /** by the stopwatch, ms; figures are due anew as soon as there are logs */
  lastWrite: number
  lastFigures: number
}

interface Rows {
  readonly frame: Buffer
  readonly last: number
}

export class LogFeed {
  readonly #database: Database
  readonly #log: Context['log']
  readonly #clients = new Set<Client>()
  readonly #held = new Map<string, Promise<unknown>>()
  #heldBytes = 0
  readonly #stats: () => Promise<Buffer>
  readonly #histogram: () => Promise<Buffer>
  readonly #stop: () => void

  constructor(database: Database, clock: Clock, log: Context['log']) {
    this.#database = database
    this.#log = log
    this.#stats = cached(clock, FIGURES_LAST, async () =>
      frameOf('stats', await readStats(database)),
    )
    this.#histogram = cached(clock, FIGURES_LAST, () => this.#readHistogram({}))
    this.#stop = every(LOOK_EVERY, () => this.#look())
  }

  /** @param after id of the last row the client knows; undefined: it wants what comes from now on */
  follow(outlet: Outlet, filter: LogFilter, after: number | undefined): Follower {
    const client: Client = {
      ...{ outlet, filter, after, blocked: false, gone: false, isBusy: false, again: false },
      lastWrite: stopwatch(),
      lastFigures: Number.NEGATIVE_INFINITY,
    }
    this.#clients.add(client)
    this.#write(client, KEEPALIVE_FRAME)
    void this.#begin(client)
    return {
      drained: () => {
        client.blocked = false
        client.again = client.isBusy
        void this.#serve(client)
      },
      leave: () => {
        client.gone = true
        this.#clients.delete(client)
      },
    }
  }

  close(): void {
    this.#stop()
    for (const client of [...this.#clients]) this.#end(client)
  }

  #look(): void {
    this.#forget()
    for (const client of this.#clients) void this.#serve(client)
  }

  /** A log that is still to come was of another table: one who names it would wait for ever. */
  async #begin(client: Client): Promise<void> {
    await this.#attempt(client, async () => {
      const { after } = client
      const held = await this.#once('last', () => lastLogId(this.#database))
      // What is held may be older than what the client has seen.
      const last = after !== undefined && after > held ? await lastLogId(this.#database) : held
      client.after = Math.min(after ?? last, last)
    })
    await this.#serve(client)
  }

  async #serve(client: Client): Promise<void> {
    if (client.isBusy || client.blocked || client.gone) return
    do {
      client.again = false
      await this.#attempt(client, () => this.#sendNews(client))
    } while (client.again)
  }

  /** Until there is no row left, or the client takes no more. */
  async #sendNews(client: Client): Promise<void> {
    while (client.after !== undefined && !client.blocked && !client.gone) {
      const rows: Rows | undefined = await this.#rows(client.filter, client.after)
      if (rows === undefined || client.gone) break
      client.after = rows.last
      client.lastFigures = Number.NEGATIVE_INFINITY
      this.#write(client, rows.frame)
    }
    if (client.blocked || client.gone) return
    if (stopwatch() - client.lastFigures >= FIGURES_EVERY) await this.#sendFigures(client)
    else if (stopwatch() - client.lastWrite >= KEEPALIVE_AFTER) {
      this.#write(client, KEEPALIVE_FRAME)
    }
  }

  /** One thing at a time for a client, which is cut off where it fails. */
  async #attempt(client: Client, work: () => Promise<void>): Promise<void> {
    client.isBusy = true
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      this.#log.warn({ reason: error.message }, 'the logs cannot be followed: cutting a client off')
      const interrupted = { type: 'error', message: 'Stream interrupted' }
      if (!client.gone) {
        client.outlet.write(encodeStreamEvent({ event: 'error', data: interrupted }))
        this.#end(client)
      }
    } finally {
      client.isBusy = false
    }
  }

  async #sendFigures(client: Client): Promise<void> {
    client.lastFigures = stopwatch()
    const { filter } = client
    const isFiltered = Object.values(filter).some((value) => value !== undefined)
    const key = `histogram ${JSON.stringify(filter)}`
    const histogram = isFiltered
      ? this.#once(key, () => this.#readHistogram(filter))
      : this.#histogram()
    const frames = [await this.#stats(), await histogram]
    if (client.gone) return
    for (const frame of frames) this.#write(client, frame)
  }

  #write(client: Client, bytes: Buffer): void {
    client.lastWrite = stopwatch()
    if (!client.outlet.write(bytes)) client.blocked = true
  }

  #end(client: Client): void {
    client.gone = true
    this.#clients.delete(client)
    client.outlet.end()
  }

  #rows(filter: LogFilter, after: number): Promise<Rows | undefined> {
    return this.#once(`rows ${after} ${JSON.stringify(filter)}`, async () => {
      const rows = await logsAfter(this.#database, after, filter, ROWS)
      const last = rows.at(-1)?.id
      if (last === undefined) return undefined
      const frame = frameOf('logs', rows, String(last))
      this.#heldBytes += frame.length
      return { frame, last }
    })
  }

  async #readHistogram(filter: LogFilter): Promise<Buffer> {
    return frameOf('histogram', await logHistogram(this.#database, filter, HISTOGRAM_MINUTES))
  }

  /** Clients that ask the same in one look get the same. */
  #once<T>(key: string, make: () => Promise<T>): Promise<T> {
    const held = this.#held.get(key)
    if (held) return held as Promise<T>
    const made = make()
    if (this.#held.size >= MOST_HELD || this.#heldBytes >= MOST_HELD_BYTES) this.#forget()
    this.#held.set(key, made)
    return made
  }

  #forget(): void {
    this.#held.clear()
    this.#heldBytes = 0
  }
}

const frameOf = (type: string, data: unknown, id?: string): Buffer =>
  encodeStreamEvent({ ...(id !== undefined && { id }), event: 'message', data: { type, data } })
