/**
 * One layer of clustering: members (addresses, identities) whose likeness draws edges, and parents
 * (identities, campaigns) that they are written to. A member keeps the parent it was first given. What
 * belongs together by now is said by soft merges between parents, which can be taken back.
 */
import { DynamicGraph } from './dynamic_graph.ts'
import type { EdgeGraph, EdgeMaker } from './edge_maker.ts'
import { IntColumn } from './int_column.ts'
import { Parents } from './parents.ts'

/** What one settling has changed, each list in canonical order. */
export interface Settled {
  /** new parents with their members */
  readonly formed: readonly { parent: string; members: readonly string[] }[]
  /** members that an existing parent took in */
  readonly linked: readonly { parent: string; member: string }[]
  /** parents whose merge the evidence no longer bears */
  readonly unmerged: readonly { parent: string; former: string }[]
  readonly merged: readonly { winner: string; loser: string }[]
  /** merged parents whose winner has itself been merged; nobody need be told */
  readonly repointed: readonly { parent: string; winner: string }[]
}

/** What is kept of a parent; a type, so that it is JSON data to the engine. */
export type ParentRow = { uuid: string; merged_into: string | null }

/** Who is told where members are. */
export interface Watch {
  /** A member's component is another; it is gone where `to` is undefined. */
  moved(member: string, from: number, to: number | undefined): void
  /** A member was given a parent, or is gone from it. */
  given(member: string, parent: number, is: boolean): void
}

/**
 * The settling rule: a merge of L into W stands iff L and W are connected in the graph of members,
 * their likeness and the parents they were given; one of a parent without members cannot be
 * disproved. All parents that are connected merge into the smallest. So a settling without changes
 * before it changes nothing.
 * @see spec/clustering.md sections 4.3 to 4.5
 */
export class ClusterLayer<T> {
  readonly #parents = new Parents()
  readonly #graph = new DynamicGraph((node, from, to) => this.#moved(node, from, to))
  readonly #edges: EdgeMaker<T>
  readonly #mint: (member: string) => string
  readonly #watch: Watch | undefined
  readonly #memberNodes = new Map<string, number>()
  readonly #parentNodes = new Map<string, number>()
  // By node and packed, for an object each would be most of what collecting garbage has to look at.
  /** of members */
  readonly #names: (string | undefined)[] = []
  /** of a member: the parent it was given */
  readonly #given = new IntColumn(NONE)
  /** of a member: the edge to its parent; of a parent: the edge that stands for its merge */
  readonly #edge = new IntColumn(NONE)
  /** of a parent: how many members have it */
  readonly #count = new IntColumn(0)
  /** of a parent: what it is merged into */
  readonly #into = new IntColumn(NONE)
  /** of a parent */
  readonly #losers = new Map<number, Set<number>>()
  /** members that may have no parent yet, each once */
  #fresh: number[] = []
  readonly #isFresh = new IntColumn(0)
  /** of a member, while settling: another one of those it forms a parent with */
  readonly #nextFresh = new IntColumn(NONE)
  /** of a component, while settling: which of those that are forming */
  readonly #forming = new IntColumn(NONE)

  /**
   * @param edges draws the edges of the layer in the graph it is given
   * @param mint names a new parent after the smallest of its first members; no two alike
   */
  constructor(
    edges: (graph: EdgeGraph) => EdgeMaker<T>,
    mint: (member: string) => string,
    watch?: Watch,
  ) {
    this.#edges = edges(this.#graph)
    this.#mint = mint
    this.#watch = watch
  }

  /** Puts in a member, or what is known of it now. */
  set(member: string, item: T): void {
    this.#edges.set(this.#memberOf(member), item)
  }

  delete(member: string): void {
    const node = this.#memberNodes.get(member)
    if (node === undefined) return
    this.#unlink(node)
    this.#edges.delete(node)
    this.#watch?.moved(member, this.#graph.componentOf(node), undefined)
    this.#graph.removeNode(node)
    this.#names[node] = undefined
    this.#memberNodes.delete(member)
  }

  /** Gives a member that is in another parent than the one that was thought. */
  give(member: string, parent: string): void {
    const node = this.#memberOf(member)
    const given = this.#given.get(node)
    const wanted = this.#parentOf(parent)
    if (given === wanted) return
    this.#unlink(node)
    this.#link(node, wanted)
  }

