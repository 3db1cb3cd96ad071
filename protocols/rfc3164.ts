/** BSD syslog: what older devices, and programs on the local socket, send. */
import { isoMicros } from './iso_time.ts'
import { SyslogError } from './protocol_error.ts'
import { quote } from './quote.ts'
import { readPriority } from './rfc5424.ts'

/** What a message says; undefined is what it leaves out. */
export interface BsdMessage {
  /** 0 to 23 */
  readonly facility: number
  /** 0 (emergency) to 7 (debug) */
  readonly severity: number
  /** microseconds since the Unix epoch, read as UTC where the message names no zone */
  readonly timeMicros: number
  readonly hostname: string | undefined
  /** TAG up to its `[` or `:` */
  readonly appName: string | undefined
  readonly procId: string | undefined
  readonly message: string
}

/**
 * Reads one message. As in practice, and unlike the RFC: a TAG must end in `:` or `[pid]`, may hold
 * any character but blanks and brackets; without a HOSTNAME (as `syslog(3)` writes to the local
 * socket) the TAG comes first; the time may be the ISO 8601 that rsyslog forwards.
 * @param reference time near which the message was sent, ms since the epoch: the timestamp has no
 *   year, so it gets the one that brings it closest
 * @throws {SyslogError} `SYSLOG_PRI`, or `SYSLOG_TIMESTAMP` where no time follows
 * @see RFC 3164 section 4.1
 */
export function parseRfc3164(text: string, reference: number): BsdMessage {
  const { facility, severity, next } = readPriority(text)
  const time = bsdTime(text, next, reference) ?? isoTime(text, next)
  if (!time) {
    const excerpt = quote(text.slice(next, next + 40))
    throw new SyslogError('SYSLOG_TIMESTAMP', `neither RFC 5424 nor RFC 3164: ${excerpt}`)
  }
  const origin = readOrigin(text, time.next)
  const message = text.slice(origin.next)
  const { hostname, appName, procId } = origin
  return { facility, severity, timeMicros: time.micros, hostname, appName, procId, message }
}

function readOrigin(text: string, start: number) {
  const first = readTag(text, start)
  // A HOSTNAME may be an IPv6 literal: only a blank after its colon makes the first word a TAG.
  if (first && text[first.next - 1] === ' ') return { hostname: undefined, ...first }
  const blank = text.indexOf(' ', start)
  const end = blank === -1 ? text.length : blank
  const hostname = text.slice(start, end) || undefined
  const next = Math.min(end + 1, text.length)
  return { hostname, ...(readTag(text, next) ?? { appName: undefined, procId: undefined, next }) }
}

/** TAG, and the blank after it if there is one. */
const TAG = /([^\s:[\]]{1,128})(?:\[([^\s\]]{0,128})\]:?|:) ?/y

function readTag(text: string, start: number) {
  TAG.lastIndex = start
  const [whole, appName, procId] = TAG.exec(text) ?? []
  if (whole === undefined) return undefined
  return { appName, procId: procId || undefined, next: start + whole.length }
}

const BSD_TIME = /([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) /y
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** 29 February may lie eight years off, around 1900 and 2100. */
const YEARS_AROUND = [0, -1, 1, -2, 2, -3, 3, -4, 4, -5, 5, -6, 6, -7, 7, -8, 8]

function bsdTime(text: string, start: number, reference: number) {
  BSD_TIME.lastIndex = start
  const [whole, name = '', day = '', clock] = BSD_TIME.exec(text) ?? []
  const month = MONTHS.indexOf(name) + 1
  if (whole === undefined || month === 0) return undefined
  const year = new Date(reference).getUTCFullYear()
  const monthAndDay = `${String(month).padStart(2, '0')}-${day.replace(' ', '0')}`
  let nearest = Number.NaN
  for (const offset of YEARS_AROUND) {
    // Both years at a smaller distance have been tried, so no other is nearer.
    if (offset < -1 && !Number.isNaN(nearest)) break
    const micros = isoMicros(`${String(year + offset).padStart(4, '0')}-${monthAndDay}T${clock}Z`)
    const off = (time: number) => Math.abs(time - reference * 1000)
    if (Number.isNaN(nearest) || off(micros) < off(nearest)) nearest = micros
  }
  return Number.isNaN(nearest) ? undefined : { micros: nearest, next: start + whole.length }
}

function isoTime(text: string, start: number) {
  const end = text.indexOf(' ', start)
  const micros = end === -1 ? Number.NaN : isoMicros(text, start, end)
  return Number.isNaN(micros) ? undefined : { micros, next: end + 1 }
}
