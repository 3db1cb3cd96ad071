/**
 * Connected components of a graph whose edges come and go. An edge that joins two components
 * relabels the smaller; one that goes searches from both its ends in lockstep, so that a split costs
 * what its smaller side has. Joining n nodes costs O(n log n) relabels in all.
 */
import { IntColumn } from './int_column.ts'

const NONE = -1

/** Told of every node whose component is another one now: it was `from`, it is `to`. */
export type Moved = (node: number, from: number, to: number) => void

/** Nodes, edges and components are small integers; those that have gone are used again. */
export class DynamicGraph {
  /** of a node: its first half-edge. Edge e has the halves 2e (from its first end) and 2e + 1. */
  readonly #first = new IntColumn(NONE)
  readonly #target = new IntColumn(NONE)
  readonly #next = new IntColumn(NONE)
  readonly #before = new IntColumn(NONE)
  readonly #component = new IntColumn(NONE)
  // The members of a component are a ring, so that two become one by an exchange of two links.
  readonly #ringNext = new IntColumn(NONE)
  readonly #ringBefore = new IntColumn(NONE)
  readonly #size = new IntColumn(0)
  readonly #seen = new IntColumn(0)
  readonly #freeNodes: number[] = []
  readonly #freeEdges: number[] = []
  readonly #freeComponents: number[] = []
  readonly #moved: Moved | undefined
  #nodes = 0
  #edges = 0
  #components = 0
  #stamp = 0

  constructor(moved?: Moved) {
    this.#moved = moved
  }

  /** @returns a node that is a component of its own */
  addNode(): number {
    const node = this.#freeNodes.pop() ?? this.#nodes++
    this.#first.set(node, NONE)
    this.#alone(node)
    return node
  }

  /** Takes away a node that has no edges left. */
  removeNode(node: number): void {
    if (this.#first.get(node) !== NONE) throw new Error('the node still has edges')
    const component = this.#component.get(node)
    this.#size.set(component, 0)
    this.#component.set(node, NONE)
    this.#freeComponents.push(component)
    this.#freeNodes.push(node)
  }

  /** @returns a name for the edge; there may be several between two nodes, but none to itself */
  addEdge(a: number, b: number): number {
    if (a === b) throw new Error('an edge joins two nodes')
    const edge = this.#freeEdges.pop() ?? this.#edges++
    this.#link(2 * edge, a, b)
    this.#link(2 * edge + 1, b, a)
    const one = this.#component.get(a)
    const other = this.#component.get(b)
    if (one !== other) {
      if (this.#size.get(one) < this.#size.get(other)) this.#join(a, other, b)
      else this.#join(b, one, a)
    }
    return edge
  }

  removeEdge(edge: number): void {
    const b = this.#target.get(2 * edge)
    const a = this.#target.get(2 * edge + 1)
    this.#unlink(2 * edge, a)
    this.#unlink(2 * edge + 1, b)
    this.#freeEdges.push(edge)
    const side = this.#sideApart(a, b)
    if (side) this.#split(side)
  }

  /** The component a node is in: equal for two nodes iff edges lead from one to the other. */
  componentOf(node: number): number {
    return this.#component.get(node)
  }

  /** Nodes in the component of a node. */
  sizeAt(node: number): number {
    return this.#size.get(this.#component.get(node))
  }

  /** Every node in the component of `node`, which comes first. The graph must not change meanwhile. */
  *membersAt(node: number): Iterable<number> {
    let at = node
    do {
      yield at
      at = this.#ringNext.get(at)
    } while (at !== node)
  }

  /** The nodes that edges lead to, once for each edge. The graph must not change meanwhile. */
  *neighbours(node: number): Iterable<number> {
    for (let half = this.#first.get(node); half !== NONE; half = this.#next.get(half)) {
      yield this.#target.get(half)
    }
  }

  #alone(node: number): number {
    const component = this.#freeComponents.pop() ?? this.#components++
    this.#component.set(node, component)
    this.#size.set(component, 1)
    this.#ringNext.set(node, node)
    this.#ringBefore.set(node, node)
    return component
  }

  #link(half: number, from: number, target: number): void {
    const first = this.#first.get(from)
    this.#target.set(half, target)
    this.#next.set(half, first)
    this.#before.set(half, NONE)
    if (first !== NONE) this.#before.set(first, half)
    this.#first.set(from, half)
  }

  #unlink(half: number, from: number): void {
    const next = this.#next.get(half)
    const before = this.#before.get(half)
    if (before === NONE) this.#first.set(from, next)
    else this.#next.set(before, next)
    if (next !== NONE) this.#before.set(next, before)
  }

  /** Puts the component of `node` into `to`, of which `host` is a member. */
  #join(node: number, to: number, host: number): void {
    const from = this.#component.get(node)
    let at = node
    do {
      this.#component.set(at, to)
      this.#moved?.(at, from, to)
      at = this.#ringNext.get(at)
    } while (at !== node)
    const afterNode = this.#ringNext.get(node)
    const afterHost = this.#ringNext.get(host)
    this.#ringLink(node, afterHost)
    this.#ringLink(host, afterNode)
    this.#size.set(to, this.#size.get(to) + this.#size.get(from))
    this.#size.set(from, 0)
    this.#freeComponents.push(from)
  }

  #split(nodes: readonly number[]): void {
    const [first] = nodes as [number]
    const from = this.#component.get(first)
    for (const node of nodes) {
      this.#ringLink(this.#ringBefore.get(node), this.#ringNext.get(node))
    }
    const to = this.#alone(first)
    let last = first
    for (const node of nodes) {
      if (node !== first) {
        this.#ringLink(last, node)
        this.#component.set(node, to)
        last = node
      }
      this.#moved?.(node, from, to)
    }
    this.#ringLink(last, first)
    this.#size.set(to, nodes.length)
    this.#size.set(from, this.#size.get(from) - nodes.length)
  }

  #ringLink(node: number, next: number): void {
    this.#ringNext.set(node, next)
    this.#ringBefore.set(next, node)
  }

  /** @returns the smaller side, where no edges lead from `a` to `b` any more */
  #sideApart(a: number, b: number): readonly number[] | undefined {
    if (this.#stamp > 2 ** 31 - 4) {
      this.#stamp = 0
      this.#seen.clear()
    }
    const one = this.#searchFrom(a, ++this.#stamp)
    const other = this.#searchFrom(b, ++this.#stamp)
    for (;;) {
      const left = this.#step(one, other.stamp)
      if (left !== undefined) return left ? undefined : one.nodes
      const right = this.#step(other, one.stamp)
      if (right !== undefined) return right ? undefined : other.nodes
    }
  }

  #searchFrom(node: number, stamp: number): Search {
    this.#seen.set(node, stamp)
    return { nodes: [node], at: 0, half: this.#first.get(node), stamp }
  }

  /** Follows one edge. @returns whether it met the other search; undefined: it has to go on */
  #step(search: Search, other: number): boolean | undefined {
    while (search.half === NONE) {
      search.at += 1
      const node = search.nodes[search.at]
      if (node === undefined) return false
      search.half = this.#first.get(node)
    }
    const target = this.#target.get(search.half)
    search.half = this.#next.get(search.half)
    const seen = this.#seen.get(target)
    if (seen === other) return true
    if (seen === search.stamp) return undefined
    this.#seen.set(target, search.stamp)
    search.nodes.push(target)
    return undefined
  }
}

/** One of two searches, breadth first. */
interface Search {
  readonly nodes: number[]
  at: number
  half: number
  readonly stamp: number
}
