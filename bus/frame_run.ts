/** Frames one behind the other in one buffer, which any number of queues may share. */
import { frameLength, type Verb, writeFrame } from './frame.ts'

export interface FrameRun {
  readonly bytes: Buffer
  /** where each frame ends in `bytes`, exclusive */
  readonly ends: readonly number[]
}

/** Bytes of a run, unless one frame alone has more; about what a socket takes at once. */
const RUN_BYTES = 64 * 1024
/** Frames of a run: few enough that a queue that is full loses no more than it must. */
const RUN_FRAMES = 256

interface Part {
  readonly args: string
  readonly body: Uint8Array | string
  readonly size: number
}

/** @returns a run of the one frame */
export const runOf = (frame: Buffer): FrameRun => ({ bytes: frame, ends: [frame.length] })

/** Gathers frames of one verb and writes each of them once, however many are to get it. */
export class RunWriter {
  readonly #verb: Verb
  #parts: Part[] = []
  readonly #ends: number[] = []
  #length = 0

  constructor(verb: Verb) {
    this.#verb = verb
  }

  /**
   * @param body must stay as it is until the run is taken
   * @returns whether it is time to take the run
   * @throws {FrameError} what a decoder would refuse; nothing was added
   */
  add(args: string, body: Uint8Array | string): boolean {
    const size = typeof body === 'string' ? Buffer.byteLength(body) : body.length
    this.#length += frameLength(this.#verb, args, size)
    this.#parts.push({ args, body, size })
    this.#ends.push(this.#length)
    return this.#length >= RUN_BYTES || this.#ends.length >= RUN_FRAMES
  }

  /** @returns what was added since the last call; undefined if nothing was */
  take(): FrameRun | undefined {
    if (this.#ends.length === 0) return undefined
    const bytes = Buffer.allocUnsafe(this.#length)
    let at = 0
    for (const [index, { args, body, size }] of this.#parts.entries()) {
      writeFrame(bytes, at, this.#verb, args, body, size)
      at = this.#ends[index] as number
    }
    this.#parts = []
    this.#length = 0
    return { bytes, ends: this.#ends.splice(0) }
  }
}
