/** What listeners have received and the engine has not pulled yet: bounded. Not a component. */
import type { Context, Draft, LineBlock } from '../../engine/index.ts'
import type { Gathered } from '../../protocols/bounded_bytes.ts'
import type { LineRun } from '../../protocols/syslog_framing.ts'
import { lineDraft } from '../lines/text_line.ts'
import { GatheredLines } from './gathered_lines.ts'

/** A queue of long lines is bounded by its size, whatever its length. */
const MAX_CHARACTERS = 64 * 1024 * 1024

/** Messages that are pulled at once, at most. */
const MOST_PER_PULL = 512

/** Who sent a line, as fields of its event. */
export type Peer = Readonly<Record<string, string>>

/** What is pulled at once: messages, or lines that nobody has read yet. */
export type Arrived =
  | { readonly count: number; readonly drafts: readonly Draft[] }
  | { readonly count: number; readonly lines: LineBlock }

class GatheredDrafts {
  readonly drafts: Draft[] = []
  /** characters of their lines */
  size = 0

  get count(): number {
    return this.drafts.length
  }
}

export class Arrivals {
  readonly #context: Context
  readonly #limit: number
  /** oldest first; only the last grows */
  readonly #groups: (GatheredDrafts | GatheredLines)[] = []
  #count = 0
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
    return this.#count >= this.#limit || this.#held >= MAX_CHARACTERS
  }

  /** How many messages still fit in. */
  get room(): number {
    return this.full ? 0 : this.#limit - this.#count
  }

  /** Nothing more will arrive. */
  get closed(): boolean {
    return this.#closed
  }

  /** Takes a message in, full or not: whoever can hold it back asks `full` first. */
  push({ text, truncated }: Gathered, peer: Peer): void {
    if (truncated) this.#context.count('line_truncated')
    const last = this.#groups.at(-1)
    const fits = last instanceof GatheredDrafts && last.count < MOST_PER_PULL
    const group = fits ? last : this.#begin(new GatheredDrafts())
    group.drafts.push(lineDraft({ text, truncated }, this.#context.clock.now(), peer))
    group.size += text.length
    this.#count += 1
    this.#held += text.length
    this.#wake?.()
  }

  /**
   * Takes lines in as they are, full or not.
   * @param before the message that came before them; it joins them where it is whole
   */
  pushLines(before: Gathered, run: LineRun, peer: Peer): void {
    const now = this.#context.clock.now()
    if (before.truncated) this.push(before, peer)
    else this.#extend(peer, (group) => Number(group.pushText(before.text, now)))
    for (let next = 0; next < run.ends.length; ) {
      next += this.#extend(peer, (group) => group.pushRun(run, next, now) - next)
    }
    this.#wake?.()
  }

  /** @returns how many lines `push` got into the last group, or else into a new one */
  #extend(peer: Peer, push: (group: GatheredLines) => number): number {
    const last = this.#groups.at(-1)
    if (last instanceof GatheredLines && last.isFor(peer)) {
      const pushed = this.#pushed(last, push)
      if (pushed > 0) return pushed
    }
    return this.#pushed(this.#begin(new GatheredLines(peer, MOST_PER_PULL)), push)
  }

  #pushed(group: GatheredLines, push: (group: GatheredLines) => number): number {
    const { size } = group
    const pushed = push(group)
    this.#count += pushed
    this.#held += group.size - size
    return pushed
  }

  #begin<G extends GatheredDrafts | GatheredLines>(group: G): G {
    this.#groups.push(group)
    return group
  }

  /** Hands out the oldest; then those who wait for room go on, in turn. */
  take(): Arrived | undefined {
    const group = this.#groups.shift()
    if (!group) return undefined
    const { count } = group
    this.#count -= count
    this.#held -= group.size
    const taken =
      group instanceof GatheredLines
        ? { count, lines: group.take() }
        : { count, drafts: group.drafts }
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
    if (this.#count > 0 || this.#closed) return
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
