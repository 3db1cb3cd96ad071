/** One identity as the campaign clusterer sees it. */
import { stringSet } from './string_set.ts'
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

/** What one member (an address) adds. */
export interface MemberFeatures {
  readonly asn?: number | null
  readonly payload_hashes?: Iterable<string>
  readonly c2_endpoints?: Iterable<string>
  readonly tooling?: Iterable<string>
  readonly sessions?: Iterable<SessionSpan>
}

/** Unites the features of an identity's members, whatever order they and their sessions are in. */
export function uniteMembers(members: Iterable<MemberFeatures>): IdentityFeatures {
  const asns = new Set<number>()
  const tools: string[] = []
  const payloads: string[] = []
  const endpoints: string[] = []
  const windows: Interval[] = []
  const first = new Map<string, PhaseAt>()
  const last = new Map<string, PhaseAt>()
  for (const member of members) {
    if (member.asn !== undefined && member.asn !== null) asns.add(member.asn)
    tools.push(...(member.tooling ?? []))
    payloads.push(...(member.payload_hashes ?? []))
    endpoints.push(...(member.c2_endpoints ?? []))
    for (const { decky, phase, start, end } of member.sessions ?? []) {
      windows.push([start, end])
      const opened = first.get(decky)
      const begun = { phase, time: start }
      if (!opened || isBefore(begun, opened)) first.set(decky, begun)
      const closed = last.get(decky)
      const ended = { phase, time: end }
      if (!closed || isBefore(closed, ended)) last.set(decky, ended)
    }
  }
  return {
    asn_cohort: [...asns].sort((a, b) => a - b),
    tooling_cohort: stringSet(tools),
    payload_hashes: stringSet(payloads),
    c2_endpoints: stringSet(endpoints),
    decky_set: stringSet(first.keys()),
    session_windows: disjoint(windows),
    first_on: Object.fromEntries(first),
    last_on: Object.fromEntries(last),
  }
}

/** At one moment, what comes first in the kill chain does. */
const isBefore = (a: PhaseAt, b: PhaseAt): boolean =>
  a.time === b.time ? PHASES.indexOf(a.phase) < PHASES.indexOf(b.phase) : a.time < b.time

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
