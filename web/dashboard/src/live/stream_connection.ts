/**
 * One stream of server-sent events and its life: connecting, live, cut off, waiting, connecting again
 * with fresh credentials. The browser's own reconnecting is not used, for it would repeat an old token.
 */

export type StreamStatus = 'connecting' | 'live' | 'offline'

/** Of a browser's MessageEvent, what is read. */
export interface SourceEvent {
  readonly data?: unknown
  readonly lastEventId?: string
}

/** Of a browser's EventSource, what is used. */
export interface Source {
  addEventListener(name: string, heard: (event: SourceEvent) => void): void
  close(): void
}

export interface StreamEvent {
  readonly name: string
  readonly data: unknown
}

export interface StreamListener {
  /** a snapshot, an event, or `gap` where events were missed */
  event?(event: StreamEvent): void
  status?(status: StreamStatus): void
}

export interface StreamOptions {
  /** names that are listened to, beside `snapshot` and `gap`: each needs a listener of its own */
  readonly names: readonly string[]
  /**
   * @param lastEventId of the last event that came
   * @returns with credentials that are good for this once; undefined: there are none now
   */
  readonly url: (lastEventId: string | undefined) => Promise<string | undefined>
  readonly open: (url: string) => Source
  /** Calls back after so many ms; what it gives back calls that off. */
  readonly later: (ms: number, call: () => void) => () => void
}

/** Before connecting again, ms. @see spec/api-and-sse.md section 4 */
const WAIT = 3000
/** What every stream may say. */
const COMMON = ['snapshot', 'gap']

/** Open while somebody listens. */
export class StreamConnection {
  readonly #options: StreamOptions
  readonly #listeners = new Set<StreamListener>()
  #status: StreamStatus = 'connecting'
  #source: Source | undefined
  #callOff: (() => void) | undefined
  #lastEventId: string | undefined
  #snapshot: StreamEvent | undefined
  #wasCutOff = false
  /** counts tries to connect: what comes of one that was given up is nobody's */
  #tries = 0

  constructor(options: StreamOptions) {
    this.#options = options
  }

  get status(): StreamStatus {
    return this.#status
  }

  get isFollowed(): boolean {
    return this.#listeners.size > 0
  }

  /** @returns ends it; the last to leave closes the stream */
  listen(listener: StreamListener): () => void {
    this.#listeners.add(listener)
    if (this.#listeners.size === 1) this.#connect()
    else {
      listener.status?.(this.#status)
      if (this.#snapshot) listener.event?.(this.#snapshot)
    }
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#close()
    }
  }

  #connect(): void {
    this.#tries += 1
    const mine = this.#tries
    this.#set('connecting')
    void this.#options.url(this.#lastEventId).then((url) => {
      if (mine !== this.#tries) return
      if (url === undefined) this.#cutOff()
      else this.#open(url)
    })
  }

  #open(url: string): void {
    const source = this.#options.open(url)
    this.#source = source
    // What a source says after it was replaced is nobody's.
    const isCurrent = () => this.#source === source
    source.addEventListener('open', () => {
      if (!isCurrent()) return
      this.#set('live')
      // Without an id to go on from, whatever came in between is lost.
      if (this.#wasCutOff && this.#lastEventId === undefined) this.#tell({ name: 'gap', data: {} })
      this.#wasCutOff = false
    })
    source.addEventListener('error', () => {
      if (isCurrent()) this.#cutOff()
    })
    for (const name of [...COMMON, ...this.#options.names]) {
      source.addEventListener(name, (event) => {
        if (isCurrent()) this.#heard(name, event)
      })
    }
  }

  #heard(name: string, { data, lastEventId }: SourceEvent): void {
    if (lastEventId) this.#lastEventId = lastEventId
    const event = { name, data: readJson(data) }
    if (event.data === undefined) return
    this.#snapshot = name === 'snapshot' ? event : undefined
    this.#tell(event)
  }

  #cutOff(): void {
    this.#source?.close()
    this.#source = undefined
    this.#wasCutOff = true
    this.#snapshot = undefined
    this.#set('offline')
    this.#callOff?.()
    this.#callOff = this.#options.later(WAIT, () => {
      this.#callOff = undefined
      if (this.#listeners.size > 0) this.#connect()
    })
  }

  #close(): void {
    this.#tries += 1
    this.#callOff?.()
    this.#callOff = undefined
    this.#source?.close()
    this.#source = undefined
    this.#snapshot = undefined
    this.#lastEventId = undefined
    this.#wasCutOff = false
    this.#status = 'connecting'
  }

  #set(status: StreamStatus): void {
    if (this.#status === status && status !== 'connecting') return
    this.#status = status
    for (const listener of [...this.#listeners]) listener.status?.(status)
  }

  #tell(event: StreamEvent): void {
    for (const listener of [...this.#listeners]) listener.event?.(event)
  }
}

/** @returns undefined where it is no JSON: such an event says nothing */
function readJson(data: unknown): unknown {
  if (typeof data !== 'string') return undefined
  try {
    return JSON.parse(data)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return undefined
  }
}
