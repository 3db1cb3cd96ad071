/**
 * The frames of the bus's unix socket: a header line, four bytes of length, a JSON body.
 * @see spec/bus.md section 5
 */
import { quote } from '../protocols/quote.ts'
import { ENVELOPE_MAX_BYTES } from './envelope.ts'

/** Bytes of a header, its LF included, at most. */
const HEADER_MAX_BYTES = 4096
/** Bytes of the length. */
const LENGTH_BYTES = 4

export type Verb = 'HELLO' | 'PUB' | 'SUB' | 'UNSUB' | 'EVT' | 'BYE'

export interface Frame {
  readonly verb: Verb
  /** without the whitespace around them */
  readonly args: string
  /** a view of what was received: copy what is to be kept; empty where there is none */
  readonly body: Uint8Array
}

/** What no peer of ours sends; the connection is of no use any more. */
export class FrameError extends Error {
  override name = 'FrameError'
}

const VERBS: ReadonlySet<string> = new Set<Verb>(['HELLO', 'PUB', 'SUB', 'UNSUB', 'EVT', 'BYE'])
const LF = 10
const CR = 13
const SPACE = 32
const FIRST_NON_ASCII = 128

/**
 * @param args ASCII; empty for none
 * @param body JSON in UTF-8, or nothing
 * @throws {FrameError} what the decoder of a peer would refuse
 */
export function encodeFrame(verb: Verb, args: string, body: Uint8Array | string = ''): Buffer {
  const size = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  const frame = Buffer.allocUnsafe(frameLength(verb, args, size))
  writeFrame(frame, 0, verb, args, body, size)
  return frame
}

/**
 * Bytes of a frame.
 * @param size of its body
 * @throws {FrameError} what the decoder of a peer would refuse
 */
export function frameLength(verb: Verb, args: string, size: number): number {
  const header = verb.length + (args === '' ? 0 : 1 + args.length) + 1
  // Any other control character passes: a broker hands on every topic that it can read.
  if (/[\r\n]/.test(args)) throw new FrameError('a line end in a header')
  if (/[\u0080-\uffff]/.test(args)) throw new FrameError('a header that is not ASCII')
  if (header > HEADER_MAX_BYTES) throw new FrameError('a header of more than 4096 bytes')
  if (size > ENVELOPE_MAX_BYTES) throw new FrameError('a body of more than 1048576 bytes')
  return header + LENGTH_BYTES + size
}

/** Writes a frame whose `frameLength` is known to fit at `at`. */
export function writeFrame(
  target: Buffer,
  at: number,
  verb: Verb,
  args: string,
  body: Uint8Array | string,
  size: number,
): void {
  const length = at + target.write(args === '' ? `${verb}\n` : `${verb} ${args}\n`, at, 'latin1')
  target.writeUInt32BE(size, length)
  if (typeof body === 'string') target.write(body, length + LENGTH_BYTES, 'utf8')
  else target.set(body, length + LENGTH_BYTES)
}

interface Header {
  readonly verb: Verb
  readonly args: string
}

/**
 * Finds the frames in a stream of bytes. Pulled: `push` a chunk, `take` until undefined. Holds one
 * frame, at most, beyond the chunk at hand; only a frame that two chunks share is copied.
 */
