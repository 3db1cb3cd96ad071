/** RFC 5424 syslog messages, read by the letter. Our own lines are read by `decnet_log.ts`. */
import { isoMicros } from './iso_time.ts'
import { SyslogError } from './protocol_error.ts'
import { quote } from './quote.ts'
import { readStructuredData, type SdElement } from './structured_data.ts'

/** What a message says; a header field that is NIL (`-`) is undefined. */
export interface SyslogMessage {
  /** 0 to 23 */
  readonly facility: number
  /** 0 (emergency) to 7 (debug) */
  readonly severity: number
  /** 1 to 999 */
  readonly version: number
  /** microseconds since the Unix epoch */
  readonly timeMicros: number | undefined
  readonly hostname: string | undefined
  readonly appName: string | undefined
  readonly procId: string | undefined
  readonly msgId: string | undefined
  readonly structuredData: readonly SdElement[]
  /** MSG, with its byte order mark if it has one; undefined when there is none */
  readonly message: string | undefined
}

/**
 * Reads one message.
 * @param text without the framing around it
 * @throws {SyslogError} `SYSLOG_PRI`, `SYSLOG_VERSION`, `SYSLOG_TIMESTAMP`, `SYSLOG_HOSTNAME`,
 *   `SYSLOG_APP_NAME`, `SYSLOG_PROCID`, `SYSLOG_MSGID` or `SYSLOG_SD` for the first part that is wrong
 * @see RFC 5424 section 6
 * @example parseRfc5424('<34>1 - - su - ID47 -').severity // 2
 */
export function parseRfc5424(text: string): SyslogMessage {
  const priority = readPriority(text)
  const versionEnd = endOfVersion(text, priority.next)
  if (versionEnd === -1) throw broken('SYSLOG_VERSION', text, priority.next)
  const version = text.slice(priority.next, versionEnd)

  const timeEnd = tokenEnd(text, versionEnd + 1, 40, 'SYSLOG_TIMESTAMP')
  const timestamp = tokenOf(text, versionEnd + 1, timeEnd)
  const timeMicros = timestamp === undefined ? undefined : parseTimestamp(timestamp)
  const hostEnd = tokenEnd(text, timeEnd + 1, 255, 'SYSLOG_HOSTNAME')
  const hostname = tokenOf(text, timeEnd + 1, hostEnd)
  const appEnd = tokenEnd(text, hostEnd + 1, 48, 'SYSLOG_APP_NAME')
  const appName = tokenOf(text, hostEnd + 1, appEnd)
  const procEnd = tokenEnd(text, appEnd + 1, 128, 'SYSLOG_PROCID')
  const procId = tokenOf(text, appEnd + 1, procEnd)
  const msgIdEnd = tokenEnd(text, procEnd + 1, 32, 'SYSLOG_MSGID')
  const msgId = tokenOf(text, procEnd + 1, msgIdEnd)

  const { elements, next } = readStructuredData(text, msgIdEnd + 1)
  if (next < text.length && text.charCodeAt(next) !== SPACE) throw broken('SYSLOG_SD', text, next)
  const message = next < text.length ? text.slice(next + 1) : undefined
  return {
    facility: priority.facility,
    severity: priority.severity,
    version: Number(version),
    timeMicros,
    hostname,
    appName,
    procId,
    msgId,
    structuredData: elements,
    message,
  }
}

/** @returns offset after a number of 1 to 3 digits without a leading 0 and before a blank, or -1 */
function endOfVersion(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (!(first > ZERO && first <= NINE)) return -1
  let at = start + 1
  while (at < start + 3 && isDigit(text.charCodeAt(at))) at += 1
  return text.charCodeAt(at) === SPACE ? at : -1
}

/** @returns offset of the blank after a token of 1 to `limit` printable ASCII characters */
function tokenEnd(text: string, start: number, limit: number, code: string): number {
  let at = start
  while (at - start <= limit) {
    const character = text.charCodeAt(at)
    if (!(character > SPACE && character <= TILDE)) break
    at += 1
  }
  if (at === start || at - start > limit || text.charCodeAt(at) !== SPACE) {
    throw broken(code, text, start)
  }
  return at
}

