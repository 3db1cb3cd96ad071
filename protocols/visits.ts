/** When one address was at work on which decky, and what it began and ended with there. */
import type { Phase } from './clustering/ukc_phase.ts'

/** Records on one decky with no long pause between them. JSON; times are event time, ms. */
export type Visit = {
  decky: string
  start: number
  end: number
  /** null: it did nothing that has a phase */
  first: Phase | null
  last: Phase | null
  /** when the last phase began */
  turned: number
}

/** One session, as the clusterers read it; `started_at` in ms. */
export type Session = { decky: string; phase: Phase; started_at: number; duration_s: number }

/** A pause that ends a visit, ms: nobody types that slowly, and few tools wait that long. */
const PAUSE = 300_000
/** Visits kept of one address. */
const MAX_VISITS = 128

/**
 * Takes in a record that came about in order of time; one that is late counts for when the visit began
 * and not for its phases. Of too many visits those go first that are neither the first nor the last of
 * their decky, the oldest before others.
 * @param phases what was done, in order; none: nothing that has a phase
 * @returns how many visits had to go
 */
export function addVisit(
  visits: Visit[],
  time: number,
  decky: string,
  phases: readonly Phase[],
): number {
  const first = phases[0] ?? null
  const last = phases.at(-1) ?? null
  const open = visits.findLast((visit) => visit.decky === decky)
  if (open && time >= open.start - PAUSE && time <= open.end + PAUSE) {
    if (last !== null && (time >= open.end || open.last === null)) {
      open.first ??= first
      if (open.last !== last) open.turned = time
      open.last = last
    }
    open.start = Math.min(open.start, time)
    open.end = Math.max(open.end, time)
    return 0
  }
  visits.push({ decky, start: time, end: time, first, last, turned: time })
  if (visits.length <= MAX_VISITS) return 0
  visits.splice(leastTelling(visits), 1)
  return 1
}

/** @returns index of the oldest visit between two others of its decky; 0 where there is none */
function leastTelling(visits: readonly Visit[]): number {
  const lastOf = new Map(visits.map(({ decky }, index) => [decky, index]))
  const seen = new Set<string>()
  for (const [index, { decky }] of visits.entries()) {
    if (seen.has(decky) && lastOf.get(decky) !== index) return index
    seen.add(decky)
  }
  return 0
}

/**
 * A visit whose phase turned is two sessions. Both have whole milliseconds and last one at least, so
 * that which came first and which last can be seen of them.
 */
export function describeVisits(visits: readonly Visit[]): Session[] {
  return visits.flatMap(({ decky, first, last, ...visit }) => {
    const start = Math.floor(visit.start)
    const turned = Math.max(Math.ceil(visit.turned), start + 1)
    const session = (phase: Phase, from: number, to: number): Session => ({
      decky,
      phase,
      started_at: from,
      duration_s: (Math.max(Math.ceil(to), from + 1) - from) / 1000,
    })
    if (first === null || last === null) return session('delivery', start, visit.end)
    if (first === last) return session(last, start, visit.end)
    return [session(first, start, turned), session(last, turned, visit.end)]
  })
}
