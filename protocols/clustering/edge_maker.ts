/** What draws the edges of one layer. */

/**
 * Keeps edges in a graph so that its components are those of the pairwise definition; which edges
 * it draws, and by way of which further nodes, is its own affair.
 */
export interface EdgeMaker<T> {
  /** Puts in what `node` stands for, or puts something else in its place. */
  set(node: number, item: T): void
  /** Takes away the edges of a node. */
  delete(node: number): void
}

/** Compares everything with everything: right for any definition, and slow. */
export class PairwiseEdges<T> implements EdgeMaker<T> {
  readonly #graph: EdgeGraph
  readonly #alike: (a: T, b: T) => boolean
  readonly #items = new Map<number, { item: T; edges: Map<number, number> }>()

  /** @param alike symmetric */
  constructor(graph: EdgeGraph, alike: (a: T, b: T) => boolean) {
    this.#graph = graph
    this.#alike = alike
  }

  set(node: number, item: T): void {
    const mine = this.#items.get(node)?.edges ?? new Map<number, number>()
    this.#items.set(node, { item, edges: mine })
    const stale: number[] = []
    for (const [other, { item: theirs, edges }] of this.#items) {
      if (other === node) continue
      const edge = mine.get(other)
      const wanted = this.#alike(item, theirs)
      if (wanted && edge === undefined) {
        const made = this.#graph.addEdge(node, other)
        mine.set(other, made)
        edges.set(node, made)
      } else if (!wanted && edge !== undefined) stale.push(other)
    }
    for (const other of stale) this.#part(node, other)
  }

  delete(node: number): void {
    for (const other of [...(this.#items.get(node)?.edges.keys() ?? [])]) this.#part(node, other)
    this.#items.delete(node)
  }

  #part(node: number, other: number): void {
    const mine = this.#items.get(node)?.edges
    this.#graph.removeEdge(mine?.get(other) as number)
    mine?.delete(other)
    this.#items.get(other)?.edges.delete(node)
  }
}

/** The part of a `DynamicGraph` that edges are drawn in. */
export interface EdgeGraph {
  addNode(): number
  removeNode(node: number): void
  addEdge(a: number, b: number): number
  removeEdge(edge: number): void
}
