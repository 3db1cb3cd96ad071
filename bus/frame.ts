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
  const header = args === '' ? `${verb}\n` : `${verb} ${args}\n`
  // Any other control character passes: a broker hands on every topic that it can read.
  if (/[\r\n]/.test(args)) throw new FrameError('a line end in a header')
  if (/[\u0080-\uffff]/.test(args)) throw new FrameError('a header that is not ASCII')
  if (header.length > HEADER_MAX_BYTES) throw new FrameError('a header of more than 4096 bytes')
  const size = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  if (size > ENVELOPE_MAX_BYTES) throw new FrameError('a body of more than 1048576 bytes')
  const frame = Buffer.allocUnsafe(header.length + LENGTH_BYTES + size)
  frame.write(header, 0, 'latin1')
  frame.writeUInt32BE(size, header.length)
  if (typeof body === 'string') frame.write(body, header.length + LENGTH_BYTES, 'utf8')
  else frame.set(body, header.length + LENGTH_BYTES)
  return frame
}

interface Header {
  readonly verb: Verb
  readonly args: string
}

/**
 * Finds the frames in a stream of bytes. Pulled: `push` a chunk, `take` until undefined. Holds one
 * frame, at most, beyond the chunk at hand.
 */
export class FrameDecoder {
  #bytes: Buffer = Buffer.alloc(0)
  /** what has been read of `#bytes`, and where they end */
  #at = 0
  #end = 0
  /** how far the search for the end of the header has come */
  #searched = 0
  #header: Header | undefined

  push(chunk: Buffer): void {
    const held = this.#end - this.#at
    if (held === 0) {
      this.#bytes = chunk
      this.#end = chunk.length
    } else {
      // Doubling, so that a peer that sends byte by byte costs no more than one that does not.
      if (this.#end + chunk.length > this.#bytes.length || !this.#owned) {
        const larger = Buffer.allocUnsafe(Math.max(2 * held, held + chunk.length, 1024))
        this.#bytes.copy(larger, 0, this.#at, this.#end)
        this.#bytes = larger
        this.#owned = true
        this.#searched -= this.#at
        this.#at = 0
        this.#end = held
      }
      chunk.copy(this.#bytes, this.#end)
      this.#end += chunk.length
      return
    }
    this.#owned = false
    this.#at = 0
    this.#searched = 0
  }
  /** whether `#bytes` is ours to write to */
  #owned = false

  /**
   * @returns the next complete frame, or undefined where more bytes are needed
   * @throws {FrameError} nothing after it in this stream can be trusted
   */
  take(): Frame | undefined {
    this.#header ??= this.#readHeader()
    if (!this.#header) return undefined
    if (this.#end - this.#at < LENGTH_BYTES) return undefined
    const size = this.#bytes.readUInt32BE(this.#at)
    if (size > ENVELOPE_MAX_BYTES) throw new FrameError(`a body of ${size} bytes`)
    const start = this.#at + LENGTH_BYTES
    if (this.#end - start < size) return undefined
    const { verb, args } = this.#header
    this.#header = undefined
    this.#at = start + size
    this.#searched = this.#at
    return { verb, args, body: this.#bytes.subarray(start, start + size) }
  }

  /** Where the stream stands: an end is clean only between frames. */
  get isBetweenFrames(): boolean {
    return this.#header === undefined && this.#at === this.#end
  }

  #readHeader(): Header | undefined {
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
    this.#at = end + 1
    this.#searched = this.#at
    return parseHeader(line)
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
