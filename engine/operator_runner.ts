/** Runs one operator's code over batches: every event is handled, filtered, or on the error port. */
import type { Batch } from './batch.ts'
import type { EventClock } from './clock.ts'
import type { NodeCounters, StateCounters } from './counters.ts'
import type { Context, Keyed, Timers } from './define.ts'
import { EngineError } from './errors.ts'
import type { Event } from './event.ts'
import { deriveId } from './ids.ts'
import { inputCheck } from './input_check.ts'
import { KeyHistory } from './key_history.ts'
import { KeyedState, type SavedKey, type StateChanges } from './keyed_state.ts'
import { Outputs, type Ported } from './outputs.ts'
import type { PlanOperator } from './plan.ts'
import type { Trace } from './trace.ts'

export interface OperatorRunner {
  process(batch: Batch): Ported
  readonly state: StateCounters | undefined
  /** Time of the earliest timer that will fire, ms; Infinity where there is none. */
  readonly nextTimer: number
  takeChanges(): StateChanges | undefined
  restore(keys: readonly SavedKey[], watermark: number): void
  readonly watermark: number
}

/** What a runner is told about the world it runs in. */
export interface RunnerOptions {
  readonly context: Context
  readonly counters: NodeCounters
  /** Follows event time as the node sees it; undefined when the clock is live. */
  readonly nodeClock: EventClock | undefined
  readonly trace?: Trace | undefined
}

/** Keys come from outside and stay in memory: `max_keys` bounds their number, this their length. */
export const MAX_KEY_LENGTH = 1024

/** For `each` and `keyed`; what is asked takes time, and RxJS operators need no runner. */
export function operatorRunner(node: PlanOperator, options: RunnerOptions): OperatorRunner {
  const { component, config } = node
  return component.keyed
    ? new KeyedRunner(node, component.keyed(config as never, options.context) as AnyKeyed, options)
    : new EachRunner(node, options)
}

/** `''` alone, or the names the operator gives its outputs. */
export function portsOf(node: PlanOperator): readonly string[] {
  return node.component.outputs?.(node.config as never) ?? ['']
}

type AnyKeyed = Keyed<unknown>

function requireShort(key: string): void {
  if (key.length <= MAX_KEY_LENGTH) return
  throw new EngineError('KEY_TOO_LONG', `a key of ${key.length} characters is not kept`)
}

const inputOf = ({ component, config }: PlanOperator) =>
  inputCheck(
    typeof component.input === 'function' ? component.input(config as never) : component.input,
  )

class EachRunner implements OperatorRunner {
  readonly state = undefined
  readonly watermark = Number.NEGATIVE_INFINITY
  readonly nextTimer = Number.POSITIVE_INFINITY
  readonly #step: (event: Event) => ReturnType<AnyKeyed['step']>
  readonly #check: (data: Event['data']) => void
  readonly #outputs: Outputs
  readonly #options: RunnerOptions

  constructor(node: PlanOperator, options: RunnerOptions) {
    const make = node.component.each
    if (!make) throw new Error(`${node.component.type} has no code to run`)
    this.#step = make(node.config as never, options.context) as never
    this.#check = inputOf(node)
    this.#outputs = new Outputs(node.id, portsOf(node), options.counters, options.trace)
    this.#options = options
  }

  process(batch: Batch): Ported {
    const { counters, nodeClock } = this.#options
    const { events, origins, watermarks } = batch
    counters.in += events.length
    for (let index = 0; index < events.length; index++) {
      const event = events[index] as Event
      const origin = origins[index] as number
      const watermark = watermarks[origin] as number
      nodeClock?.advanceTo(watermark === Number.POSITIVE_INFINITY ? event.time : watermark)
      try {
        this.#check(event.data)
        const made = this.#outputs.emit(this.#step(event), event, origin)
        if (made === 0) counters.filtered += 1
        else counters.made += made - 1
      } catch (error) {
        this.#outputs.fail(event, error, origin)
      }
    }
    const last = events.at(-1)
    if (last) counters.lastTime = last.time
    return this.#outputs.take(batch)
  }

  takeChanges(): undefined {
    return undefined
  }
  restore(): void {
    throw new Error('an operator without keyed state has nothing to restore')
  }
}

class KeyedRunner implements OperatorRunner {
  watermark = Number.NEGATIVE_INFINITY
  readonly #node: PlanOperator
  readonly #code: AnyKeyed
  readonly #check: (data: Event['data']) => void
  readonly #outputs: Outputs
  readonly #options: RunnerOptions
  readonly #keys: KeyedState
  readonly #history: KeyHistory | undefined
  #current = ''
  #firing = Number.NEGATIVE_INFINITY
  readonly #timers: Timers

