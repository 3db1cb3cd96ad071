/**
 * Sums over the members of groups. That of a large group is kept and changed as members come, change
 * and go; that of a small one is made when it is asked for, for most groups have a member or two.
 */

/** What adds up; to take away what was added leaves it as if that had never come. */
export interface Sum<M> {
  add(member: M): void
  remove(member: M): void
}

/** Members of a group whose sum is made anew each time, at most. */
const SMALL = 64

interface Kept<M, S> {
  readonly sum: S
  /** what was added, by member */
  readonly held: Map<string, M>
}

export class GroupSums<M extends object, S extends Sum<M>> {
  readonly #make: () => S
  readonly #stateOf: (member: string) => M | undefined
  readonly #groups = new Map<number, Kept<M, S>>()

  /** @param stateOf what a member adds; copied where it is to be taken away again */
  constructor(make: () => S, stateOf: (member: string) => M | undefined) {
    this.#make = make
    this.#stateOf = stateOf
  }

  enter(member: string, group: number): void {
    const kept = this.#groups.get(group)
    const state = kept && this.#stateOf(member)
    if (!kept || !state) return
    kept.held.set(member, { ...state })
    kept.sum.add(state)
  }

  leave(member: string, group: number): void {
    const kept = this.#groups.get(group)
    const state = kept?.held.get(member)
    if (!kept || !state) return
    kept.held.delete(member)
    kept.sum.remove(state)
    if (kept.held.size < SMALL / 2) this.#groups.delete(group)
  }

  /** What the member adds is another now. */
  changed(member: string, group: number): void {
    if (!this.#groups.get(group)?.held.has(member)) return
    this.leave(member, group)
    this.enter(member, group)
  }

  /**
   * @param members all of the group, asked for only where its sum is not kept
   * @param size of it, not less than there are members
   * @returns to be read before the next change
   */
  of(group: number, size: number, members: () => Iterable<string>): S {
    const known = this.#groups.get(group)
    if (known) return known.sum
    const sum = this.#make()
    const held = size > SMALL ? new Map<string, M>() : undefined
    for (const member of members()) {
      const state = this.#stateOf(member)
      if (!state) continue
      sum.add(state)
      held?.set(member, { ...state })
    }
    if (held && held.size > SMALL) this.#groups.set(group, { sum, held })
    return sum
  }
}
