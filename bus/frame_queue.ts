/** Frames on their way into one socket: bounded, and written many at a time. */
import type { Socket } from 'node:net'

/** Frames that wait, at most, besides those the socket has taken (spec/bus.md section 7). */
const MOST_FRAMES = 1024
/** Bytes that wait: 1024 frames of 0.9 MB each would be more memory than a host has to spare. */
const MOST_BYTES = 16 * 2 ** 20
/** Frames are copied together up to this size, which is what a socket takes at once. Bytes */
const PIECE_BYTES = 64 * 1024

/** Whoever does not read loses the oldest frames, never the time of those who write to him. */
export class FrameQueue {
  readonly #socket: Socket
  readonly #onDrop: () => void
  /** go first and are never dropped */
  #urgent: Buffer[] = []
  /** frames that the socket has, but not yet the system */
  #written = 0
  #frames: Buffer[] = []
  #first = 0
  #bytes = 0
  #dropped = 0
  #waits = false

  /** @param onDrop called for each frame that is lost */
  constructor(socket: Socket, onDrop: () => void) {
    this.#socket = socket
    this.#onDrop = onDrop
  }

  /** Frames that were lost for want of room. */
  get dropped(): number {
    return this.#dropped
  }

  /** Frames that wait. */
  get length(): number {
    return this.#frames.length - this.#first
  }

  /** Frames that the system has not taken; if the connection ends now, they are lost. */
  get unsent(): number {
    return this.length + this.#written
  }

  /**
   * Takes in what must not be lost, ahead of all that waits; `flush` writes it.
   * @returns false where too many of these wait already
   */
  pushUrgent(frame: Buffer): boolean {
    if (this.#urgent.length >= MOST_FRAMES) return false
    this.#urgent.push(frame)
    return true
  }

  /** Takes a frame in; `flush` writes it, now or when there is enough for one write. */
  push(frame: Buffer): void {
    while (this.length > 0 && !this.#hasRoom(frame)) {
      this.#shift()
      this.#dropped += 1
      this.#onDrop()
    }
    this.#frames.push(frame)
    this.#bytes += frame.length
    if (this.#bytes >= PIECE_BYTES || this.length >= MOST_FRAMES / 4) this.flush()
  }

  /** Writes what the socket takes now; the rest follows by itself. */
  flush(): void {
    const socket = this.#socket
    while (!this.#waits && socket.writable) {
      if (this.#urgent.length > 0) this.#write(Buffer.concat(this.#urgent.splice(0)), 0)
      else if (this.length > 0) this.#writePiece()
      else return
    }
  }

  #writePiece(): void {
    const before = this.length
    const piece = this.#piece()
    this.#write(piece, before - this.length)
  }

  #write(bytes: Buffer, frames: number): void {
    const socket = this.#socket
    this.#written += frames
    socket.write(bytes, (error) => {
      if (error) return
      this.#written -= frames
      // Also called for writes before the one that waits.
      if (!this.#waits || socket.writableLength > 0) return
      this.#waits = false
      this.flush()
    })
    // Zero where the system has taken all of it at once.
    this.#waits = socket.writableLength > 0
  }

  #hasRoom(frame: Buffer): boolean {
    return this.length < MOST_FRAMES && this.#bytes + frame.length <= MOST_BYTES
  }

  #piece(): Buffer {
    const first = this.#shift()
    let size = first.length
    const parts = [first]
    while (this.length > 0) {
      const { length } = this.#frames[this.#first] as Buffer
      if (size + length > PIECE_BYTES) break
      size += length
      parts.push(this.#shift())
    }
    return parts.length === 1 ? first : Buffer.concat(parts, size)
  }

  #shift(): Buffer {
    const frame = this.#frames[this.#first] as Buffer
    this.#first += 1
    this.#bytes -= frame.length
    // Array.shift moves all that follow; cutting half the array at a time costs each move once.
    if (this.#first * 2 >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#first)
      this.#first = 0
    }
    return frame
  }
}
