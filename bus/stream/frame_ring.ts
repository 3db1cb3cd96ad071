/** The newest frames of a stream, as bytes that every client of it shares. */

export interface FrameRingLimits {
  readonly maxFrames: number
  readonly maxBytes: number
}

/** Some frames in a row. */
export interface FrameRun {
  readonly bytes: Buffer
  /** number of the frame behind them */
  readonly next: number
}

/** Frames are numbered from 1 and leave at the front, the oldest first; one of them always stays. */
export class FrameRing {
  readonly #limits: FrameRingLimits
  #frames: Buffer[] = []
  /** frames at the front of `#frames` that have left, but were not cut off yet */
  #gone = 0
  #bytes = 0
  #first: number
  #lastRun: (FrameRun & { readonly from: number }) | undefined

  /** @param first number of the first frame that is to come */
  constructor(limits: FrameRingLimits, first = 1) {
    this.#limits = limits
    this.#first = first
  }

  /** Number of the oldest frame that is held. */
  get first(): number {
    return this.#first
  }

  /** Number that the next frame gets. */
  get next(): number {
    return this.#first + this.#frames.length - this.#gone
  }

  push(frame: Buffer): void {
    this.#frames.push(frame)
    this.#bytes += frame.length
    const { maxFrames, maxBytes } = this.#limits
    while (this.next - this.#first > maxFrames || this.#bytes > maxBytes) {
      if (this.next - this.#first === 1) break
      this.#bytes -= this.#frames[this.#gone]?.length ?? 0
      this.#gone += 1
      this.#first += 1
    }
    if (this.#gone > this.#frames.length / 2) {
      this.#frames = this.#frames.slice(this.#gone)
      this.#gone = 0
    }
  }

  /**
   * @param from number of a frame that is held, or `next`
   * @param maxBytes of the run; one frame is always in it
   */
  run(from: number, maxBytes: number): FrameRun {
    // Most clients are in step: the run that one gets is the one the next asks for.
    const last = this.#lastRun
    if (last?.from === from && last.next === this.next) return last
    const some: Buffer[] = []
    let bytes = 0
    for (let at = from; at < this.next; at += 1) {
      const frame = this.#frames[this.#gone + at - this.#first] as Buffer
      if (some.length > 0 && bytes + frame.length > maxBytes) break
      some.push(frame)
      bytes += frame.length
    }
    const next = from + some.length
    const run = { from, next, bytes: some.length === 1 ? (some[0] as Buffer) : Buffer.concat(some) }
    if (next === this.next) this.#lastRun = run
    return run
  }

  /** The newest frames that are `maxBytes` together, at most, oldest first. */
  newest(maxBytes: number): readonly Buffer[] {
    let bytes = 0
    let start = this.#frames.length
    while (start > this.#gone) {
      bytes += (this.#frames[start - 1] as Buffer).length
      if (bytes > maxBytes) break
      start -= 1
    }
    return this.#frames.slice(start)
  }
}
