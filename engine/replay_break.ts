/** Stops a replay at the first event that a condition holds for. */
import type { CaptureTarget } from './capture_target.ts'
import type { Expression } from './cel.ts'
import { holds } from './condition.ts'
import { EngineError } from './errors.ts'
import type { Event } from './event.ts'
import type { PortListener } from './port_listeners.ts'
import { findPorts, type PortRequest, type Ports } from './replay_ports.ts'

export interface BreakRequest {
  readonly condition: Expression
  /** undefined: every port of every node */
  readonly at?: PortRequest | undefined
}

/** What is being read. */
export interface Reading extends Pick<CaptureTarget, 'plan' | 'source' | 'journal'> {
  /** undefined: time alone made it */
  readonly file?: string | undefined
  /** its place in the file, see `CapturedItem.at` */
  readonly at?: number | undefined
}

/** The event a replay has stopped at. */
export interface BreakHit {
  readonly pipeline: string
  /** `node` or `node.port` by which it left */
  readonly port: string
  readonly event: Event
  /** what was read when it came up; undefined: the end of input, when timers run out */
  readonly reading: Reading | undefined
}

interface Listening extends Ports {
  readonly wired: Ports['wired'] & {
    readonly listeners: { add(key: string, listener: PortListener): unknown }
  }
}

export class Breakpoint {
  hit: BreakHit | undefined
  #place = 0
  #reading: Reading | undefined

  /** @throws {EngineError} `NO_SUCH_PORT` */
  constructor({ condition, at }: BreakRequest, graphs: readonly Listening[]) {
    const places = at
      ? [findPorts(at, graphs)]
      : graphs.map((graph) => ({ graph, keys: graph.wired.listeners.ports }))
    for (const { graph, keys } of places) {
      for (const port of keys) {
        graph.wired.listeners.add(port, ({ events }) => {
          const place = rank(port, graph.plan)
          if (this.hit && place >= this.#place) return
          const event = events.find((one) => isMatch(condition, one))
          if (!event) return
          // What one event leads to may be seen in any order: the first in the flow is shown.
          this.#place = place
          this.hit = { pipeline: graph.plan.name, port, event, reading: this.#reading }
        })
      }
    }
  }

  /** Says what enters the graphs next. */
  reading(reading: Reading | undefined): void {
    this.#reading = reading
  }
}

/** Nodes in the order of the flow. */
function rank(port: string, { nodes }: Ports['plan']): number {
  const [id] = port.split('.')
  return nodes.findIndex((node) => node.id === id)
}

/** A condition that has no answer, e.g. for want of the key it asks for, does not hold. */
function isMatch(condition: Expression, event: Event): boolean {
  try {
    return holds(condition, event)
  } catch (error) {
    if (error instanceof EngineError) return false
    throw error
  }
}