  /** Puts back what was kept: the parents, then which members each was given. */
  restore(
    parents: Iterable<ParentRow>,
    links: Iterable<readonly [member: string, parent: string]>,
  ) {
    const rows = [...parents]
    for (const { uuid } of rows) this.#parentOf(uuid)
    for (const [member, parent] of links) {
      const known = this.#memberNodes.get(member)
      if (known !== undefined && this.#given.get(known) !== NONE) continue
      this.#link(this.#memberOf(member), this.#parentOf(parent))
    }
    for (const { uuid, merged_into } of rows) {
      if (merged_into !== null) this.#point(this.#parentOf(uuid), this.#parentOf(merged_into))
    }
  }

  /** The parent that stands for the one a member was given. */
  canonicalOf(member: string): string | undefined {
    const node = this.#memberNodes.get(member)
    if (node === undefined) return undefined
    const parent = this.#given.get(node)
    if (parent === NONE) return undefined
    const into = this.#into.get(parent)
    return this.#parents.uuidOf(into === NONE ? parent : into)
  }

  /** The parent that all in the cluster of a parent merge into, itself or another. */
  rootOf(parent: string): string | undefined {
    const node = this.#parentNodes.get(parent)
    return node === undefined ? undefined : this.#parents.uuidOf(this.#rootAt(node))
  }

  /** What `Watch` knows a parent by. */
  nodeOfParent(parent: string): number | undefined {
    return this.#parentNodes.get(parent)
  }

  /** The parent that a member was given, as `nodeOfParent` says it. */
  nodeOfGiven(member: string): number | undefined {
    const node = this.#memberNodes.get(member)
    const parent = node === undefined ? NONE : this.#given.get(node)
    return parent === NONE ? undefined : parent
  }

  /** @param parent as `nodeOfParent` says it */
  componentAt(parent: number): { component: number; size: number; parents: number } {
    const component = this.#graph.componentOf(parent)
    let parents = 0
    for (const _ of this.#parents.of(component)) if (++parents > 1) break
    return { component, size: this.#graph.sizeAt(parent), parents }
  }

  /** How many members were given a parent. */
  countAt(parent: number): number {
    return this.#count.get(parent)
  }

  /** Every member that was given a parent, in no order. */
  *membersOf(parent: number): Iterable<string> {
    for (const node of this.#graph.neighbours(parent)) {
      const name = this.#names[node]
      if (name !== undefined) yield name
    }
  }

  /** Every member in the cluster that a parent is in, in no order. */
  *membersUnder(parent: number): Iterable<string> {
    for (const node of this.#graph.membersAt(parent)) {
      const name = this.#names[node]
      if (name !== undefined) yield name
    }
  }

  /** Whether nothing hangs on a parent: no member has it, and nothing is merged into it. */
  isIdle(parent: string): boolean {
    const node = this.#parentNodes.get(parent)
    return node === undefined || (this.#count.get(node) === 0 && !this.#losers.get(node)?.size)
  }

  /**
   * Drops an idle parent.
   * @returns what it was merged into
   */
  forget(parent: string): string | undefined {
    const node = this.#parentNodes.get(parent)
    if (node === undefined || !this.isIdle(parent)) return undefined
    const into = this.#into.get(node)
    const winner = into === NONE ? undefined : this.#parents.uuidOf(into)
    const held = this.#edge.get(node)
    this.#point(node, NONE)
    if (held !== NONE) this.#graph.removeEdge(held)
    this.#parents.remove(node, this.#graph.componentOf(node))
    this.#graph.removeNode(node)
    this.#losers.delete(node)
    this.#parentNodes.delete(parent)
    return winner
  }

  /** Equal for two members iff they are connected. */
  labelOf(member: string): number | undefined {
    const node = this.#memberNodes.get(member)
    return node === undefined ? undefined : this.#graph.componentOf(node)
  }

  settle(): Settled {
    const linked: { parent: string; member: string }[] = []
    /** of each that forms: one of its nodes */
    const heads: number[] = []
    // In the order of nodes, which is that of memory; names are put in order at the end.
    for (const node of this.#takeFresh()) {
      const component = this.#graph.componentOf(node)
      const root = this.#parents.rootOf(component)
      const group = this.#forming.get(component)
      if (root !== undefined) {
        this.#link(node, root)
        linked.push({ parent: this.#parents.uuidOf(root), member: this.#names[node] as string })
      } else if (group !== NONE) {
        this.#nextFresh.set(node, heads[group] as number)
        heads[group] = node
      } else {
        this.#forming.set(component, heads.length)
        this.#nextFresh.set(node, NONE)
        heads.push(node)
      }
    }
    for (const head of heads) this.#forming.set(this.#graph.componentOf(head), NONE)
    const formed = heads.map((head) => this.#form(head))
    const byFirst = (a: { members: string[] }, b: { members: string[] }) =>
      (a.members[0] as string) < (b.members[0] as string) ? -1 : 1
    return {
      formed: formed.sort(byFirst),
      linked: linked.sort((a, b) => (a.member < b.member ? -1 : 1)),
      ...this.#mergeAnew(),
    }
  }

  #form(head: number): { parent: string; members: string[] } {
    const members: string[] = []
    for (let node = head; node !== NONE; node = this.#nextFresh.get(node)) {
      members.push(this.#names[node] as string)
    }
    if (members.length > 1) members.sort()
    const parent = this.#mint(members[0] as string)
    const made = this.#parentOf(parent)
    for (let node = head; node !== NONE; node = this.#nextFresh.get(node)) this.#link(node, made)
    return { parent, members }
  }

  /** @returns the members without a parent */
  #takeFresh(): number[] {
    const fresh = this.#fresh.filter(
      // The number of one that has gone may be that of another by now.
      (node) =>
        this.#isFresh.get(node) === 1 &&
        this.#names[node] !== undefined &&
        this.#given.get(node) === NONE,
    )
    for (const node of this.#fresh) this.#isFresh.set(node, 0)
    this.#fresh = []
    return fresh
  }

  #mergeAnew(): Pick<Settled, 'unmerged' | 'merged' | 'repointed'> {
    const before = new Map<number, number>()
    // A merge that goes may let go of what only it held, so it is looked at again.
    while (this.#parents.hasNews) {
      const stale: number[] = []
      for (const parent of this.#parents.takeNews()) {
        const root = this.#rootAt(parent)
        const into = root === parent ? NONE : root
        const former = this.#into.get(parent)
        if (into === former) continue
        if (!before.has(parent)) before.set(parent, former)
        const held = this.#edge.get(parent)
        if (held !== NONE) stale.push(held)
        this.#point(parent, into)
      }
      // Only now, for a merge may have held the winner of which another has become part.
      for (const edge of stale) this.#graph.removeEdge(edge)
    }
    const unmerged: { parent: string; former: string }[] = []
    const merged: { winner: string; loser: string }[] = []
    const repointed: { parent: string; winner: string }[] = []
    const nameOf = (node: number) => this.#parents.uuidOf(node)
    const changed = [...before].sort(([a], [b]) => (nameOf(a) < nameOf(b) ? -1 : 1))
    for (const [node, former] of changed) {
      const into = this.#into.get(node)
      if (into === former) continue
      const parent = nameOf(node)
      const stands = former !== NONE && this.#rootAt(former) === this.#rootAt(node)
      if (former !== NONE && !stands) unmerged.push({ parent, former: nameOf(former) })
      if (into === NONE) continue
      if (stands) repointed.push({ parent, winner: nameOf(into) })
      else merged.push({ winner: nameOf(into), loser: parent })
    }
    return { unmerged, merged, repointed }
  }

  #moved(node: number, from: number, to: number): void {
    this.#parents.move(node, from, to)
    const name = this.#watch && this.#names[node]
    if (name !== undefined) this.#watch?.moved(name, from, to)
  }

  #memberOf(id: string): number {
    const known = this.#memberNodes.get(id)
    if (known !== undefined) return known
    const node = this.#graph.addNode()
    this.#names[node] = id
    this.#memberNodes.set(id, node)
    if (this.#isFresh.get(node) === 0) this.#fresh.push(node)
    this.#isFresh.set(node, 1)
    return node
  }

  #parentOf(uuid: string): number {
    const known = this.#parentNodes.get(uuid)
    if (known !== undefined) return known
    const node = this.#graph.addNode()
    this.#names[node] = undefined
    this.#parentNodes.set(uuid, node)
    this.#parents.add(node, uuid, this.#graph.componentOf(node))
    return node
  }

  #link(member: number, parent: number): void {
    this.#given.set(member, parent)
    this.#edge.set(member, this.#graph.addEdge(member, parent))
    const count = this.#count.get(parent) + 1
    this.#count.set(parent, count)
    if (count === 1) this.#holdMerges(parent)
    this.#watch?.given(this.#names[member] as string, parent, true)
  }

  #unlink(member: number): void {
    const parent = this.#given.get(member)
    if (parent === NONE) return
    const count = this.#count.get(parent) - 1
    this.#count.set(parent, count)
    // Before the member goes: without it the merges of its parent cannot be disproved any more.
    if (count === 0) this.#holdMerges(parent)
    this.#graph.removeEdge(this.#edge.get(member))
    this.#given.set(member, NONE)
    this.#edge.set(member, NONE)
    this.#watch?.given(this.#names[member] as string, parent, false)
  }

  /** The edge that stood for the merge before is left to the caller. */
  #point(parent: number, into: number): void {
    const former = this.#into.get(parent)
    if (former !== NONE) this.#losers.get(former)?.delete(parent)
    this.#into.set(parent, into)
    this.#edge.set(parent, NONE)
    if (into === NONE) return
    const losers = this.#losers.get(into) ?? new Set()
    this.#losers.set(into, losers.add(parent))
    this.#hold(parent)
  }

  /** The merges of a parent that has lost its last member or got its first. */
  #holdMerges(parent: number): void {
    this.#hold(parent)
    for (const loser of this.#losers.get(parent) ?? []) this.#hold(loser)
  }

  /** An edge stands for a merge exactly while it cannot be disproved. */
  #hold(parent: number): void {
    const into = this.#into.get(parent)
    const held = this.#edge.get(parent)
    const wanted = into !== NONE && (this.#count.get(parent) === 0 || this.#count.get(into) === 0)
    if (wanted && held === NONE) this.#edge.set(parent, this.#graph.addEdge(parent, into))
    else if (!wanted && held !== NONE) {
      this.#graph.removeEdge(held)
      this.#edge.set(parent, NONE)
    }
  }

  #rootAt(parent: number): number {
    return this.#parents.rootOf(this.#graph.componentOf(parent)) as number
  }
}

const NONE = -1
