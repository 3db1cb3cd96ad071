/**
 * One layer of clustering: members (addresses, identities) whose likeness draws edges, and parents
 * (identities, campaigns) that they are written to. A member keeps the parent it was first given. What
 * belongs together by now is said by soft merges between parents, which can be taken back.
 */
import { DynamicGraph } from './dynamic_graph.ts'
import type { EdgeGraph, EdgeMaker } from './edge_maker.ts'
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

/**
 * The settling rule: a merge of L into W stands iff L and W are connected in the graph of members,
 * their likeness and the parents they were given; one of a parent without members cannot be
 * disproved. All parents that are connected merge into the smallest. So a settling without changes
 * before it changes nothing.
 * @see spec/clustering.md sections 4.3 to 4.5
 */
export class ClusterLayer<T> {
  readonly #parents = new Parents()
  readonly #graph = new DynamicGraph((node, from, to) => this.#parents.move(node, from, to))
  readonly #edges: EdgeMaker<T>
  readonly #mint: (member: string) => string
  readonly #nodes = new Map<string, Member>()
  readonly #parentNodes = new Map<string, Parent>()
  readonly #byNode: (Parent | undefined)[] = []
  readonly #fresh = new Map<string, Member>()

  /**
   * @param edges draws the edges of the layer in the graph it is given
   * @param mint names a new parent after the smallest of its first members; no two alike
   */
  constructor(edges: (graph: EdgeGraph) => EdgeMaker<T>, mint: (member: string) => string) {
    this.#edges = edges(this.#graph)
    this.#mint = mint
  }

  /** Puts in a member, or what is known of it now. */
  set(member: string, item: T): void {
    this.#edges.set(this.#memberOf(member).node, item)
  }

  delete(member: string): void {
    const known = this.#nodes.get(member)
    if (!known) return
    const { node, parent } = known
    if (parent) {
      parent.members -= 1
      // Before the member goes: without it the merges of its parent cannot be disproved any more.
      if (parent.members === 0) this.#holdMerges(parent)
      this.#graph.removeEdge(known.edge)
    }
    this.#edges.delete(node)
    this.#graph.removeNode(node)
    this.#names[node] = undefined
    this.#nodes.delete(member)
    this.#fresh.delete(member)
  }

