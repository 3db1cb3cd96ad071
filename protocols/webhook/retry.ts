/** When a webhook that did not arrive is tried again. */

/** ms before the first, second and third retry, before they are spread. */
export const RETRY_DELAYS: readonly number[] = [1000, 2000, 4000]

const SPREAD = 0.2
/** As long as a receiver may make us wait by Retry-After, ms. */
const LONGEST_WAIT = 60_000

/** Whether an answer of this status may be another one next time; 2xx is none of both. */
export const isRetryable = (status: number): boolean => status === 429 || status >= 500

/**
 * @param delay ms, of `RETRY_DELAYS`
 * @param chance 0 to 1
 * @param retryAfter ms the receiver asked for, if it did
 * @returns ms: the delay times 0.8 to 1.2, or what the receiver asked for if that is longer, up to 60 s
 */
export function retryWait(delay: number, chance: number, retryAfter: number | undefined): number {
  const spread = delay * (1 - SPREAD + 2 * SPREAD * chance)
  return Math.max(spread, Math.min(retryAfter ?? 0, LONGEST_WAIT))
}

/**
 * Reads Retry-After.
 * @param now ms since the Unix epoch
 * @returns ms from `now`, 0 at least; undefined where it is neither seconds nor an HTTP date
 * @see RFC 9110 sections 10.2.3 and 5.6.7
 */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000
  if (!HTTP_DATE.test(header)) return undefined
  const time = Date.parse(header)
  return Number.isNaN(time) ? undefined : Math.max(0, time - now)
}

const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/
