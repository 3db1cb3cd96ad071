/** Times as people read them. */

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['m', 60],
  ['s', 1],
] as const

/** @param instant ISO 8601 @returns ms since the Unix epoch, or undefined where it is no time */
export function readTime(instant: string | null | undefined): number | undefined {
  if (instant === null || instant === undefined) return undefined
  const time = Date.parse(instant)
  return Number.isNaN(time) ? undefined : time
}

/** @param ms since the Unix epoch @returns `2026-03-01 09:00:00` in UTC */
export const absolute = (ms: number): string => {
  // The ends of what a Date holds.
  if (!(Math.abs(ms) <= 8.64e15)) return '—'
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
}

/** @returns `5 s ago`, `2 h ago`, `3 d ago`; `in 5 s` where clocks differ */
export function relative(ms: number, now: number): string {
  const seconds = Math.round((now - ms) / 1000)
  if (Math.abs(seconds) < 3) return 'now'
  const text = roundDuration(Math.abs(seconds))
  return seconds < 0 ? `in ${text}` : `${text} ago`
}

/** @param ms 0 or more @returns `340 ms`, `5 s`, `2 h`: the greatest unit alone */
export const roughly = (ms: number): string =>
  ms < 1000 ? `${Math.round(ms)} ms` : roundDuration(ms / 1000)

/** @param seconds 0 or more @returns the greatest unit alone */
function roundDuration(seconds: number): string {
  const [name, size] = UNITS.find(([, length]) => seconds >= length) ?? (['s', 1] as const)
  return `${Math.floor(seconds / size)} ${name}`
}

/** @param ms 0 or more @returns `340 ms`, `5.2 s`, `2 h 5 m`: two units at most */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  const at = UNITS.findIndex(([, length]) => seconds >= length)
  const [name, size] = UNITS[at] ?? (['s', 1] as const)
  const whole = Math.floor(seconds / size)
  const next = UNITS[at + 1]
  const rest = next ? Math.floor((seconds - whole * size) / next[1]) : 0
  return next && rest > 0 ? `${whole} ${name} ${rest} ${next[0]}` : `${whole} ${name}`
}

/** @param time of a bucket, `YYYY-MM-DD hh:mm:ss` in UTC @returns seconds since the epoch */
export const bucketSeconds = (time: string): number =>
  Math.floor(Date.parse(`${time.replace(' ', 'T')}Z`) / 1000)
