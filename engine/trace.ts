/** What a run can tell about single events; nobody asks except `explain-event`. */
import type { Event } from './event.ts'
import type { Taps } from './taps.ts'

/** What an emission comes from: an event, or a timer, which has a stable name for an id. */
export type Cause = Event | FiredTimer

export interface FiredTimer {
  readonly id: string
  /** its key, and the event time (ms) it was set for */
  readonly timer: { readonly key: string; readonly time: number }
}

/** One thing a node handed on, and the port it left by: `''` is the only output of most nodes. */
export interface Left {
  readonly port: string
  readonly event: Event
}

/** The events behind something; the middle of many is only counted. */
export interface Behind {
  /** the key whose state they went into */
  readonly key: string
  readonly count: number
  readonly ids: readonly string[]
}

/** What a keyed operator had in memory when it came to a cause. */
export interface Remembered extends Behind {
  /** The same object as long as the key's state lives. */
  readonly state: object
}

/** Told, in order, what each operator does. Every call must be cheap: they come for all events. */
export interface Trace {
  /**
   * `node` is done with `cause` and handed on `left`, by its error port what it could not handle.
   * @param behind of a keyed operator: for an event, those that went into the state of its key
   *   before; for a timer, those that asked for it
   */
  handled(node: string, cause: Cause, left: readonly Left[], behind?: Remembered): void
  /** What `node` says about the event it is at. */
  reason(node: string, text: string): void
  /** `node` asked for a timer (ms) while at an event. */
  timer(node: string, key: string, time: number): void
  /** `node` wants a timer (ms) no more: another set at the same event takes its place. */
  cancelled(node: string, key: string, time: number): void
}

/** What looks on while one pipeline is replayed. */
export interface ReplayTrace extends Trace {
  /** Called with every batch that leaves a port, by `node` or `node.port`. */
  readonly taps: Taps
  /** The sink `node` has taken these; what it refuses leaves by its error port. */
  written(node: string, events: readonly Event[]): void
}
