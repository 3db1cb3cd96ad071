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

/**
 * @param services how many distinct services he talked to
 * @see spec/ingest-and-profile.md section 3.5; the first rule that holds decides
 */
export function behaviorClass(
  { event_count: n, mean_iat_s: m, cv }: IntervalStats,
  services: number,
): BehaviorClass {
  if (n < 3 || m === null) return 'unknown'
  // Without a cv no rule about regularity holds.
  const spread = cv ?? Number.NaN
  if (services >= 2 && m >= 10 && n >= 4) return 'slow_scan'
  if ((services >= 3 && m < 10) || (services >= 2 && m < 2)) return 'scanning'
  if (services === 1 && n >= 8 && m < 5 && spread < 0.6) return 'brute_force'
  if (spread < 0.35 && m >= 5 && n >= 4) return 'beaconing'
  if (spread >= 0.5 && m < 5 && n >= 6) return 'interactive'
  return 'mixed'
}

/** Interval and jitter of a beacon; null where there is none. */
export function beaconOf(behavior: BehaviorClass, { mean_iat_s, cv }: IntervalStats) {
  const isBeacon = behavior === 'beaconing' && cv !== null
  return {
    beacon_interval_s: isBeacon ? mean_iat_s : null,
    beacon_jitter_pct: isBeacon ? rounded(100 * cv, 2) : null,
  }
}
