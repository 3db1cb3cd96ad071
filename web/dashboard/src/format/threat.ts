/** How much is going on, in one word. */

export type Threat = 'normal' | 'elevated' | 'critical'

/** @param hits of the last five minutes @see spec/api-and-sse.md section 5 */
export const threatOf = (hits: number): Threat =>
  hits > 100 ? 'critical' : hits > 50 ? 'elevated' : 'normal'

/**
 * @param minutes counts by minute, with the time each begins, in seconds
 * @param now ms since the Unix epoch
 * @returns events of the last five minutes
 */
export const hitsOf = (
  minutes: readonly { readonly minute_ts: number; readonly count: number }[],
  now: number,
): number =>
  minutes.reduce(
    (sum, { minute_ts, count }) => (minute_ts > now / 1000 - 300 ? sum + count : sum),
    0,
  )
