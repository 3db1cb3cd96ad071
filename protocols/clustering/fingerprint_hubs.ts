/** Nodes that all holders of one fingerprint hang on; one who has it alone needs none. */
import type { EdgeGraph } from './edge_maker.ts'
import { IntColumn } from './int_column.ts'

export interface Hub {
  readonly node: number
}
interface Counted extends Hub {
  holders: number
}

/** What a node held before. */
export interface Held {
  readonly value: string
  readonly edge: number
}

export class FingerprintHubs {
  readonly #graph: EdgeGraph
  /** by value: its hub, or who alone has it */
  readonly #hubs = new Map<string, Counted | number>()
  // By node, in lists of their own: an object for each would be very many of them.
  readonly #valueOf: (string | undefined)[] = []
  readonly #edgeOf = new IntColumn(NOT_DRAWN)

  constructor(graph: EdgeGraph) {
    this.#graph = graph
  }

  /** @returns what it held until now and does no more, for `letGo` */
  hold(node: number, value: string | undefined): Held | undefined {
    const before = this.#valueOf[node]
    if (before === value) return undefined
    const held = before === undefined ? undefined : { value: before, edge: this.#edgeOf.get(node) }
    this.#valueOf[node] = value
    this.#edgeOf.set(node, value === undefined ? NOT_DRAWN : this.#join(node, value))
    return held
  }

  hubAt(node: number): Hub | undefined {
    const value = this.#valueOf[node]
    const hub = value === undefined ? undefined : this.#hubs.get(value)
    return typeof hub === 'number' ? undefined : hub
  }

  letGo(node: number, { value, edge }: Held): void {
    const hub = this.#hubs.get(value)
    if (hub === node) this.#hubs.delete(value)
    if (typeof hub !== 'object') return
    // The first of several got its edge when the second came.
    this.#graph.removeEdge(edge)
    hub.holders -= 1
    if (hub.holders > 0) return
    this.#graph.removeNode(hub.node)
    this.#hubs.delete(value)
  }

  #join(node: number, value: string): number {
    const known = this.#hubs.get(value)
    if (known === undefined) {
      this.#hubs.set(value, node)
      return NOT_DRAWN
    }
    let hub = known
    if (typeof hub === 'number') {
      const first = hub
      hub = { node: this.#graph.addNode(), holders: 1 }
      this.#hubs.set(value, hub)
      this.#edgeOf.set(first, this.#graph.addEdge(first, hub.node))
    }
    hub.holders += 1
    return this.#graph.addEdge(node, hub.node)
  }
}

const NOT_DRAWN = -1