const tokenOf = (text: string, start: number, end: number): string | undefined =>
  end === start + 1 && text.charCodeAt(start) === DASH ? undefined : text.slice(start, end)

/**
 * Reads one message from bytes, where the RFC asks more than text can show: PARAM-VALUE, and a MSG
 * that starts with a byte order mark, must be UTF-8. Any other MSG may be of any bytes; those that
 * are not UTF-8 come out as U+FFFD.
 * @throws {SyslogError} `SYSLOG_UTF8`, else as `parseRfc5424`
 * @see RFC 5424 sections 6.3.3 and 6.4
 */
export function parseRfc5424Bytes(bytes: Uint8Array): SyslogMessage {
  // Every delimiter is ASCII and no byte of a longer UTF-8 sequence is, so Latin-1 has the structure.
  const parsed = parseRfc5424(Buffer.from(bytes).toString('latin1'))
  const { structuredData, message } = parsed
  const utf8 = (latin1: string, fatal: boolean): string => {
    try {
      return new TextDecoder('utf-8', { fatal, ignoreBOM: true }).decode(
        Buffer.from(latin1, 'latin1'),
      )
    } catch (cause) {
      throw new SyslogError('SYSLOG_UTF8', `not UTF-8: ${quote(latin1)}`, { cause })
    }
  }
  return {
    ...parsed,
    structuredData: structuredData.map(({ id, params }) => ({
      id,
      params: params.map(([name, value]) => [name, utf8(value, true)] as const),
    })),
    message: message && utf8(message, message.startsWith(BOM_AS_LATIN1)),
  }
}

/**
 * Reads a syslog TIMESTAMP. Wider than the RFC in one point: a missing offset means UTC.
 * @param text the field alone, e.g. `2003-08-24T05:14:15.000003-07:00`
 * @returns microseconds since the Unix epoch, an exact integer for the years 1685 to 2254
 * @throws {SyslogError} `SYSLOG_TIMESTAMP` on any other form, an impossible day or a leap second
 * @see RFC 5424 section 6.2.3
 * @example parseTimestamp('1985-04-12T23:20:50.52Z') // 482196050520000
 */
export function parseTimestamp(text: string): number {
  const micros = TIMESTAMP.test(text) ? isoMicros(text) : Number.NaN
  if (Number.isNaN(micros)) {
    throw new SyslogError('SYSLOG_TIMESTAMP', `not a syslog timestamp: ${quote(text)}`)
  }
  return micros
}

/**
 * Reads `<PRIVAL>`, which RFC 5424 and RFC 3164 share.
 * @returns facility, severity and the offset after it
 * @throws {SyslogError} `SYSLOG_PRI`
 */
export function readPriority(text: string): { facility: number; severity: number; next: number } {
  let value = 0
  let at = 1
  while (at <= 3 && isDigit(text.charCodeAt(at))) value = value * 10 + text.charCodeAt(at++) - ZERO
  const framed = text.charCodeAt(0) === LESS_THAN && text.charCodeAt(at) === GREATER_THAN
  if (!framed || at === 1 || value > 191) throw broken('SYSLOG_PRI', text, 0)
  return { facility: value >> 3, severity: value & 7, next: at + 1 }
}

const isDigit = (code: number): boolean => code >= ZERO && code <= NINE

const broken = (code: string, text: string, at: number): SyslogError =>
  new SyslogError(code, `not RFC 5424 from ${quote(text.slice(at, at + 40))}`)

const SPACE = 32
const DASH = 45
const ZERO = 48
const NINE = 57
const LESS_THAN = 60
const GREATER_THAN = 62
const TILDE = 126
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?$/
/** U+FEFF in UTF-8, each byte read as Latin-1. */
const BOM_AS_LATIN1 = '\xef\xbb\xbf'
