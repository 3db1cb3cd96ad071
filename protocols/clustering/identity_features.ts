/** One identity as the campaign clusterer sees it. */
import { CoveredTime } from './covered_time.ts'
import { byNumber, byText, SortedCounts } from './sorted_counts.ts'
import { PHASES, type Phase } from './ukc_phase.ts'

/** [start, end], ms */
export type Interval = readonly [start: number, end: number]
/** A phase on a decky, and the time (ms) it is known by. */
export type PhaseAt = { phase: Phase; time: number }

/**
 * What the similarity of two identities hangs on. Times are ms and only ever compared with each
 * other. Sets are sorted and distinct.
 * @see spec/clustering.md section 5.1
 */
export type IdentityFeatures = {
  asn_cohort: number[]
  tooling_cohort: string[]
  payload_hashes: string[]
  c2_endpoints: string[]
  decky_set: string[]
  /** disjoint, by time */
  session_windows: [number, number][]
  /** by decky: the earliest session and when it began */
  first_on: Record<string, PhaseAt>
  /** by decky: the latest session and when it ended */
  last_on: Record<string, PhaseAt>
}

/** One session of a member. */
export interface SessionSpan {
  readonly decky: string
  readonly phase: Phase
  readonly start: number
  readonly end: number
}

/** What one member (an address) adds; each set without repeats. */
export interface MemberFeatures {
  readonly asn?: number | null
  readonly payload_hashes?: readonly string[]
  readonly c2_endpoints?: readonly string[]
  readonly tooling?: readonly string[]
  readonly sessions?: readonly SessionSpan[]
}

/**
 * Values that are listed of a set, windows and deckies, at most: an identity may have as many members
 * as there are addresses, and what is told of it is an event and a row.
 */
export const MOST_LISTED = 256

/** How many values a list leaves out, by its name; empty: none. */
export type LeftOut = Record<string, number>

/** The features of an identity, whatever order its members come and go in. */
export class FeatureSum {
  readonly #asns = new SortedCounts(byNumber)
  readonly #tools = new SortedCounts(byText)
  readonly #payloads = new SortedCounts(byText)
  readonly #endpoints = new SortedCounts(byText)
  readonly #deckies = new SortedCounts(byText)
  readonly #windows = new CoveredTime()
  /** by decky; made when the first session comes, which most identities never have */
  #first: Moments | undefined
  #last: Moments | undefined

  add(member: MemberFeatures): void {
    this.#change(member, 1)
  }

  remove(member: MemberFeatures): void {
    this.#change(member, -1)
  }

  /** The least values of sets, and the latest windows, where there are too many to list. */
  features(): { features: IdentityFeatures; left_out: LeftOut } {
    const left_out: LeftOut = {}
    const decky_set = listed('decky_set', this.#deckies, left_out)
    const windows = this.#windows.latest(MOST_LISTED)
    if (windows.left_out > 0) left_out.session_windows = windows.left_out
    const phases = (on: Moments | undefined, end: 'first' | 'last') =>
      Object.fromEntries(decky_set.map((decky) => [decky, on?.get(decky)?.[end] as PhaseAt]))
    const features = {
      asn_cohort: listed('asn_cohort', this.#asns, left_out),
      tooling_cohort: listed('tooling_cohort', this.#tools, left_out),
      payload_hashes: listed('payload_hashes', this.#payloads, left_out),
      c2_endpoints: listed('c2_endpoints', this.#endpoints, left_out),
      decky_set,
      session_windows: windows.intervals,
      first_on: phases(this.#first, 'first'),
      last_on: phases(this.#last, 'last'),
    }
    return { features, left_out }
  }

  #change(member: MemberFeatures, by: 1 | -1): void {
    const { asn, payload_hashes = [], c2_endpoints = [], tooling = [], sessions = [] } = member
    if (asn !== undefined && asn !== null) this.#asns.change(asn, by)
    for (const value of payload_hashes) this.#payloads.change(value, by)
    for (const value of c2_endpoints) this.#endpoints.change(value, by)
    for (const value of tooling) this.#tools.change(value, by)
    for (const { decky, phase, start, end } of sessions) {
      this.#deckies.change(decky, by)
      this.#windows.change(start, end, by)
      this.#first ??= new Map()
      this.#last ??= new Map()
      change(this.#first, decky, { phase, time: start }, by)
      change(this.#last, decky, { phase, time: end }, by)
    }
  }
}

/** @returns the least values of a set; how many there are beyond the bound is put into `left_out` */
export function listed<K>(name: string, set: SortedCounts<K>, left_out: LeftOut): K[] {
  if (set.size > MOST_LISTED) left_out[name] = set.size - MOST_LISTED
  return set.take(MOST_LISTED)
}

/** At one moment, what comes first in the kill chain does. */
const byMoment = (a: PhaseAt, b: PhaseAt): number =>
  a.time - b.time || PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase)

type Moments = Map<string, SortedCounts<PhaseAt>>

function change(on: Moments, decky: string, at: PhaseAt, by: number) {
  let moments = on.get(decky)
  if (!moments) {
    moments = new SortedCounts(byMoment)
    on.set(decky, moments)
  }
  moments.change(at, by)
  if (moments.size === 0) on.delete(decky)
}

/** Unites the features of an identity's members, whatever order they and their sessions are in. */
export function uniteMembers(members: Iterable<MemberFeatures>): IdentityFeatures {
  const sum = new FeatureSum()
  for (const member of members) sum.add(member)
  return sum.features().features
}

/** @returns the same moments as intervals that do not touch, by time; what has no length is gone */
export function disjoint(intervals: readonly Interval[]): [number, number][] {
  const united: [number, number][] = []
  for (const [start, end] of intervals.toSorted((a, b) => a[0] - b[0])) {
    if (!(end > start)) continue
    const before = united.at(-1)
    if (before && start <= before[1]) before[1] = Math.max(before[1], end)
    else united.push([start, end])
  }
  return united
}
