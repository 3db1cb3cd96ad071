/** What the members of a campaign amount to. */
import { type IdentityFeatures, type LeftOut, listed } from './identity_features.ts'
import { byText, SortedCounts } from './sorted_counts.ts'

/** What one identity adds; each list without repeats. */
export interface CampaignMember {
  readonly features: IdentityFeatures | null
  readonly first_seen_at: string | null
  readonly last_seen_at: string | null
  readonly ja3_hashes: readonly string[] | null
  readonly hassh_hashes: readonly string[] | null
}

export class CampaignSum {
  readonly #first = new SortedCounts(byText)
  readonly #last = new SortedCounts(byText)
  readonly #ja3 = new SortedCounts(byText)
  readonly #hassh = new SortedCounts(byText)
  readonly #payloads = new SortedCounts(byText)
  readonly #endpoints = new SortedCounts(byText)
  #count = 0

  add(member: CampaignMember): void {
    this.#change(member, 1)
  }

  remove(member: CampaignMember): void {
    this.#change(member, -1)
  }

  /** How many identities, and from when to when they were seen; undefined where none says. */
  get span(): { count: number; first: string | undefined; last: string | undefined } {
    return { count: this.#count, first: this.#first.first, last: this.#last.last }
  }

  /** What is listed of all of them; `left_out` says how much is not. */
  lists() {
    const left_out: LeftOut = {}
    const ja3 = listed('ja3_hashes', this.#ja3, left_out)
    const hassh = listed('hassh_hashes', this.#hassh, left_out)
    const payloads = listed('payload_simhashes', this.#payloads, left_out)
    const endpoints = listed('c2_endpoints', this.#endpoints, left_out)
    return { ja3, hassh, payloads, endpoints, left_out }
  }

  #change(member: CampaignMember, by: 1 | -1): void {
    const { features, first_seen_at, last_seen_at, ja3_hashes, hassh_hashes } = member
    if (first_seen_at !== null) this.#first.change(first_seen_at, by)
    if (last_seen_at !== null) this.#last.change(last_seen_at, by)
    for (const value of ja3_hashes ?? []) this.#ja3.change(value, by)
    for (const value of hassh_hashes ?? []) this.#hassh.change(value, by)
    for (const value of features?.payload_hashes ?? []) this.#payloads.change(value, by)
    for (const value of features?.c2_endpoints ?? []) this.#endpoints.change(value, by)
    this.#count += by
  }
}
