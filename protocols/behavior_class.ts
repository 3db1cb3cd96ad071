/** What an attacker's timing says of him. */
import type { IntervalStats } from './interval_stats.ts'
import { rounded } from './interval_stats.ts'

export type BehaviorClass =
  | 'unknown'
  | 'slow_scan'
  | 'scanning'
  | 'brute_force'
  | 'beaconing'
  | 'interactive'
  | 'mixed'

interface Rule {
  readonly behavior: BehaviorClass
  /** for people: when it holds */
  readonly rule: string
  /** @param n events, m their mean pause (s), cv its spread, s services */
  readonly holds: (n: number, m: number, cv: number, s: number) => boolean
}

/** The first that holds decides. @see spec/ingest-and-profile.md section 3.5 */
const RULES: readonly Rule[] = [
  {
    behavior: 'unknown',
    rule: 'fewer than 3 events',
    holds: (n, m) => n < 3 || Number.isNaN(m),
  },
  {
    behavior: 'slow_scan',
    rule: '2 services or more, 4 events or more, 10 s or more between them',
    holds: (n, m, _cv, s) => s >= 2 && m >= 10 && n >= 4,
  },
  {
    behavior: 'scanning',
    rule: '3 services or more less than 10 s apart, or 2 less than 2 s apart',
    holds: (_n, m, _cv, s) => (s >= 3 && m < 10) || (s >= 2 && m < 2),
  },
  {
    behavior: 'brute_force',
    rule: 'one service, 8 events or more, less than 5 s apart, cv below 0.6',
    holds: (n, m, cv, s) => s === 1 && n >= 8 && m < 5 && cv < 0.6,
  },
  {
    behavior: 'beaconing',
    rule: '4 events or more, 5 s or more apart, cv below 0.35',
    holds: (n, m, cv) => cv < 0.35 && m >= 5 && n >= 4,
  },
  {
    behavior: 'interactive',
    rule: '6 events or more, less than 5 s apart, cv 0.5 or more',
    holds: (n, m, cv) => cv >= 0.5 && m < 5 && n >= 6,
  },
  { behavior: 'mixed', rule: 'no other rule holds', holds: () => true },
]

/** @param services how many distinct services he talked to */
export function behaviorRule(
  { event_count, mean_iat_s, cv }: Pick<IntervalStats, 'event_count' | 'mean_iat_s' | 'cv'>,
  services: number,
): Pick<Rule, 'behavior' | 'rule'> {
  // Without a mean or a cv no rule about them holds.
  const mean = mean_iat_s ?? Number.NaN
  const spread = cv ?? Number.NaN
  return RULES.find(({ holds }) => holds(event_count, mean, spread, services)) as Rule
}

export const behaviorClass = (stats: IntervalStats, services: number): BehaviorClass =>
  behaviorRule(stats, services).behavior

/** Interval and jitter of a beacon; null where there is none. */
export function beaconOf(behavior: BehaviorClass, { mean_iat_s, cv }: IntervalStats) {
  const isBeacon = behavior === 'beaconing' && cv !== null
  return {
    beacon_interval_s: isBeacon ? mean_iat_s : null,
    beacon_jitter_pct: isBeacon ? rounded(100 * cv, 2) : null,
  }
}
