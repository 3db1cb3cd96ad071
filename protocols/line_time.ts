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
  const [header] = HEADER.exec(line.slice(0, 10)) ?? []
  if (header === undefined) return undefined
  const head = line.slice(header.length, header.length + MAX_TIME_LENGTH)
  return millis(isoMicros(head, 0, head.indexOf(' ')))
}

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
const HEADER = /^<\d{1,3}>\d{1,3} /
const LESS_THAN = 60
const BRACE = 123
