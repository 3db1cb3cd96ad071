/** Where events enter the graph: turns what a source read into root batches. */
import { Subject } from 'rxjs'
import { type Batch, makeBatch, type Root } from './batch.ts'
import { type Clock, latestBelievable } from './clock.ts'
import type { NodeCounters } from './counters.ts'
import type { Reject } from './define.ts'
import { EngineError } from './errors.ts'
import type { Draft, Event } from './event.ts'
import type { Flow } from './flow.ts'
import { sequenceId } from './ids.ts'
import type { LineBlock } from './line_block.ts'
import { errorEvent } from './outputs.ts'

export interface InletOptions {
  readonly source: string
  /** 16 hex characters; see `streamId` */
  readonly stream: string
  readonly flow: Flow
  readonly clock: Clock
  readonly counters: NodeCounters
  /** Number of edges that read the main output and the error port. */
  readonly consumers: { readonly main: number; readonly errors: number }
}

/** Takes input past the graph; see `LaneGate`. */
export interface Bypass {
  /** @returns whether it took the batch over, with holds of its own */
  take(batch: Batch): boolean
  /** Whether it takes so many lines that nobody has read. */
  takesLines(count: number): boolean
  /** @param batch stands for the lines, and has no events */
  takeLines(batch: Batch, lines: NumberedLines): void
}

/** Lines, and what is needed beside them to make the same events of them anywhere. */
export interface NumberedLines extends LineBlock, Numbering {
  /** the latest event time that is believed of them, ms */
  readonly arrival: number
}

/** Which ids the next events get. */
export interface Numbering {
  /** 16 hex characters ids start from */
  readonly stream: string
  /** of the first */
  readonly sequence: number
}

const isReject = (item: Draft | Reject): item is Reject => 'failure' in item

export class Inlet {
  readonly main = new Subject<Batch>()
  readonly errors = new Subject<Batch>()
  /** How many events this source has delivered over all runs of its state. */
  sequence = 0
  /** Event time up to which this source is believed complete, ms. */
  watermark = Number.NEGATIVE_INFINITY
  /** Asked first whether it takes a batch over. */
  bypass: Bypass | undefined
  readonly #options: InletOptions
  #stream: string

  constructor(options: InletOptions) {
    this.#options = options
    this.#stream = options.stream
  }

  /** 16 hex characters that ids of its events start from */
  get stream(): string {
    return this.#stream
  }

  /** Gives the events that come next the ids they would have elsewhere. */
  number({ stream, sequence }: Numbering): void {
    this.#stream = stream
    this.sequence = sequence
  }

  /**
   * Sends lines as one root batch past the graph, where somebody takes them.
   * @returns false where nobody does; then they are to be read and sent
   */
  sendLines(lines: LineBlock): boolean {
    const count = lines.ends.length
    const { flow, source, clock } = this.#options
    if (!this.bypass?.takesLines(count)) return false
    const { sequence: number, token } = flow.open(source, count)
    const { stream, sequence } = this
    this.sequence += count
    const root: Root = { sequence: number, source, arrivals: [] }
    const arrival = latestBelievable(clock)
    this.bypass.takeLines(makeBatch([], [], [], root, token), {
      ...lines,
      stream,
      sequence,
      arrival,
    })
    token.settle('delivered')
    return true
  }

  /**
   * Sends one root batch; the caller keeps to the batch size and to its credit.
   * @param arrivals when each item arrived, ms, where a journal has noted it; else it arrives now
   */
  send(items: readonly (Draft | Reject)[], arrivals = this.#now(items.length)): void {
    const { counters } = this.#options
    const events: Event[] = []
    const origins: number[] = []
    const errors: Event[] = []
    const errorOrigins: number[] = []
    const watermarks: number[] = new Array(items.length)
    for (let origin = 0; origin < items.length; origin++) {
      const item = items[origin] as Draft | Reject
      const rejected = isReject(item)
      const draft = rejected ? item.draft : item
      watermarks[origin] = this.#advance(draft.time, arrivals[origin] as number)
      const event = this.#identify(draft)
      if (rejected) {
        const { code, message } = item.failure
        const reason = new EngineError(code, message)
        errors.push(errorEvent(this.#options.source, event, reason, event.id))
        errorOrigins.push(origin)
      } else {
        events.push(event)
        origins.push(origin)
      }
      counters.lastTime = draft.time
    }
    counters.in += items.length
    counters.out += events.length
    counters.errors += errors.length
    this.#emit(arrivals, watermarks, events, origins, errors, errorOrigins)
  }

  #emit(
    arrivals: readonly number[],
    watermarks: readonly number[],
    events: readonly Event[],
    origins: readonly number[],
    errors: readonly Event[],
    errorOrigins: readonly number[],
  ): void {
    const { flow, consumers, source } = this.#options
    const { sequence, token } = flow.open(source, arrivals.length)
    const root: Root = { sequence, source, arrivals }
    const batch = makeBatch(events, origins, watermarks, root, token)
    if (errors.length === 0 && this.bypass?.take(batch)) {
      token.settle('delivered')
      return
    }
    // One hold more than there are consumers, so that none of them can end the batch too early.
    token.retain(consumers.main + consumers.errors)
    if (consumers.main > 0 || this.main.observed) {
      this.main.next(batch)
    }
    if (consumers.errors > 0) {
      this.errors.next(makeBatch(errors, errorOrigins, watermarks, root, token))
    }
    token.settle('delivered')
  }

  #identify(draft: Draft): Event {
    const sequence = this.sequence++
    if (draft.id !== undefined) return draft as Event
    const { topic, time, data } = draft
    return { id: sequenceId(this.#stream, sequence), topic, time, data }
  }

  #now(count: number): readonly number[] {
    return new Array<number>(count).fill(latestBelievable(this.#options.clock))
  }

  // A source whose clock runs ahead, or an attacker who writes one, must not drag time along.
  #advance(time: number, arrival: number): number {
    const believable = Math.min(time, arrival)
    if (believable > this.watermark) this.watermark = believable
    return this.watermark
  }
}