  /** Puts back what was kept: the parents, then which members each was given. */
  restore(
    parents: Iterable<ParentRow>,
    links: Iterable<readonly [member: string, parent: string]>,
  ) {
    const rows = [...parents]
    for (const { uuid } of rows) this.#parentOf(uuid)
    for (const [member, parent] of links) {
      if (this.#nodes.get(member)?.parent) continue
      this.#link(this.#memberOf(member), this.#parentOf(parent))
      this.#fresh.delete(member)
    }
    for (const { uuid, merged_into } of rows) {
      if (merged_into !== null) this.#point(this.#parentOf(uuid), this.#parentOf(merged_into))
    }
  }

  /** The parent that stands for the one a member was given. */
  canonicalOf(member: string): string | undefined {
    const parent = this.#nodes.get(member)?.parent
    return parent && (parent.into ?? parent).uuid
  }

  /** The parent that all in the cluster of a parent merge into, itself or another. */
  rootOf(parent: string): string | undefined {
    const known = this.#parentNodes.get(parent)
    return known && this.#byNode[this.#rootAt(known)]?.uuid
  }

  /** Every member in the cluster that a parent is in, in no order. */
  *membersUnder(parent: string): Iterable<string> {
    const known = this.#parentNodes.get(parent)
    if (!known) return
    for (const node of this.#graph.membersAt(known.node)) {
      const name = this.#names[node]
      if (name !== undefined) yield name
    }
  }

  /** Drops a parent that no member has any more, nor a merge. */
  forget(parent: string): void {
    const known = this.#parentNodes.get(parent)
    if (!known || known.members > 0 || known.losers?.size) return
    const { held } = known
    this.#point(known, undefined)
    if (held !== NOT_DRAWN) this.#graph.removeEdge(held)
    this.#parents.remove(known.node, this.#graph.componentOf(known.node))
    this.#graph.removeNode(known.node)
    this.#byNode[known.node] = undefined
    this.#parentNodes.delete(parent)
  }

  /** Equal for two members iff they are connected. */
  labelOf(member: string): number | undefined {
    const known = this.#nodes.get(member)
    return known && this.#graph.componentOf(known.node)
  }

  settle(): Settled {
    const formed: { parent: string; members: string[] }[] = []
    const linked: { parent: string; member: string }[] = []
    const forming = new Map<number, { parent: string; members: string[] }>()
    for (const [id, member] of inOrder(this.#fresh)) {
      const component = this.#graph.componentOf(member.node)
      const root = this.#parents.rootOf(component)
      const group = forming.get(component)
      if (root !== undefined) {
        const parent = this.#byNode[root] as Parent
        this.#link(member, parent)
        linked.push({ parent: parent.uuid, member: id })
      } else if (group) group.members.push(id)
      else forming.set(component, { parent: this.#mint(id), members: [id] })
    }
    this.#fresh.clear()
    for (const group of forming.values()) {
      const parent = this.#parentOf(group.parent)
      for (const id of group.members) this.#link(this.#nodes.get(id) as Member, parent)
      formed.push(group)
    }
    return { formed, linked, ...this.#mergeAnew() }
  }

  #mergeAnew(): Pick<Settled, 'unmerged' | 'merged' | 'repointed'> {
    const before = new Map<Parent, Parent | undefined>()
    // A merge that goes may let go of what only it held, so it is looked at again.
    while (this.#parents.hasNews) {
      const stale: number[] = []
      for (const node of this.#parents.takeNews()) {
        const parent = this.#byNode[node] as Parent
        const root = this.#byNode[this.#rootAt(parent)] as Parent
        const into = root === parent ? undefined : root
        if (into === parent.into) continue
        if (!before.has(parent)) before.set(parent, parent.into)
        if (parent.held !== NOT_DRAWN) stale.push(parent.held)
        this.#point(parent, into)
      }
      // Only now, for a merge may have held the winner of which another has become part.
      for (const edge of stale) this.#graph.removeEdge(edge)
    }
    const unmerged: { parent: string; former: string }[] = []
    const merged: { winner: string; loser: string }[] = []
    const repointed: { parent: string; winner: string }[] = []
    const changed = [...before].sort(([a], [b]) => (a.uuid < b.uuid ? -1 : 1))
    for (const [parent, former] of changed) {
      const { uuid, into } = parent
      if (into === former) continue
      const stands = former !== undefined && this.#rootAt(former) === this.#rootAt(parent)
      if (former && !stands) unmerged.push({ parent: uuid, former: former.uuid })
      if (into && stands) repointed.push({ parent: uuid, winner: into.uuid })
      else if (into) merged.push({ winner: into.uuid, loser: uuid })
    }
    return { unmerged, merged, repointed }
  }

  readonly #names: (string | undefined)[] = []

  #memberOf(id: string): Member {
    const known = this.#nodes.get(id)
    if (known) return known
    const made = { node: this.#graph.addNode(), parent: undefined, edge: NOT_DRAWN }
    this.#names[made.node] = id
    this.#nodes.set(id, made)
    this.#fresh.set(id, made)
    return made
  }

  #parentOf(uuid: string): Parent {
    const known = this.#parentNodes.get(uuid)
    if (known) return known
    const node = this.#graph.addNode()
    const made: Parent = {
      uuid,
      node,
      members: 0,
      into: undefined,
      held: NOT_DRAWN,
      losers: undefined,
    }
    this.#names[node] = undefined
    this.#parentNodes.set(uuid, made)
    this.#byNode[node] = made
    this.#parents.add(node, uuid, this.#graph.componentOf(node))
    return made
  }

  #link(member: Member, parent: Parent): void {
    member.parent = parent
    member.edge = this.#graph.addEdge(member.node, parent.node)
    parent.members += 1
    if (parent.members === 1) this.#holdMerges(parent)
  }

  /** The edge that stood for the merge before is left to the caller. */
  #point(parent: Parent, into: Parent | undefined): void {
    parent.into?.losers?.delete(parent)
    parent.into = into
    parent.held = NOT_DRAWN
    if (!into) return
    into.losers ??= new Set()
    into.losers.add(parent)
    this.#hold(parent)
  }

  /** The merges of a parent that has lost its last member or got its first. */
  #holdMerges(parent: Parent): void {
    this.#hold(parent)
    for (const loser of parent.losers ?? []) this.#hold(loser)
  }

  /** An edge stands for a merge exactly while it cannot be disproved. */
  #hold(parent: Parent): void {
    const { into, held } = parent
    const wanted = into !== undefined && (parent.members === 0 || into.members === 0)
    if (wanted && held === NOT_DRAWN) parent.held = this.#graph.addEdge(parent.node, into.node)
    else if (!wanted && held !== NOT_DRAWN) {
      this.#graph.removeEdge(held)
      parent.held = NOT_DRAWN
    }
  }

  #rootAt({ node }: Parent): number {
    return this.#parents.rootOf(this.#graph.componentOf(node)) as number
  }
}

const NOT_DRAWN = -1

interface Member {
  readonly node: number
  parent: Parent | undefined
  edge: number
}
interface Parent {
  readonly uuid: string
  readonly node: number
  members: number
  into: Parent | undefined
  /** the edge that stands for its merge */
  held: number
  losers: Set<Parent> | undefined
}

const inOrder = <V>(map: ReadonlyMap<string, V>): [string, V][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1))
