/** Shows somebody the events that leave a port, as many as can be shown without slowing them. */
import type { Batch } from './batch.ts'
import type { Expression } from './cel.ts'
import { every } from './clock.ts'
import { holds } from './condition.ts'
import { EngineError } from './errors.ts'
import type { Event } from './event.ts'

export interface EventTapOptions {
  /** `[1, 10]`: one event in ten, by its id, so that two taps show the same ones */
  readonly sample: readonly [number, number]
  readonly where: Expression | undefined
  /** Takes one line of JSON, without a newline. */
  readonly write: (line: string) => void
  /** Whether whoever reads is so far behind that nothing more may be written. */
  readonly isBehind: () => boolean
}

/** The budget of a tap is given out in slices of this length, ms. */
const SLICE_MS = 100

// About 1 µs to ask a condition and 3 µs to write an event: three in a hundred of one core at most,
// whatever passes the port. What is over the budget is dropped and counted.
const ASKED_PER_SLICE = 2000
const SHOWN_PER_SLICE = 250

export class EventTap {
  readonly #options: EventTapOptions
  readonly #cancel: () => void
  #asked = 0
  #shown = 0
  #dropped = 0
  #told = 0
  /** events the condition has no answer for, and why for the first of them */
  #unanswered = 0
  #unansweredTold = 0
  #why = ''

  constructor(options: EventTapOptions) {
    this.#options = options
    this.#cancel = every(SLICE_MS, () => {
      this.#asked = 0
      this.#shown = 0
      this.#tell()
    })
  }

  /** Looks at what leaves the port. Never throws: what cannot be shown is dropped and counted. */
  readonly listener = ({ events }: Batch): void => {
    const { sample, where } = this.#options
    for (const event of events) {
      if (sample[1] > 1 && !isSampled(event.id, sample)) continue
      if (where) {
        if (this.#asked >= ASKED_PER_SLICE) {
          this.#dropped += 1
          continue
        }
        this.#asked += 1
        if (!this.#isTrue(where, event)) continue
      }
      this.#show(event)
    }
  }

  /** Says how many have been dropped or had no answer, if that is news, and ends. */
  close(): void {
    this.#cancel()
    this.#tell()
  }

  #show(event: Event): void {
    const { write, isBehind } = this.#options
    const line = this.#shown >= SHOWN_PER_SLICE || isBehind() ? undefined : lineOf(event)
    if (line === undefined) this.#dropped += 1
    else {
      this.#shown += 1
      write(line)
    }
  }

  #tell(): void {
    const { write, isBehind } = this.#options
    if (isBehind()) return
    if (this.#dropped !== this.#told) {
      this.#told = this.#dropped
      write(JSON.stringify({ dropped: this.#dropped }))
    }
    if (this.#unanswered !== this.#unansweredTold) {
      this.#unansweredTold = this.#unanswered
      write(JSON.stringify({ unanswered: this.#unanswered, why: this.#why }))
    }
  }

  /** An event that the condition gives no answer for is not one that was asked for. */
  #isTrue(where: Expression, event: Event): boolean {
    try {
      return holds(where, event)
    } catch (error) {
      if (!(error instanceof EngineError)) throw error
      if (this.#unanswered === 0) this.#why = error.message
      this.#unanswered += 1
      return false
    }
  }
}

function lineOf({ id, topic, time, data }: Event): string | undefined {
  try {
    return JSON.stringify({ event: { id, topic, time, data } })
  } catch (error) {
    // Nested deeper than the stack: no reason to stop the pipeline that has to carry it.
    if (error instanceof RangeError || error instanceof TypeError) return undefined
    throw error
  }
}

/** As much of an id as tells it from its neighbours; all of it would cost four times as much. */
const SAMPLED_CHARACTERS = 8

/** Ids that count up differ in their last digits only, so they are mixed before the division. */
function isSampled(id: string, [keep, of]: readonly [number, number]): boolean {
  // FNV-1a, then the finalizer of MurmurHash3, both public domain.
  let hash = 0x811c9dc5
  for (let index = Math.max(id.length - SAMPLED_CHARACTERS, 0); index < id.length; index++) {
    hash = Math.imul(hash ^ id.charCodeAt(index), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % of < keep
}