export class FrameDecoder {
  /** where frames are read from: a chunk, or the frame that two chunks share */
  #bytes: Buffer = Buffer.alloc(0)
  /** what has been read of `#bytes`, and where they end */
  #at = 0
  #end = 0
  /** the chunk behind a shared frame, and how much of it has gone there */
  #next: Buffer | undefined
  #nextAt = 0
  /** whether `#bytes` is ours to write to */
  #owned = false
  /** how far the search for the end of the header has come */
  #searched = 0
  #header: Header | undefined
  #last: { readonly bytes: Buffer; readonly header: Header | undefined } = {
    bytes: Buffer.alloc(0),
    header: undefined,
  }

  push(chunk: Buffer): void {
    this.#next = chunk
    this.#nextAt = 0
  }

  /**
   * @returns the next complete frame, or undefined where more bytes are needed
   * @throws {FrameError} nothing after it in this stream can be trusted
   */
  take(): Frame | undefined {
    for (;;) {
      if (this.isBetweenFrames && !this.#enterChunk()) return undefined
      this.#header ??= this.#readHeader()
      const missing = this.#missing()
      if (missing === 0) return this.#takeBody(this.#header as Header)
      if (!this.#grow(missing)) return undefined
    }
  }

  /** Where the stream stands: an end is clean only between frames. */
  get isBetweenFrames(): boolean {
    return this.#header === undefined && this.#at === this.#end
  }

  /** Goes on in what is left of the chunk itself. */
  #enterChunk(): boolean {
    const next = this.#next
    if (!next || this.#nextAt === next.length) return false
    this.#bytes = next
    this.#at = this.#nextAt
    this.#searched = this.#at
    this.#end = next.length
    this.#next = undefined
    this.#owned = false
    return true
  }

  /** Bytes that the frame at hand lacks, at least. */
  #missing(): number {
    if (!this.#header) {
      const found = this.#next?.indexOf(LF, this.#nextAt) ?? -1
      return found === -1 ? HEADER_MAX_BYTES : found + 1 - this.#nextAt
    }
    const held = this.#end - this.#at
    if (held < LENGTH_BYTES) return LENGTH_BYTES - held
    const size = this.#bytes.readUInt32BE(this.#at)
    if (size > ENVELOPE_MAX_BYTES) throw new FrameError(`a body of ${size} bytes`)
    return Math.max(0, LENGTH_BYTES + size - held)
  }

  #takeBody(header: Header): Frame {
    const start = this.#at + LENGTH_BYTES
    const end = start + this.#bytes.readUInt32BE(this.#at)
    this.#header = undefined
    this.#at = end
    this.#searched = end
    return { verb: header.verb, args: header.args, body: this.#bytes.subarray(start, end) }
  }

  /** Takes up to `missing` bytes more from the chunk; false where it has none left. */
  #grow(missing: number): boolean {
    const next = this.#next
    if (!next || this.#nextAt === next.length) return false
    const end = Math.min(next.length, this.#nextAt + missing)
    const count = end - this.#nextAt
    if (!this.#owned || this.#end + count > this.#bytes.length) this.#move(count, missing)
    next.copy(this.#bytes, this.#end, this.#nextAt, end)
    this.#end += count
    this.#nextAt = end
    return true
  }

  /** To memory of its own, with room for what is to come. */
  #move(count: number, missing: number): void {
    const held = this.#end - this.#at
    // Doubling, so that a peer that sends byte by byte costs no more than one that does not; what
    // has only been announced is not paid for in advance.
    const room = Math.max(2 * held, held + count, Math.min(held + missing, 64 * 1024), 1024)
    const larger = Buffer.allocUnsafe(room)
    this.#bytes.copy(larger, 0, this.#at, this.#end)
    this.#bytes = larger
    this.#owned = true
    this.#searched -= this.#at
    this.#at = 0
    this.#end = held
  }

  /** The header of the frame before, where the same bytes come again: most frames are of one topic. */
  #repeatedHeader(): Header | undefined {
    const { bytes, header } = this.#last
    const end = this.#at + bytes.length
    if (bytes.length === 0 || end > this.#end) return undefined
    for (let index = 0; index < bytes.length; index += 1) {
      if (this.#bytes[this.#at + index] !== bytes[index]) return undefined
    }
    this.#at = end
    this.#searched = end
    return header
  }

  #readHeader(): Header | undefined {
    const repeated = this.#repeatedHeader()
    if (repeated) return repeated
    const from = Math.max(this.#searched, this.#at)
    const found = this.#bytes.subarray(0, this.#end).indexOf(LF, from)
    const end = found === -1 ? this.#end : found
    // Looked at byte by byte only once: what is not ASCII must not wait for the rest of a line.
    for (let at = from; at < end; at += 1) {
      if ((this.#bytes[at] as number) >= FIRST_NON_ASCII) {
        throw new FrameError('a header that is not ASCII')
      }
    }
    this.#searched = end
    const length = end - this.#at + 1
    if (length > HEADER_MAX_BYTES) throw new FrameError('a header of more than 4096 bytes')
    if (found === -1) return undefined
    const line = this.#bytes.toString(
      'latin1',
      this.#at,
      this.#bytes[end - 1] === CR ? end - 1 : end,
    )
    const header = parseHeader(line)
    this.#last = { bytes: Buffer.from(this.#bytes.subarray(this.#at, end + 1)), header }
    this.#at = end + 1
    this.#searched = this.#at
    return header
  }
}

function parseHeader(line: string): Header {
  const blank = line.indexOf(' ')
  const verb = blank === -1 ? line : line.slice(0, blank)
  if (!isVerb(verb)) throw new FrameError(`no verb: ${quote(verb)}`)
  return { verb, args: blank === -1 ? '' : trimmed(line, blank) }
}

const isVerb = (text: string): text is Verb => VERBS.has(text)

function trimmed(line: string, blank: number): string {
  // Most frames have one blank, and nothing behind their arguments.
  const first = line.charCodeAt(blank + 1)
  const last = line.charCodeAt(line.length - 1)
  return first > SPACE && last > SPACE ? line.slice(blank + 1) : line.slice(blank + 1).trim()
}
