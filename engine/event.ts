/** What flows through a pipeline. */

/** Payload of an event: a JSON object. */
export type Data = Record<string, unknown>

/**
 * One thing that happened.
 * `id`: 32 lower-case hex characters, the same at every replay of the same input.
 * `topic`: NATS-style, never made of outside text. `time`: event time, ms since the epoch, may
 * carry a fraction. `data`: JSON.
 */
export interface Event<D = Data> {
  readonly id: string
  readonly topic: string
  readonly time: number
  readonly data: D
}

/** An event before the engine has given it an id; one that has an id keeps it. */
export interface Draft<D = Data> {
  readonly id?: string
  readonly topic: string
  readonly time: number
  readonly data: D
}

/** Why an event could not be handled: what its error port and the dead letter queue show. */
export interface Failure {
  /** Stable, upper-case: `INPUT_SCHEMA`, `SYSLOG_HEADER` … */
  readonly code: string
  readonly message: string
}

/** How a batch ends. Only the first two let the position move. */
export type Outcome = 'delivered' | 'dead_lettered' | 'failed'
