/** What listeners have received and the engine has not pulled yet: bounded. Not a component. */
import type { Context, Draft } from '../../engine/index.ts'
import type { Gathered } from '../../protocols/bounded_bytes.ts'
import { lineDraft } from '../lines/text_line.ts'

/** A queue of long lines is bounded by its size, whatever its length. */
const MAX_CHARACTERS = 64 * 1024 * 1024

/** Who sent a line, as fields of its event. */
export type Peer = Readonly<Record<string, string>>

export class Arrivals {
  readonly #context: Context
  readonly #limit: number
  #queue: Draft[] = []
  #characters: number[] = []
  #held = 0
  #waiting = new Set<() => void>()
  #wake: (() => void) | undefined
  #closed = false

  /** @param limit events that are held; senders that can wait are made to wait beyond it */
  constructor(limit: number, context: Context) {
    this.#limit = limit
    this.#context = context
  }

  get full(): boolean {
    return this.#queue.length >= this.#limit || this.#held >= MAX_CHARACTERS
  }

  /** Nothing more will arrive. */
  get closed(): boolean {
    return this.#closed
  }

  /** Takes a message in, full or not: whoever can hold it back asks `full` first. */
  push({ text, truncated }: Gathered, peer: Peer): void {
    if (truncated) this.#context.count('line_truncated')
    this.#queue.push(lineDraft({ text, truncated }, this.#context.clock.now(), peer))
    this.#characters.push(text.length)
    this.#held += text.length
    this.#wake?.()
  }

  /** Hands out the oldest, `count` at most; then those who wait for room go on, in turn. */
  take(count: number): Draft[] {
    const taken = this.#queue.splice(0, count)
    for (const length of this.#characters.splice(0, count)) this.#held -= length
    for (const resume of this.#waiting) {
      if (this.full) break
      this.#waiting.delete(resume)
      resume()
    }
    return taken
  }

  /** Calls `resume` once, when there is room again. */
  whenRoom(resume: () => void): void {
    this.#waiting.add(resume)
  }

  /** @returns when there is something to take or nothing more will come */
  async ready(): Promise<void> {
    if (this.#queue.length > 0 || this.#closed) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }

  close(): void {
    this.#closed = true
    this.#wake?.()
  }
}
