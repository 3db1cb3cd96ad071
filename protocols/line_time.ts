/** Event time of a line that has not been parsed yet. */
import { isoMicros } from './iso_time.ts'

/** A time further in than this is not looked for; a JSON line is searched from its end as well. */
const REACH = 4096

/**
 * Keys that hold the time of a JSON line, the most telling first, with their value. No text inside a
 * JSON string can pass for a key: its quotes are escaped.
 */
const TIMES = ['timestamp', 'time', 'ts'].map(
  (key) =>
    new RegExp(
      `"${key}"\\s{0,4}:\\s{0,4}(?:"([^"]{1,48})"|(-?\\d{1,16}(?:\\.\\d{1,9})?)(?=[\\s,}]))`,
    ),
)

/** A number below this is in seconds: as ms it would lie before April 1973. */
const FIRST_MS = 1e11

/**
 * Reads the time a line gives itself: an RFC 5424 header's, or that of a JSON line's `timestamp`,
 * `time` or `ts` (ISO 8601 text, or a number of seconds or ms since the epoch). Sources use it to put
 * replayed lines in time; whoever parses the line has the last word.
 * @returns ms since the epoch, or undefined where the line says nothing; never throws
 */
export function lineTime(line: string): number | undefined {
  const first = line.charCodeAt(0)
  if (first === LESS_THAN) return headerTime(line)
  return first === BRACE ? jsonTime(line) : undefined
}

function headerTime(line: string): number | undefined {
  const priority = digitsEnd(line, 1)
  if (line.charCodeAt(priority) !== GREATER_THAN) return undefined
  const start = digitsEnd(line, priority + 1) + 1
  if (line.charCodeAt(start - 1) !== SPACE) return undefined
  const end = line.indexOf(' ', start)
  return end - start > MAX_TIME_LENGTH ? undefined : millis(isoMicros(line, start, end))
}

/** @returns offset after one to three digits, or -1 */
function digitsEnd(text: string, start: number): number {
  let at = start
  while (at < start + 3 && isDigit(text.charCodeAt(at))) at += 1
  return at === start ? -1 : at
}

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE

function jsonTime(line: string): number | undefined {
  const head = line.slice(0, REACH)
  const tail = line.length > REACH ? line.slice(-REACH) : ''
  for (const pattern of TIMES) {
    const [, iso, number] = pattern.exec(head) ?? pattern.exec(tail) ?? []
    const time = iso === undefined ? epochMillis(number) : millis(isoMicros(iso))
    if (time !== undefined) return time
  }
  return undefined
}

function epochMillis(number: string | undefined): number | undefined {
  if (number === undefined) return undefined
  const amount = Number(number)
  return Math.abs(amount) < FIRST_MS ? amount * 1000 : amount
}

const millis = (micros: number): number | undefined =>
  Number.isNaN(micros) ? undefined : micros / 1000

/** Room for nanoseconds and an offset. */
const MAX_TIME_LENGTH = 48
const SPACE = 32
const ZERO = 48
const NINE = 57
const LESS_THAN = 60
const GREATER_THAN = 62
const BRACE = 123
