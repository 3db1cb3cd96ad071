/** Finds the messages in a syslog byte stream. */
import { BoundedBytes, type Gathered } from './bounded_bytes.ts'
import { SyslogError } from './protocol_error.ts'

const NUL = 0
const LF = 10
const CR = 13
const SPACE = 32
const ZERO = 48
const NINE = 57
const LESS_THAN = 60
const EMPTY = Buffer.alloc(0)
/** No message is near 100 MB; a longer number is text that happens to start with a digit. */
const MAX_LENGTH_DIGITS = 8

/** Lines that follow one another in one buffer, each with a single LF after it. */
export interface LineRun {
  readonly bytes: Buffer
  /** of the first line */
  readonly start: number
  /** offset of each LF; the next line starts one byte further */
  readonly ends: readonly number[]
}

/** Fewer lines are found sooner one by one. */
const LEAST_LINES = 32

type State = 'start' | 'length' | 'counted' | 'line'

/**
 * Reads octet-counted and newline-framed messages, told apart message by message: a first byte
 * `1`-`9` starts a length, `<` a line. Line ends and NUL between messages are skipped, since many
 * senders add one that their length leaves out. One line end at the end of a counted message is
 * taken off; any other stays in it, so a message is one message whatever it holds.
 *
 * Pulled: `push` one chunk, `take` until undefined, push the next. At most `maxMessage` bytes of
 * a message are held; the rest of it is skipped.
 * @see RFC 6587 sections 3.4.1 and 3.4.2
 */
export class SyslogDeframer {
  readonly #maxMessage: number
  readonly #held: BoundedBytes
  #chunk: Buffer = EMPTY
  #at = 0
  #state: State = 'start'
  /** in `length` the number read so far, in `counted` the bytes still to come */
  #length = 0
  #digits = 0
  /** offset before which there is no run to be found */
  #looked = 0

  constructor(options: { maxMessage: number }) {
    this.#maxMessage = options.maxMessage
    this.#held = new BoundedBytes(options.maxMessage)
  }

  /** Whether `take` may still find messages in what was pushed. */
  get pending(): boolean {
    return this.#at < this.#chunk.length
  }

  /** @throws {Error} while messages of the last chunk have not been taken: a bug of the caller */
  push(chunk: Buffer): void {
    if (this.pending) throw new Error('push before the last chunk was taken')
    this.#chunk = chunk
    this.#at = 0
    this.#looked = 0
  }

  /**
   * Takes whole lines as they are, where many follow one another in the chunk: what `take`
   * would make a text of each.
   * @param most lines, at most
   * @returns undefined where the next message has to be taken by `take`
   */
  takeLines(most: number): LineRun | undefined {
    if (this.#state !== 'start' || this.#at < this.#looked) return undefined
    const bytes = this.#chunk
    const ends: number[] = []
    let at = this.#at
    while (ends.length < most && bytes[at] === LESS_THAN) {
      const newline = bytes.indexOf(LF, at)
      if (newline < 0 || newline - at > this.#maxMessage || bytes[newline - 1] === CR) break
      ends.push(newline)
      at = newline + 1
    }
    this.#looked = at
    if (ends.length < LEAST_LINES) return undefined
    const start = this.#at
    this.#at = at
    return { bytes, start, ends }
  }

  /**
   * @returns the next complete message, or undefined where the chunk has no more
   * @throws {SyslogError} `SYSLOG_FRAMING`; nothing after it in this stream can be trusted
   */
  take(): Gathered | undefined {
    while (this.pending) {
      const message = this.#step()
      if (message) return message
    }
    this.#chunk = EMPTY
    this.#at = 0
    return undefined
  }

  /**
   * @returns the last line, where the stream ends without a line end
   * @throws {SyslogError} `SYSLOG_FRAME_CUT` where it ends inside an octet-counted message
   */
  end(): Gathered | undefined {
    if (this.#state === 'start') return undefined
    if (this.#state === 'line') return this.#finish()
    throw new SyslogError('SYSLOG_FRAME_CUT', 'the stream ends inside an octet-counted message')
  }

  #step(): Gathered | undefined {
    if (this.#state === 'start') return this.#start(this.#chunk[this.#at] ?? NUL)
    if (this.#state === 'length') return this.#lengthByte(this.#chunk[this.#at++] ?? NUL)
    return this.#state === 'counted' ? this.#counted() : this.#line()
  }

  #start(byte: number): undefined {
    if (byte === LESS_THAN) {
      this.#state = 'line'
    } else if (byte > ZERO && byte <= NINE) {
      this.#state = 'length'
      this.#length = 0
      this.#digits = 0
    } else if (byte === LF || byte === CR || byte === NUL) {
      this.#at += 1
    } else {
      const shown = `0x${byte.toString(16).padStart(2, '0')}`
      throw new SyslogError('SYSLOG_FRAMING', `a message starts with byte ${shown}`)
    }
  }

  #lengthByte(byte: number): undefined {
    if (byte === SPACE) {
      this.#state = 'counted'
      return
    }
    this.#digits += 1
    if (byte < ZERO || byte > NINE || this.#digits > MAX_LENGTH_DIGITS) {
      throw new SyslogError('SYSLOG_FRAMING', 'a message length is no number of 1 to 8 digits')
    }
    this.#length = this.#length * 10 + byte - ZERO
  }

  #counted(): Gathered | undefined {
    const end = Math.min(this.#at + this.#length, this.#chunk.length)
    this.#length -= end - this.#at
    // The sender's own line end is no part of the message; it is taken off here and not by the
    // holder because the bytes before it may already be there.
    const last = this.#length === 0 && this.#chunk[end - 1] === LF ? end - 1 : end
    this.#held.append(this.#chunk, this.#at, last)
    this.#at = end
    return this.#length === 0 ? this.#finish() : undefined
  }

  #line(): Gathered | undefined {
    const newline = this.#chunk.indexOf(LF, this.#at)
    if (newline >= 0 && this.#held.seen === 0 && newline - this.#at <= this.#maxMessage) {
      const start = this.#at
      this.#at = newline + 1
      this.#state = 'start'
      const end = this.#chunk[newline - 1] === CR && newline > start ? newline - 1 : newline
      return { text: this.#chunk.toString('utf8', start, end), truncated: false }
    }
    const end = newline < 0 ? this.#chunk.length : newline
    this.#held.append(this.#chunk, this.#at, end)
    this.#at = newline < 0 ? end : newline + 1
    return newline < 0 ? undefined : this.#finish()
  }

  #finish(): Gathered {
    this.#state = 'start'
    return this.#held.finish()
  }
}
