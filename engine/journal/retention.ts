/** Keeps a journal within its bound: the oldest segments go, once everything in them is done with. */
import { unlink } from 'node:fs/promises'
import type { Clock } from '../clock.ts'
import type { Logger } from '../define.ts'
import type { SegmentFile } from './segments.ts'

interface Segment {
  readonly path: string
  /** sequence of its first item */
  readonly first: number
  bytes: number
  /** when its last frame was written, ms since the epoch */
  modified: number
}

export interface RetentionOptions {
  readonly pipeline: string
  readonly bound?: { readonly maxSize: number; readonly maxAge: number | undefined } | undefined
  readonly clock: Clock
  readonly log: Logger
}

export class Retention {
  /** items that went with their segments in this run */
  removedItems = 0
  readonly #options: RetentionOptions
  #segments: Segment[] = []

  constructor(options: RetentionOptions) {
    this.#options = options
  }

  get bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0)
  }

  get segments(): number {
    return this.#segments.length
  }

  /** Takes in a segment; it is now the newest. */
  add({ path, first, bytes, modified }: SegmentFile): void {
    this.#segments.push({ path, first, bytes, modified })
  }

  /** The newest segment has got a frame. */
  grow(bytes: number, arrival: number): void {
    const newest = this.#segments.at(-1)
    if (!newest) return
    newest.bytes += bytes
    newest.modified = arrival
  }

  /**
   * Removes the oldest segments while the journal is over its bound and they hold nothing that is
   * still needed. The newest always stays.
   * @param needed sequence of the first item that is not in a checkpoint yet
   */
  async trim(needed: number): Promise<void> {
    const { bound, log, pipeline } = this.#options
    if (!bound) return
    for (;;) {
      const [oldest, next] = this.#segments
      if (!oldest || !next || next.first > needed || !this.#isOver(oldest, bound)) return
      // Out of the list first: a second trim that comes meanwhile must not take it again.
      this.#segments.shift()
      await unlink(oldest.path).catch((error: NodeJS.ErrnoException) => {
        // Whoever removed it by hand has done the same.
        if (error.code !== 'ENOENT') throw error
      })
      this.removedItems += next.first - oldest.first
      log.info({ pipeline, path: oldest.path }, 'the oldest segment of the journal made room')
    }
  }

  #isOver(oldest: Segment, { maxSize, maxAge }: NonNullable<RetentionOptions['bound']>): boolean {
    if (this.bytes > maxSize) return true
    return maxAge !== undefined && this.#options.clock.now() - oldest.modified > maxAge
  }
}
