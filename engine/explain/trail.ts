/** The way single events take through pipelines, as it is collected while they are replayed. */
import type { FieldChange } from '../diff/field_changes.ts'
import type { Behind } from '../trace.ts'

/** An event that a step handed on. */
export interface HandedOn {
  readonly id: string
  readonly topic: string
  /** ms */
  readonly time: number
  /** `''` is the only output of most nodes, `errors` the error port */
  readonly port: string
  /** What is not the same as in the event it was made from. */
  readonly changes: readonly FieldChange[]
}

/**
 * What became of an event at one node. `read`: it came from a source. `passed`: handed on under its
 * id. `made`: other events came of it, or of the timer. `filtered`: nothing did. `failed`: it left
 * by the error port. `written`: by a sink. `taken`: the node's own RxJS code took it in and does
 * not say more.
 */
export type StepKind = 'read' | 'passed' | 'made' | 'filtered' | 'failed' | 'written' | 'taken'

export interface TimerSet {
  readonly key: string
  /** ms */
  readonly time: number
}

export interface Step {
  readonly pipeline: string
  readonly node: string
  readonly type: string
  /** id of the event, or of the timer that fired */
  readonly event: string
  readonly kind: StepKind
  /** What the node says about it, or the engine for it. */
  readonly reasons: readonly string[]
  readonly handedOn: readonly HandedOn[]
  /** Timers the node asked for while at the event. */
  readonly timers: readonly TimerSet[]
  /** Set where events of the same key before this one had a part in it, or asked for the timer. */
  readonly behind?: Behind
  /** What later events of the same key made of the state that this one went into. */
  readonly later?: Later
  /** Set where no event but a timer was at work. */
  readonly firedTimer?: TimerSet
  /** Set where it `failed`. */
  readonly failure?: { readonly code: string; readonly message: string; readonly dead: boolean }
}

/** The first few of `count` events. */
export interface Later {
  count: number
  readonly events: { readonly id: string; readonly topic: string }[]
}

/** What an event or timer comes from. */
export interface Origin {
  readonly pipeline: string
  readonly node: string
  readonly id: string
}

/** Steps and ids kept, at most: one event can cause any number of others. */
const MAX_STEPS = 10_000
const MAX_IDS = 10_000

/** What is followed, over all pipelines of one replay. */
export class Trail {
  readonly #followed: Set<string>
  readonly steps: Step[] = []
  /** Id → what it came from. */
  readonly origins = new Map<string, Origin>()
  /** Whether more came of it than is kept. */
  cut = false

  /** @param ids the events (and timers) to follow from the start */
  constructor(ids: Iterable<string>) {
    this.#followed = new Set(ids)
  }

  follows(id: string): boolean {
    return this.#followed.has(id)
  }

  /** Follows what has come of `origin` too. */
  follow(id: string, origin: Origin): void {
    if (this.#followed.size >= MAX_IDS) this.cut = true
    else this.#followed.add(id)
    this.cameFrom(id, origin)
  }

  /** Notes where a followed event came from; what is known first counts. */
  cameFrom(id: string, origin: Origin): void {
    if (this.#followed.has(id) && !this.origins.has(id)) this.origins.set(id, origin)
  }

  add(step: Step): void {
    if (this.steps.length >= MAX_STEPS) this.cut = true
    else this.steps.push(step)
  }
}
