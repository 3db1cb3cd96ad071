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
  const version = VERSION.exec(text.slice(priority.next, priority.next + 4))?.[1]
  if (!version) throw broken('SYSLOG_VERSION', text, priority.next)

  let at = priority.next + version.length + 1
  /** The token at `at`, which the grammar wants followed by a blank. */
  const field = (code: string, limit: number): string | undefined => {
    const end = text.indexOf(' ', at)
    const token = text.slice(at, end)
    if (end === -1 || token.length > limit || !PRINTABLE.test(token)) throw broken(code, text, at)
    at = end + 1
    return token === '-' ? undefined : token
  }
  const timestamp = field('SYSLOG_TIMESTAMP', 40)
  const timeMicros = timestamp === undefined ? undefined : parseTimestamp(timestamp)
  const hostname = field('SYSLOG_HOSTNAME', 255)
  const appName = field('SYSLOG_APP_NAME', 48)
  const procId = field('SYSLOG_PROCID', 128)
  const msgId = field('SYSLOG_MSGID', 32)

  const { elements, next } = readStructuredData(text, at)
  if (next < text.length && text[next] !== ' ') throw broken('SYSLOG_SD', text, next)
  const message = next < text.length ? text.slice(next + 1) : undefined
  const { facility, severity } = priority
  const header = { facility, severity, version: Number(version), timeMicros, hostname }
  return { ...header, appName, procId, msgId, structuredData: elements, message }
}

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
  const digits = PRI.exec(text.slice(0, 5))?.[1]
  const value = Number(digits)
  if (digits === undefined || value > 191) throw broken('SYSLOG_PRI', text, 0)
  return { facility: value >> 3, severity: value & 7, next: digits.length + 2 }
}

const broken = (code: string, text: string, at: number): SyslogError =>
  new SyslogError(code, `not RFC 5424 from ${quote(text.slice(at, at + 40))}`)

const PRI = /^<(\d{1,3})>/
const VERSION = /^([1-9]\d{0,2}) /
const PRINTABLE = /^[!-~]+$/
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?$/
/** U+FEFF in UTF-8, each byte read as Latin-1. */
const BOM_AS_LATIN1 = '\xef\xbb\xbf'
