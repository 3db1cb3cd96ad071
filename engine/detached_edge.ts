/** An edge that drops rather than waits: a bounded queue between a fast part and a slow one. */
import { type Observable, Subject } from 'rxjs'
import { type Batch, makeBatch } from './batch.ts'
import { stopwatch } from './clock.ts'
import type { EdgeCounters } from './counters.ts'
import type { Flow } from './flow.ts'
import type { PlanEdge } from './plan.ts'

/** Batches of a detached edge that may be under way at once; more only wait further on. */
const UNDER_WAY = 2

interface Queued {
  readonly batch: Batch
  /** moment of the stopwatch at which it came, ms */
  readonly since: number
}

/**
 * Upstream is acknowledged when an event enters the queue, so the edge is at most once. What comes
 * out are root batches of their own, as from a source named `inlet`.
 */
export class DetachedEdge {
  readonly batches = new Subject<Batch>()
  readonly inlet: string
  readonly #edge: PlanEdge
  readonly #flow: Flow
  readonly #counters: EdgeCounters
  #queue: Queued[] = []
  #underWay = 0
  #paused = false

  constructor(inlet: string, edge: PlanEdge, flow: Flow, counters: EdgeCounters) {
    this.inlet = inlet
    this.#edge = edge
    this.#flow = flow
    this.#counters = counters
  }

  attach(upstream: Observable<Batch>, onError: (error: unknown) => void): void {
    upstream.subscribe({
      next: (batch) => {
        this.#accept(batch)
        batch.token.settle('delivered')
        this.#pump()
      },
      error: onError,
    })
  }

  /** Lets nothing more out until `resume`, so that a checkpoint can find the graph at rest. */
  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#pump()
  }

  /** How long the oldest event has waited, ms; undefined where none does. */
  get oldest(): number | undefined {
    const first = this.#queue.find(({ batch }) => batch.events.length > 0)
    return first && stopwatch() - first.since
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0 && this.#underWay === 0
  }

  #accept(batch: Batch): void {
    const free = this.#edge.capacity - this.#counters.waiting
    const count = batch.events.length
    if (count <= free) {
      this.#enqueue(batch)
      return
    }
    if (this.#edge.policy === 'drop_newest') {
      this.#drop(count - free)
      this.#enqueue(slice(batch, 0, free))
      return
    }
    const kept = Math.min(count, this.#edge.capacity)
    this.#drop(count - kept)
    this.#makeRoom(kept)
    this.#enqueue(slice(batch, count - kept, count))
  }

  #makeRoom(needed: number): void {
    while (this.#edge.capacity - this.#counters.waiting < needed) {
      const oldest = this.#queue.shift()
      if (!oldest) return
      const excess = needed - (this.#edge.capacity - this.#counters.waiting)
      const { batch, since } = oldest
      const gone = Math.min(excess, batch.events.length)
      this.#drop(gone)
      this.#counters.waiting -= gone
      if (gone < batch.events.length) {
        this.#queue.unshift({ batch: slice(batch, gone, batch.events.length), since })
      }
    }
  }

  #drop(count: number): void {
    this.#counters.dropped += count
  }

  #enqueue(batch: Batch): void {
    this.#counters.waiting += batch.events.length
    this.#queue.push({ batch, since: stopwatch() })
  }

  #pump(): void {
    while (!this.#paused && this.#underWay < UNDER_WAY) {
      const next = this.#queue.shift()
      if (!next) return
      const { batch } = next
      this.#counters.waiting -= batch.events.length
      this.#underWay += 1
      const { sequence, token } = this.#flow.open(this.inlet, 0, () => {
        this.#underWay -= 1
        this.#pump()
      })
      const root = { sequence, source: this.inlet, arrivals: batch.root.arrivals }
      this.batches.next(makeBatch(batch.events, batch.origins, batch.watermarks, root, token))
    }
  }
}

const slice = (batch: Batch, start: number, end: number): Batch =>
  batch.with(batch.events.slice(start, end), batch.origins.slice(start, end))
