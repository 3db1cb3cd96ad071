/** Server-sent events: a stream of text events over HTTP, and the parser a browser has for it. */

/** One event as it is sent. Line ends of `data` are kept, as LF. */
export interface SseFrame {
  /** what a client says as `Last-Event-ID` when it comes back; no line end, no NUL */
  readonly id?: string
  /** name; `message` where left out */
  readonly event?: string
  readonly data: string
}

/** A comment, to keep the connection and those between from giving up. */
export const KEEPALIVE = ': keepalive\n\n'

/**
 * @throws {RangeError} where `id` or `event` cannot be said in one line; they are made by code
 * @see HTML Living Standard section 9.2.5
 * @example encodeSse({ event: 'formed', data: '{}' }) // 'event: formed\ndata: {}\n\n'
 */
export function encodeSse({ id, event, data }: SseFrame): string {
  const head =
    (id === undefined ? '' : `id: ${line(id)}\n`) + (event ? `event: ${line(event)}\n` : '')
  return `${head}data: ${data.replace(/\r\n?|\n/g, '\ndata: ')}\n\n`
}

function line(text: string): string {
  if (!/[\r\n\0]/.test(text)) return text
  throw new RangeError('a line end or NUL in the id or the name of an event')
}

/** One event as a browser dispatches it. */
export interface SseEvent {
  /** `message` where the stream names none */
  readonly type: string
  readonly data: string
  readonly lastEventId: string
}

/** Characters of one line, and of the data of one event, that are held; what is longer is dropped whole. */
const MOST_HELD = 16 * 2 ** 20
/** What a line of data costs beside its characters, so that empty ones are bounded as well. */
const LINE_COSTS = 16
/** Of a line too long to be held: enough to tell what it is. */
const HEAD = 16

/**
 * Reads a stream in pieces of any length. Whatever it is given, it never throws.
 * @see HTML Living Standard section 9.2.6
 */
export class SseParser {
  /** what the server asks to wait before coming back, ms; undefined where it never did */
  retry: number | undefined
  /** as of the last event that was dispatched; it outlives the connection */
  lastEventId = ''
  /** events that were too long */
  dropped = 0
  // Node's own removal of a byte order mark takes a second one as well where a piece ends between.
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  #hasBegun = false
  #line = ''
  /** whether `#line` is no more than the head of a line */
  #isCut = false
  #afterReturn = false
  #id = ''
  #type = ''
  #data: string[] = []
  /** characters of `#data`, with what its lines cost */
  #held = 0
  /** the event at hand will be dropped */
  #tooLong = false

  /** @returns the events that are whole now */
  push(bytes: Uint8Array): SseEvent[] {
    const text = this.#decoder.decode(bytes, { stream: true })
    if (text === '') return []
    const isMarked = !this.#hasBegun && text.startsWith('\ufeff')
    this.#hasBegun = true
    return this.#read(isMarked ? text.slice(1) : text)
  }

  #read(text: string): SseEvent[] {
    const events: SseEvent[] = []
    let start = this.#afterReturn && text.startsWith('\n') ? 1 : 0
    this.#afterReturn = false
    const ends = /\r\n?|\n/g
    ends.lastIndex = start
    for (let end = ends.exec(text); end; end = ends.exec(text)) {
      this.#hold(text.slice(start, end.index))
      const event = this.#endLine()
      if (event) events.push(event)
      start = ends.lastIndex
      this.#afterReturn = end[0] === '\r' && start === text.length
    }
    this.#hold(text.slice(start))
    return events
  }

  #hold(piece: string): void {
    if (this.#isCut) return
    this.#isCut = this.#line.length + piece.length > MOST_HELD
    this.#line = this.#isCut
      ? (this.#line + piece.slice(0, HEAD)).slice(0, HEAD)
      : this.#line + piece
  }

  #endLine(): SseEvent | undefined {
    const line = this.#line
    const isCut = this.#isCut
    this.#line = ''
    this.#isCut = false
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const rest = colon < 0 ? '' : line.slice(colon + 1)
    const value = rest.startsWith(' ') ? rest.slice(1) : rest
    if (!isCut) this.#field(name, value)
    else if (name === 'data' || name === 'event' || name === 'id') this.#giveUp()
    return undefined
  }

  #dispatch(): SseEvent | undefined {
    const data = this.#data
    const type = this.#type || 'message'
    const tooLong = this.#tooLong
    this.#data = []
    this.#type = ''
    this.#held = 0
    this.#tooLong = false
    this.lastEventId = this.#id
    if (tooLong) this.dropped += 1
    if (tooLong || data.length === 0) return undefined
    return { type, data: data.join('\n'), lastEventId: this.#id }
  }

  #field(name: string, value: string): void {
    if (name === 'data') this.#append(value)
    else if (name === 'event') this.#type = value
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    // More digits than a number can hold are no time that anybody waits.
    else if (name === 'retry' && /^[0-9]{1,15}$/.test(value)) this.retry = Number(value)
  }

  #append(value: string): void {
    this.#held += value.length + LINE_COSTS
    if (this.#held > MOST_HELD) this.#giveUp()
    else if (!this.#tooLong) this.#data.push(value)
  }

  #giveUp(): void {
    this.#tooLong = true
    this.#data = []
  }
}
