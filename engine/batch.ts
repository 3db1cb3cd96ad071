/** The unit that flows, and its reference-counted acknowledgement. */
import type { Event, Outcome } from './event.ts'

const RANK: Record<Outcome, number> = { delivered: 0, dead_lettered: 1, failed: 2 }

/**
 * Counts who still holds a batch. When the last holder settles, `onSettled` gets the worst outcome.
 */
export class Token {
  #holders = 1
  #worst: Outcome = 'delivered'
  readonly #onSettled: (outcome: Outcome) => void

  constructor(onSettled: (outcome: Outcome) => void) {
    this.#onSettled = onSettled
  }

  /** Registers `holders` more that will each settle once. */
  retain(holders = 1): void {
    this.#holders += holders
  }

  settle(outcome: Outcome): void {
    if (this.#holders === 0) throw new Error('a batch was settled more often than it was held')
    if (RANK[outcome] > RANK[this.#worst]) this.#worst = outcome
    this.#holders -= 1
    if (this.#holders === 0) this.#onSettled(this.#worst)
  }
}

/** What the batches cut from one pull have in common. */
export interface Root {
  /** Number of the root batch in this run; fan-in puts its parts back together by it. */
  readonly sequence: number
  readonly source: string
  /** by origin: the latest event time that is believed of it and of what is made from it, ms */
  readonly arrivals: readonly number[]
}

/**
 * Events in order, with what the engine needs to keep that order:
 * `origins[i]` is the index, in the root batch, of the event that `events[i]` comes from, and
 * `watermarks[o]` the event time up to which input is complete once origin `o` has been seen.
 */
export interface Batch {
  readonly events: readonly Event[]
  readonly origins: readonly number[]
  readonly watermarks: readonly number[]
  readonly root: Root
  readonly token: Token
  /** The same batch with other events; `origins` defaults to the last origin for all of them. */
  with(events: readonly Event[], origins?: readonly number[]): Batch
}

class PlainBatch implements Batch {
  readonly events: readonly Event[]
  readonly origins: readonly number[]
  readonly watermarks: readonly number[]
  readonly root: Root
  readonly token: Token

  constructor(
    events: readonly Event[],
    origins: readonly number[],
    watermarks: readonly number[],
    root: Root,
    token: Token,
  ) {
    this.events = events
    this.origins = origins
    this.watermarks = watermarks
    this.root = root
    this.token = token
  }

  with(events: readonly Event[], origins?: readonly number[]): Batch {
    const last = Math.max(this.watermarks.length - 1, 0)
    return new PlainBatch(
      events,
      origins ?? events.map(() => last),
      this.watermarks,
      this.root,
      this.token,
    )
  }
}

export function makeBatch(
  events: readonly Event[],
  origins: readonly number[],
  watermarks: readonly number[],
  root: Root,
  token: Token,
): Batch {
  return new PlainBatch(events, origins, watermarks, root, token)
}