  constructor(node: PlanOperator, code: AnyKeyed, options: RunnerOptions) {
    this.#node = node
    this.#code = code
    this.#options = options
    this.#check = inputOf(node)
    this.#outputs = new Outputs(node.id, portsOf(node), options.counters, options.trace)
    const bounds = node.keyed ?? { maxKeys: 65_536, ttl: undefined }
    const keys = new KeyedState(bounds, code.dropped, code.isExtra)
    this.#keys = keys
    this.#history = options.trace && new KeyHistory(node.id, options.trace)
    this.#timers = {
      at: (time) => {
        // Setting it again for the same moment would fire for ever.
        if (time <= this.#firing) {
          throw new EngineError('TIMER_IN_PAST', `a timer for ${time} was set while it fired`)
        }
        keys.setTimer(this.#current, time)
        this.#history?.asks(time)
      },
      cancel: (time) => {
        keys.cancelTimer(this.#current, time)
        this.#history?.cancels(time)
      },
      forget: (key = this.#current) => keys.forget(key),
      now: () => this.watermark,
      peek: (key) => keys.peek(key, this.watermark),
      open: (key) => {
        requireShort(key)
        return keys.open(key, this.watermark, code.init)
      },
    }
  }

  get state(): StateCounters {
    return this.#keys.counters
  }

  get nextTimer(): number {
    return this.#keys.nextLiveTimer
  }

  process(batch: Batch): Ported {
    const { counters } = this.#options
    const { events, origins, watermarks, root } = batch
    counters.in += events.length
    let cursor = 0
    for (let index = 0; index < events.length; index++) {
      const event = events[index] as Event
      const origin = origins[index] as number
      cursor = this.#advance(batch, cursor, origin)
      // An event that claims to come from the future must not drag time along.
      this.#raise(Math.min(event.time, root.arrivals[origin] as number), origin)
      // Code that keeps an index of all keys must not find there what has aged out, or where a batch
      // ends would show. Timers that were due before that have fired.
      if (this.#code.dropped) this.#keys.sweep(this.watermark)
      this.#handle(event, origin)
      // A timer set for a moment that has passed fires now: the next event may be a batch away.
      if (this.#keys.isDue(this.watermark)) this.#fire(this.watermark, origin)
    }
    this.#advance(batch, cursor, watermarks.length - 1)
    this.#keys.sweep(this.watermark)
    const last = events.at(-1)
    if (last) counters.lastTime = last.time
    return this.#outputs.take(batch)
  }

  takeChanges(): StateChanges {
    return this.#keys.takeChanges()
  }

  restore(keys: readonly SavedKey[], watermark: number): void {
    this.#keys.restore(keys)
    this.#code.restored?.(this.#keys.states())
    this.watermark = watermark
  }

  /** Lets event time pass over origins `cursor`..`origin`, firing each timer at the first that reaches it. */
  #advance(batch: Batch, cursor: number, origin: number): number {
    const { watermarks } = batch
    if (origin < 0) return cursor
    const reached = watermarks[origin] as number
    // For most events nothing is due, and they are many.
    if (reached < this.#keys.nextTimer) {
      if (reached > this.watermark) this.#raise(reached, origin)
      return Math.max(cursor, origin)
    }
    // The end of input is no moment: time runs on to the last timer and stops there.
    const target =
      reached === Number.POSITIVE_INFINITY
        ? Math.max(this.#keys.lastTimer, this.watermark)
        : reached
    let at = cursor
    while (this.#keys.nextTimer <= target) {
      while (at < origin && (watermarks[at] as number) < this.#keys.nextTimer) at += 1
      this.#raise(Math.min(watermarks[at] as number, target), at)
    }
    this.#raise(target, origin)
    return Math.max(at, origin)
  }

  #raise(time: number, origin: number): void {
    if (time > this.watermark) {
      this.watermark = time
      this.#options.nodeClock?.advanceTo(time)
    }
    if (this.#keys.isDue(this.watermark)) this.#fire(this.watermark, origin)
  }

  #handle(event: Event, origin: number): void {
    const { counters, trace } = this.#options
    try {
      this.#check(event.data)
      if (this.#code.wants?.(event) === false) {
        counters.filtered += 1
        if (trace) this.#outputs.emit(undefined, event, origin)
        return
      }
      const key = this.#code.key(event)
      if (key === undefined) {
        this.#outputs.emit(event, event, origin)
        return
      }
      requireShort(key)
      this.#current = key
      const state = this.#keys.open(key, this.watermark, this.#code.init)
      const behind = this.#history?.atEvent(state, key)
      const emission = this.#code.step(state, event, this.#timers)
      const made = this.#outputs.emit(emission, event, origin, behind)
      if (made === 0) counters.filtered += 1
      else counters.made += made - 1
    } catch (error) {
      this.#outputs.fail(event, error, origin)
    }
    this.#history?.leave(event.id)
  }

  #fire(watermark: number, origin: number): void {
    for (;;) {
      const due = this.#keys.takeDue(watermark)
      if (!due) return
      const { time, key } = due.timer
      if (this.#code.dropped) this.#keys.sweep(time)
      this.#current = key
      this.#firing = time
      const id = deriveId(this.#node.id, key, time)
      const behind = this.#history?.atTimer(due.state, key, time)
      try {
        const emission = this.#code.onTimer?.(due.state, time, key, this.#timers)
        this.#options.counters.made += this.#outputs.emit(
          emission,
          { id, timer: due.timer },
          origin,
          behind,
        )
      } catch (error) {
        this.#options.counters.made += 1
        this.#outputs.fail({ id, topic: 'pipeline.timer', time, data: { key } }, error, origin)
      } finally {
        this.#history?.leave()
        this.#firing = Number.NEGATIVE_INFINITY
      }
    }
  }
}
