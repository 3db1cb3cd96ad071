/** What the members of an identity amount to. */
import { FeatureSum, type LeftOut, listed, type SessionSpan } from './identity_features.ts'
import type { Observation } from './observation.ts'
import { byNumber, byText, SortedCounts } from './sorted_counts.ts'

/** What one address adds; each set without repeats. */
export interface IdentityMember {
  readonly observation: Observation | null
  readonly ja3: readonly string[]
  readonly hassh: readonly string[]
  /** µs */
  readonly first: number
  readonly last: number
  readonly sessions: readonly SessionSpan[]
}

export class IdentitySum {
  readonly #features = new FeatureSum()
  readonly #ja3 = new SortedCounts(byText)
  readonly #hassh = new SortedCounts(byText)
  readonly #first = new SortedCounts(byNumber)
  readonly #last = new SortedCounts(byNumber)
  #count = 0

  add(member: IdentityMember): void {
    this.#features.add({ ...member.observation, sessions: member.sessions })
    this.#change(member, 1)
  }

  remove(member: IdentityMember): void {
    this.#features.remove({ ...member.observation, sessions: member.sessions })
    this.#change(member, -1)
  }

  /** How many addresses, and from when to when (µs) they were seen; undefined where there is none. */
  get span(): { count: number; first: number | undefined; last: number | undefined } {
    return { count: this.#count, first: this.#first.first, last: this.#last.last }
  }

  /** What is listed of all of them; `left_out` says how much is not. */
  lists() {
    const { features, left_out } = this.#features.features()
    const ja3 = listed('ja3_hashes', this.#ja3, left_out)
    const hassh = listed('hassh_hashes', this.#hassh, left_out)
    return { ja3, hassh, features, left_out: left_out as LeftOut }
  }

  #change({ ja3, hassh, first, last }: IdentityMember, by: 1 | -1): void {
    for (const value of ja3) this.#ja3.change(value, by)
    for (const value of hassh) this.#hassh.change(value, by)
    this.#first.change(first, by)
    this.#last.change(last, by)
    this.#count += by
  }
}
