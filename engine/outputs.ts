/** Collects what an operator makes of one batch, port by port, with ids and origins in place. */
import type { Batch } from './batch.ts'
import type { NodeCounters } from './counters.ts'
import { type Emission, Routed } from './define.ts'
import { EngineError, toFailure } from './errors.ts'
import type { Draft, Event } from './event.ts'
import { deriveId } from './ids.ts'
import type { Cause, Left, Remembered, Trace } from './trace.ts'

/** Port name → what leaves by it; `''` is the only output of most operators. */
export type Ported = ReadonlyMap<string, Batch>

interface PortBuffer {
  events: Event[]
  origins: number[]
}

/** The event that stands for `event` on an error port. */
export function errorEvent(node: string, event: Event | Draft, error: unknown, id: string): Event {
  const { code, message } = toFailure(error)
  const { topic, time, data } = event
  return {
    id,
    topic: 'pipeline.error',
    time,
    data: { node, code, message, event: { id, topic, time, data } },
  }
}

export class Outputs {
  readonly #node: string
  readonly #counters: NodeCounters
  readonly #ports: readonly string[]
  readonly #trace: Trace | undefined
  readonly #left: Left[] = []
  #buffers = new Map<string, PortBuffer>()
  /** that of the only output of most operators */
  #main: PortBuffer | undefined

  constructor(node: string, ports: readonly string[], counters: NodeCounters, trace?: Trace) {
    this.#node = node
    this.#trace = trace
    this.#ports = ports
    this.#counters = counters
    this.#reset()
  }

  #reset(): void {
    this.#buffers = new Map(
      [...this.#ports, 'errors'].map((port) => [port, { events: [], origins: [] }]),
    )
    this.#main = this.#buffers.get('')
  }

  /**
   * Takes an emission caused by `cause`, an event or (for a timer) a stable name.
   * An emission without an id gets one from its cause; so does one that repeats the id of its
   * cause after the first, since an id names one event.
   */
  emit(emission: Emission, cause: Cause, origin: number, behind?: Remembered): number {
    const count = this.#emitAll(emission, cause, origin)
    if (this.#trace) this.#tell(this.#trace, cause, behind)
    return count
  }

  #emitAll(emission: Emission, cause: { id: string }, origin: number): number {
    if (emission === undefined) return 0
    if (!Array.isArray(emission)) {
      this.#emitOne(emission as Draft | Routed, cause, origin, 0)
      return 1
    }
    for (let index = 0; index < emission.length; index++) {
      this.#emitOne(emission[index], cause, origin, index)
    }
    return emission.length
  }

  fail(event: Event, error: unknown, origin: number): void {
    this.#counters.errors += 1
    this.#append('errors', errorEvent(this.#node, event, error, event.id), origin)
    if (this.#trace) this.#tell(this.#trace, event)
  }

  #tell(trace: Trace, cause: Cause, behind?: Remembered): void {
    trace.handled(this.#node, cause, this.#left.splice(0), behind)
  }

  #emitOne(made: Draft | Routed, cause: { id: string }, origin: number, index: number): void {
    const routed = made instanceof Routed
    const draft = routed ? made.event : made
    const { topic, time, data } = draft
    const keeps = draft.id !== undefined && (index === 0 || draft.id !== cause.id || routed)
    const id = keeps ? (draft.id as string) : deriveId(cause.id, this.#node, index)
    this.#append(
      routed ? made.port : '',
      keeps ? (draft as Event) : { id, topic, time, data },
      origin,
    )
  }

  #append(port: string, event: Event, origin: number): void {
    const buffer = port === '' ? this.#main : this.#buffers.get(port)
    if (!buffer) {
      throw new EngineError('NO_SUCH_PORT', `${this.#node} has no output named ${port}`)
    }
    if (this.#trace) this.#left.push({ port, event })
    buffer.events.push(event)
    buffer.origins.push(origin)
  }

  /** Hands over what has been collected as batches with the token of `batch`, and starts anew. */
  take(batch: Batch): Ported {
    const ported = new Map<string, Batch>()
    for (const [port, { events, origins }] of this.#buffers) {
      ported.set(port, batch.with(events, origins))
    }
    this.#reset()
    return ported
  }
}
