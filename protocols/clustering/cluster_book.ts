/**
 * A layer of clustering kept in the keyed state of an operator: a key for each member and for each
 * parent. The layer itself is an index that is made anew from them.
 */
import { hash } from 'node:crypto'
import { ClusterLayer, type Settled } from './cluster_layer.ts'
import type { EdgeGraph, EdgeMaker } from './edge_maker.ts'
import { GroupSums, type Sum } from './group_sums.ts'
import { addMember, membersTaken } from './members_taken.ts'

/** A type, as are those below, so that it is JSON data to the engine. */
export type ParentState = {
  as: 'parent'
  merged_into: string | null
  /** ms; null: not formed yet */
  created: number | null
  /** SHA-256 of the row as it was last told, JSON; empty: never */
  told: string
  /** ms, when that was */
  told_at?: number
}
/** What every member's state has. */
export type MemberState = {
  as: 'member'
  /** the one it was first given */
  parent: string | null
  /** whether there is something to settle */
  dirty: boolean
  /** its row does not say whose it is, and is to be told again */
  lost?: boolean
  /** the parent it was thought to have, whose row is to be told again */
  left?: string
}

/** A row that is to be written. */
export interface RowNews<R> {
  readonly row: R
  /** those to be linked to it */
  readonly members: readonly string[]
  /** ms, when it came to look like this */
  readonly updated: number
}

export interface Layout<M extends MemberState, T, S extends Sum<M>> {
  /** `identity` or `campaign`; in front of the keys of parents */
  readonly kind: string
  edges(graph: EdgeGraph): EdgeMaker<T>
  mint(member: string): string
  newMember(): M
  /** What a member is compared by; undefined: it is not to be clustered. */
  itemOf(state: M): T | undefined
  /** What members amount to, of none yet. */
  newSum(): S
}

/** What may be asked of the engine. */
export interface Book {
  /** Makes the state of a key known as used and changed. */
  open(key: string): unknown
  forget(key: string): void
}

export interface SettledBook extends Settled {
  /** parents whose clusters may look different now, in order */
  readonly touched: readonly string[]
  /** members whose rows do not say whose they are, by parent */
  readonly lost: ReadonlyMap<string, readonly string[]>
}

export class ClusterBook<M extends MemberState, T, S extends Sum<M>> {
  readonly #layout: Layout<M, T, S>
  readonly #layer: ClusterLayer<T>
  readonly #members = new Map<string, M>()
  readonly #parents = new Map<string, ParentState>()
  readonly #prefix: string
  readonly #dirty = new Set<string>()
  /** how many members have each parent, those that are not clustered just now included */
  readonly #holders = new Map<string, number>()
  /** parents that may be of no use any more */
  readonly #idle = new Set<string>()
  /** by component */
  readonly #clusterSums: GroupSums<M, S>
  /** by parent */
  readonly #ownSums: GroupSums<M, S>

