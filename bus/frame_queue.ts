/** Frames on their way into one socket: bounded, and written many at a time. */
import type { Socket } from 'node:net'
import { type FrameRun, runOf } from './frame_run.ts'

/** Frames that wait, at most, besides those the socket has taken (spec/bus.md section 7). */
const MOST_FRAMES = 1024
/** Bytes that wait: 1024 frames of 0.9 MB each would be more memory than a host has to spare. */
const MOST_BYTES = 16 * 2 ** 20
/** Frames are copied together up to this size, which is what a socket takes at once. Bytes */
const PIECE_BYTES = 64 * 1024

/** A run of which the first frames may have gone. */
interface Waiting {
  readonly run: FrameRun
  /** index of its first frame that is still to be written */
  first: number
}

/** Whoever does not read loses the oldest frames, never the time of those who write to him. */
export class FrameQueue {
  readonly #socket: Socket
  readonly #onDrop: () => void
  /** go first and are never dropped */
  #urgent: Buffer[] = []
  /** frames that the socket has, but not yet the system */
  #written = 0
  #runs: Waiting[] = []
  #first = 0
  #length = 0
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
    return this.#length
  }

  /** Frames that the system has not taken; if the connection ends now, they are lost. */
  get unsent(): number {
    return this.#length + this.#written
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
    this.pushRun(runOf(frame))
  }

  /** Takes frames in, in memory that others may share. */
  pushRun(run: FrameRun): void {
    while (this.#length > 0 && !this.#hasRoom(run)) this.#dropOldest()
    this.#runs.push({ run, first: 0 })
    this.#length += run.ends.length
    this.#bytes += run.bytes.length
    if (this.#bytes >= PIECE_BYTES || this.#length >= MOST_FRAMES / 4) this.flush()
  }

  /** Writes what the socket takes now; the rest follows by itself. */
  flush(): void {
    const socket = this.#socket
    while (!this.#waits && socket.writable) {
      if (this.#urgent.length > 0) this.#write(Buffer.concat(this.#urgent.splice(0)), 0)
      else if (this.#length > 0) this.#writePiece()
      else return
    }
  }

  #writePiece(): void {
    const before = this.#length
    const piece = this.#piece()
    this.#write(piece, before - this.#length)
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

  #hasRoom({ bytes, ends }: FrameRun): boolean {
    return this.#length + ends.length <= MOST_FRAMES && this.#bytes + bytes.length <= MOST_BYTES
  }

  #dropOldest(): void {
    const waiting = this.#runs[this.#first] as Waiting
    const { run, first } = waiting
    this.#bytes -= (run.ends[first] as number) - startOf(waiting)
    this.#length -= 1
    waiting.first += 1
    if (waiting.first === run.ends.length) this.#shift()
    this.#dropped += 1
    this.#onDrop()
  }

  /** As many runs as make one write; a long one goes as it is, without a copy. */
  #piece(): Buffer {
    const parts = [this.#takeRun()]
    let size = (parts[0] as Buffer).length
    while (this.#length > 0) {
      const next = this.#runs[this.#first] as Waiting
      const length = next.run.bytes.length - startOf(next)
      if (size + length > PIECE_BYTES) break
      size += length
      parts.push(this.#takeRun())
    }
    return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, size)
  }

  #takeRun(): Buffer {
    const waiting = this.#runs[this.#first] as Waiting
    const { run, first } = waiting
    const start = startOf(waiting)
    this.#bytes -= run.bytes.length - start
    this.#length -= run.ends.length - first
    this.#shift()
    return start === 0 ? run.bytes : run.bytes.subarray(start)
  }

  #shift(): void {
    this.#first += 1
    // Array.shift moves all that follow; cutting half the array at a time costs each move once.
    if (this.#first * 2 >= this.#runs.length) {
      this.#runs = this.#runs.slice(this.#first)
      this.#first = 0
    }
  }
}

const startOf = ({ run, first }: Waiting): number =>
  first === 0 ? 0 : (run.ends[first - 1] as number)
