/** A way into the middle of a running graph: an event enters a node as a root batch of its own. */
import { Observable, Subject } from 'rxjs'
import { type Batch, makeBatch } from './batch.ts'
import { type Clock, latestBelievable } from './clock.ts'
import type { Event, Outcome } from './event.ts'
import type { Flow } from './flow.ts'

export class Injector {
  /** What its root batches name as their source; fan-in further down expects them by it. */
  readonly inlet: string
  readonly #batches = new Subject<Batch>()
  readonly #flow: Flow
  readonly #clock: Clock

  constructor(node: string, flow: Flow, clock: Clock) {
    this.inlet = `inject>${node}`
    this.#flow = flow
    this.#clock = clock
  }

  /** The node's input with what is injected in between. */
  beside(input: Observable<Batch>): Observable<Batch> {
    // As `merge` would, but one subscriber for both costs the input's batches nothing on their way.
    return new Observable((subscriber) => {
      this.#batches.subscribe(subscriber)
      input.subscribe(subscriber)
    })
  }

  /**
   * Sends one event into the node. It lets no time pass: it may be older than what the node has
   * seen, and is late then like any other late event.
   * @param onSettled called in the same step in which the flow learns of it, so that no checkpoint
   *   falls in between
   */
  send(event: Event, onSettled: (outcome: Outcome) => void): void {
    const { sequence, token } = this.#flow.open(this.inlet, 1, onSettled)
    const root = { sequence, source: this.inlet, arrivals: [latestBelievable(this.#clock)] }
    this.#batches.next(makeBatch([event], [0], [Number.NEGATIVE_INFINITY], root, token))
  }
}