  constructor(layout: Layout<M, T, S>) {
    this.#layout = layout
    this.#prefix = `${layout.kind} `
    this.#layer = new ClusterLayer(
      (graph) => layout.edges(graph),
      (member) => layout.mint(member),
      {
        moved: (member, from, to) => {
          this.#clusterSums.leave(member, from)
          if (to !== undefined) this.#clusterSums.enter(member, to)
        },
        given: (member, parent, is) => {
          if (is) this.#ownSums.enter(member, parent)
          else this.#ownSums.leave(member, parent)
        },
      },
    )
    const stateOf = (id: string) => this.#members.get(id)
    this.#clusterSums = new GroupSums(() => layout.newSum(), stateOf)
    this.#ownSums = new GroupSums(() => layout.newSum(), stateOf)
  }

  /** Whether the key is that of a parent, of which there are no more than members, or their winners. */
  isParent(key: string): boolean {
    return key.startsWith(this.#prefix)
  }

  /** The key of a member, which no parent can have. */
  keyOf(member: string): string {
    return `member ${member}`
  }

  init(key: string): M | ParentState {
    const state: M | ParentState = this.isParent(key)
      ? { as: 'parent', merged_into: null, created: null, told: '' }
      : this.#layout.newMember()
    this.#keep(key, state)
    return state
  }

  restored(states: Iterable<readonly [key: string, state: M | ParentState]>): void {
    for (const [key, state] of states) this.#keep(key, state)
    this.#layer.restore(
      [...this.#parents].map(([uuid, { merged_into }]) => ({ uuid, merged_into })),
      [...this.#members].flatMap(([id, { parent }]) => (parent === null ? [] : [[id, parent]])),
    )
    for (const [id, state] of this.#members) {
      this.#enter(id, state)
      if (state.parent !== null) this.#hold(state.parent, 1)
      if (state.dirty) this.#dirty.add(id)
    }
    // Of an earlier version, or where a crash came in between.
    for (const uuid of this.#parents.keys()) if (!this.#holders.has(uuid)) this.#idle.add(uuid)
  }

  dropped(key: string): void {
    const id = key.slice(key.indexOf(' ') + 1)
    if (this.isParent(key)) {
      this.#parents.delete(id)
      const winner = this.#layer.forget(id)
      if (winner !== undefined) this.#idle.add(winner)
      return
    }
    const parent = this.#members.get(id)?.parent
    if (!this.#members.delete(id)) return
    this.#layer.delete(id)
    this.#dirty.delete(id)
    if (parent != null) this.#hold(parent, -1)
  }

  /**
   * Whether the row of a member says otherwise whose it is.
   * @param link what it says; null: nobody's, undefined: that is not known
   */
  disagrees(id: string, link: string | null | undefined): boolean {
    return link !== undefined && link !== (this.#members.get(id)?.parent ?? null)
  }

  /**
   * To be called after the state of a member has changed.
   * @param link as for `disagrees`. What the row says is what stands: it was linked before, by whomever,
   *   and is not linked again.
   */
  changed(id: string, link?: string | null): void {
    const state = this.#members.get(id)
    if (!state) return
    if (this.disagrees(id, link)) this.#follow(id, state, link ?? null)
    this.#enter(id, state)
    const given = this.#layer.nodeOfGiven(id)
    if (given !== undefined) this.#ownSums.changed(id, given)
    const label = this.#layer.labelOf(id)
    if (label !== undefined) this.#clusterSums.changed(id, label)
    state.dirty = true
    this.#dirty.add(id)
  }

  /**
   * @param time ms, of parents that are formed
   * @returns what is new
   */
  settle(book: Book, time: number): SettledBook {
    const settled = this.#layer.settle()
    const { formed, linked, unmerged, merged, repointed } = settled
    const touched = new Set<string>()
    const give = (member: string, parent: string) => {
      const state = this.#members.get(member)
      if (!state) return
      state.parent = parent
      this.#hold(parent, 1)
      book.open(this.keyOf(member))
    }
    const lost = new Map<string, string[]>()
    for (const { parent, members } of formed) {
      const state = book.open(this.#prefix + parent) as ParentState
      state.created ??= time
      for (const member of members) give(member, parent)
    }
    for (const { parent, member } of linked) give(member, parent)
    for (const { parent, former } of unmerged) {
      this.#point(book, parent, null)
      touched.add(parent).add(former)
      this.#idle.add(former)
    }
    for (const { winner, loser } of merged) {
      this.#point(book, loser, winner)
      touched.add(loser)
      // What was merged into it has been pointed to its winner.
      this.#idle.add(loser)
    }
    for (const { parent, winner } of repointed) this.#point(book, parent, winner)
    // In an order that a restart does not change, for it is that of use.
    for (const id of [...this.#dirty].sort()) {
      const state = this.#members.get(id)
      if (!state) continue
      state.dirty = false
      book.open(this.keyOf(id))
      const { parent, left } = state
      if (left !== undefined && this.#parents.has(left)) touched.add(left)
      delete state.left
      if (parent === null) continue
      if (state.lost) addMember(lost, parent, id)
      delete state.lost
      touched.add(parent)
      // After the member, so that a parent is not evicted before those who have it.
      const held = book.open(this.#prefix + parent) as ParentState
      // One that an earlier state had formed, of which nothing else is known.
      held.created ??= time
    }
    this.#dirty.clear()
    for (const parent of [...touched].sort()) {
      const root = this.#layer.rootOf(parent)
      if (root === undefined) continue
      touched.add(root)
      if (root !== parent && this.#parents.has(root)) book.open(this.#prefix + root)
    }
    return { ...settled, touched: [...touched].sort(), lost }
  }

  /**
   * What is to be written after a settling, and then lets go of parents that are of no use any more.
   * @param rowOf what is stored of a parent; undefined: nothing
   * @returns rows in order of their names: those that look different, and those of members whose links
   *   are not in the table, with the row that they were merged into
   */
  rows<R extends object>(
    book: Book,
    settled: SettledBook,
    time: number,
    rowOf: (uuid: string) => R | undefined,
  ): RowNews<R>[] {
    const { touched, repointed, lost } = settled
    const taken = membersTaken(settled)
    const again = new Set(
      [...lost.keys()].flatMap((uuid) => [uuid, this.#layer.rootOf(uuid) ?? uuid]),
    )
    const pointed = repointed.map(({ parent }) => parent)
    const news: RowNews<R>[] = []
    for (const uuid of [...new Set([...touched, ...pointed, ...again])].sort()) {
      const row = rowOf(uuid)
      if (!row) continue
      const isNews = this.tell(book, uuid, row, time)
      const fresh = taken.get(uuid) ?? []
      if (!isNews && fresh.length === 0 && !again.has(uuid)) continue
      const members = [...fresh, ...(lost.get(uuid) ?? [])]
      // Told again as it was, it changes nothing where the table has it.
      const told = isNews || fresh.length > 0 ? time : this.#parents.get(uuid)?.told_at
      news.push({ row, members, updated: told ?? time })
    }
    this.#forgetIdle(book)
    return news
  }

  parent(uuid: string): ParentState | undefined {
    return this.#parents.get(uuid)
  }

  /**
   * To be read before the next change, once all has been settled.
   * @returns what the members amount to that a parent was given, and all in the cluster it is in
   */
  sumsOf(uuid: string): { own: S; all: S } {
    const parent = this.#layer.nodeOfParent(uuid)
    if (parent === undefined) return { own: this.#layout.newSum(), all: this.#layout.newSum() }
    const { component, size, parents } = this.#layer.componentAt(parent)
    const own = this.#ownSums.of(parent, this.#layer.countAt(parent), () =>
      this.#layer.membersOf(parent),
    )
    if (parents === 1) return { own, all: own }
    const all = this.#clusterSums.of(component, size, () => this.#layer.membersUnder(parent))
    return { own, all }
  }

  /** Keeps which row a parent was told with. @returns whether that is news */
  tell(book: Book, uuid: string, row: object, time: number): boolean {
    const state = this.#parents.get(uuid)
    const told = hash('sha256', JSON.stringify(row), 'hex')
    if (!state || state.told === told) return false
    state.told = told
    state.told_at = time
    book.open(this.#prefix + uuid)
    return true
  }

  #follow(id: string, state: M, link: string | null): void {
    if (link === null) {
      state.lost = true
      return
    }
    const { parent } = state
    if (parent !== null) {
      this.#hold(parent, -1)
      state.left ??= parent
      if (this.#layout.itemOf(state) !== undefined) this.#layer.give(id, link)
    }
    state.parent = link
    this.#hold(link, 1)
  }

  #hold(parent: string, by: 1 | -1): void {
    const count = (this.#holders.get(parent) ?? 0) + by
    if (count > 0) this.#holders.set(parent, count)
    else {
      this.#holders.delete(parent)
      this.#idle.add(parent)
    }
  }

  /** Winners without members go after what was merged into them. */
  #forgetIdle(book: Book): void {
    for (const uuid of this.#idle) {
      this.#idle.delete(uuid)
      if (this.#holders.has(uuid) || !this.#layer.isIdle(uuid)) continue
      if (this.#parents.has(uuid)) book.forget(this.#prefix + uuid)
      else this.#layer.forget(uuid)
    }
  }

  #enter(id: string, state: M): void {
    const item = this.#layout.itemOf(state)
    if (item === undefined) this.#layer.delete(id)
    else {
      if (state.parent !== null) this.#layer.restore([], [[id, state.parent]])
      this.#layer.set(id, item)
    }
  }

  #keep(key: string, state: M | ParentState): void {
    const id = key.slice(key.indexOf(' ') + 1)
    if (state.as === 'parent') this.#parents.set(id, state as ParentState)
    else this.#members.set(id, state as M)
  }

  #point(book: Book, uuid: string, into: string | null): void {
    const state = book.open(this.#prefix + uuid) as ParentState
    state.merged_into = into
  }
}
