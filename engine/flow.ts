/** Keeps count of what is in flight in one pipeline, and tells who waits for it. */
import { Token } from './batch.ts'
import type { Outcome } from './event.ts'
import { failpoint } from './failpoint.ts'

interface Waiter {
  readonly until: () => boolean
  readonly resolve: () => void
}

export class Flow {
  #batches = 0
  #closed = 0
  #events = 0
  #sequence = 0
  #failed = false
  #waiters: Waiter[] = []
  /** Told of every root batch, by its source and its number, before any part of it moves. */
  readonly onOpen: ((source: string, sequence: number) => void)[] = []

  /** Whether a batch has failed: from then on nothing may be checkpointed. */
  get failed(): boolean {
    return this.#failed
  }

  /** Batches that have ended so far: whether anything goes on at all. */
  get closed(): number {
    return this.#closed
  }

  get events(): number {
    return this.#events
  }

  /**
   * Registers a root batch of `events` events from `source`; its token reports back here, then to
   * `onClosed`.
   */
  open(
    source: string,
    events: number,
    onClosed?: (outcome: Outcome) => void,
  ): { sequence: number; token: Token } {
    this.#batches += 1
    this.#events += events
    const token = new Token((outcome) => {
      this.#close(events, outcome)
      onClosed?.(outcome)
    })
    const sequence = this.#sequence++
    for (const tell of this.onOpen) tell(source, sequence)
    return { sequence, token }
  }

  #close(events: number, outcome: Outcome): void {
    failpoint('ack.before')
    this.#batches -= 1
    this.#closed += 1
    this.#events -= events
    if (outcome === 'failed') this.#failed = true
    failpoint('ack.after')
    this.#wake()
  }

  /** Nothing in flight will end any more: wakes everybody who waits. */
  fail(): void {
    this.#failed = true
    this.#wake()
  }

  #wake(): void {
    if (this.#waiters.length === 0) return
    const ready = this.#waiters.filter(({ until }) => until())
    if (ready.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter))
    for (const { resolve } of ready) resolve()
  }

  #wait(until: () => boolean): Promise<void> {
    if (until()) return Promise.resolve()
    return new Promise((resolve) => this.#waiters.push({ until, resolve }))
  }

  /** Nothing is in flight, or a batch has failed. */
  quiet(): Promise<void> {
    return this.#wait(() => this.#batches === 0 || this.#failed)
  }

  /** At most `limit` events are in flight, or a batch has failed. */
  below(limit: number): Promise<void> {
    return this.#wait(() => this.#events <= limit || this.#failed)
  }

  get isQuiet(): boolean {
    return this.#batches === 0
  }
}
