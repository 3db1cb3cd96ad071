/** ISO 8601 instants, read by position: every log line has one, so this is on the hot path. */

const MINUTE = 60_000_000
const DAY = 86_400_000_000
const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/**
 * Reads `YYYY-MM-DDThh:mm:ss`, then an optional fraction and offset. A blank may stand for the `T`,
 * the offset may lack its colon, and none means UTC. Digits past the microsecond are dropped.
 * @param start offset of the year in `text`
 * @param end offset after the last character of the instant
 * @returns microseconds since the Unix epoch, or NaN on any other form, an impossible day or a
 *   leap second
 * @see ISO 8601-1:2019 section 5.4; RFC 3339 section 5.6
 */
export function isoMicros(text: string, start = 0, end = text.length): number {
  if (end - start < 19 || end > text.length) return Number.NaN
  const minutes = minuteMicros(text, start)
  const second = number(text, start + 17, 2)
  // A comparison with NaN is false, so this also refuses what is not made of digits.
  if (!(second <= 59) || text.charCodeAt(start + 16) !== COLON) return Number.NaN

  let at = start + 19
  let fraction = 0
  if (text.charCodeAt(at) === DOT && at < end) {
    const first = at + 1
    for (at = first; at < end && isDigit(text.charCodeAt(at)); at++) {
      if (at - first < 6) fraction = fraction * 10 + text.charCodeAt(at) - ZERO
    }
    if (at === first) return Number.NaN
    for (let digits = at - first; digits < 6; digits++) fraction *= 10
  }
  return minutes + second * 1_000_000 + fraction - offsetMinutes(text, at, end) * MINUTE
}

// Neighbouring lines share their minute.
let read = { minute: '-', micros: Number.NaN }
const MINUTE_LENGTH = 'YYYY-MM-DDThh:mm'.length

/** @returns microseconds from the epoch to the minute that stands at `start`, or NaN */
function minuteMicros(text: string, start: number): number {
  if (text.startsWith(read.minute, start)) return read.micros
  const separator = text.charCodeAt(start + 10)
  const year = number(text, start, 4)
  const month = number(text, start + 5, 2)
  const day = number(text, start + 8, 2)
  const hour = number(text, start + 11, 2)
  const minute = number(text, start + 14, 2)
  const shaped =
    text.charCodeAt(start + 4) === DASH &&
    text.charCodeAt(start + 7) === DASH &&
    (separator === UPPER_T || separator === SPACE) &&
    text.charCodeAt(start + 13) === COLON
  const possible = day >= 1 && day <= daysInMonth(year, month) && hour <= 23 && minute <= 59
  if (!shaped || !possible) return Number.NaN
  const micros = daysSinceEpoch(year, month, day) * DAY + (hour * 60 + minute) * MINUTE
  read = { minute: ownCopy(text.slice(start, start + MINUTE_LENGTH)), micros }
  return micros
}

/** A slice would hold on to the line it was cut from. */
const ownCopy = (ascii: string): string => Buffer.from(ascii, 'latin1').toString('latin1')

/** Offset from UTC of what stands in `start`..`end`, or NaN. */
function offsetMinutes(text: string, start: number, end: number): number {
  if (start === end) return 0
  const sign = text.charCodeAt(start)
  if (sign === UPPER_Z) return start + 1 === end ? 0 : Number.NaN
  if (sign !== PLUS && sign !== DASH) return Number.NaN
  const colon = text.charCodeAt(start + 3) === COLON ? 1 : 0
  if (end - start !== 5 + colon) return Number.NaN
  const hours = number(text, start + 1, 2)
  const minutes = number(text, start + 3 + colon, 2)
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN
  return (sign === DASH ? -1 : 1) * (hours * 60 + minutes)
}

function daysInMonth(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return (DAYS_IN_MONTH[month - 1] ?? Number.NaN) + (leap ? 1 : 0)
}

/** Counts from 1 March, so that the leap day is the last of its year. */
function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  const leapDays =
    Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + dayOfYear - 719_468
}

/**
 * The form our emitters write and read best.
 * @param micros whole microseconds since the Unix epoch, years 1 to 9999
 * @returns `2026-03-01T09:00:00.123456+00:00`
 */
export function formatIsoMicros(micros: number): string {
  const ms = Math.floor(micros / 1000)
  const second = Math.floor(ms / 1000)
  if (second !== formatted.second) {
    formatted = { second, text: new Date(second * 1000).toISOString().slice(0, 20) }
  }
  const fraction = (ms - second * 1000) * 1000 + (((micros % 1000) + 1000) % 1000)
  return `${formatted.text}${String(1_000_000 + fraction).slice(1)}+00:00`
}

/** Year 1, ms: what is earlier has no ISO form. */
export const ISO_EARLIEST = -62_135_596_800_000
/** The end of year 9999, ms */
const ISO_LATEST = 253_402_300_799_999

/** @param time ms since the epoch */
export const hasIsoForm = (time: number): boolean => time >= ISO_EARLIEST && time <= ISO_LATEST

/** @param time ms since the epoch, microseconds as its fraction */
export const isoTime = (time: number): string => formatIsoMicros(Math.round(time * 1000))
// As with those that are read and printed.
let formatted = { second: Number.NaN, text: '' }

/** Furthest moment a Date can tell, ms. */
const LAST_DATE = 8.64e15

/**
 * For people: whatever an event claims, years that have no ISO form included.
 * @param time ms since the epoch
 * @example eventTime(1772355601123.456) // '2026-03-01T09:00:01.123Z'
 */
export const eventTime = (time: number): string =>
  Math.abs(time) <= LAST_DATE ? new Date(time).toISOString() : `${time} ms`

// Neighbouring lines share their second, and printing one costs a fifth of parsing a line.
let printed = { second: Number.NaN, text: '' }

/** @returns `YYYY-MM-DD hh:mm:ss` in UTC, of microseconds since the Unix epoch */
export function formatSeconds(micros: number): string {
  const second = Math.floor(micros / 1_000_000)
  if (second !== printed.second) {
    const text = new Date(second * 1000).toISOString().replace('T', ' ').slice(0, -5)
    printed = { second, text }
  }
  return printed.text
}

const ZERO = 48
const COLON = 58
const DASH = 45
const DOT = 46
const PLUS = 43
const SPACE = 32
const UPPER_T = 84
const UPPER_Z = 90

const isDigit = (code: number): boolean => code >= ZERO && code <= ZERO + 9

function number(text: string, start: number, digits: number): number {
  let value = 0
  for (let at = start; at < start + digits; at++) {
    const digit = text.charCodeAt(at) - ZERO
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}
