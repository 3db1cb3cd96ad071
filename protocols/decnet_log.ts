/** Reads our own log lines into records: the one parser that everything downstream relies on. */
import { attackerFromFields, attackerFromMessage } from './attacker_address.ts'
import { hasControl } from './control_characters.ts'
import { formatSeconds, isoMicros } from './iso_time.ts'
import { SyslogError } from './protocol_error.ts'
import { quote } from './quote.ts'
import { readRelayParams } from './relay_params.ts'
import { cutText } from './utf8_text.ts'

/** What one line says. A type, not an interface, so that it is JSON data to the engine. */
export type LogRecord = {
  /** `YYYY-MM-DD hh:mm:ss`, UTC */
  timestamp: string
  /** name of the decoy; `-` if nobody said */
  decky: string
  service: string
  /** may be `-` */
  event_type: string
  /** an address as `parseIp` spells it, or `Unknown` */
  attacker_ip: string
  fields: Record<string, string>
  msg: string
  /** the line as received, also where only its head was parsed */
  raw_line: string
  kind: 'attacker' | 'mutation'
}

/** A record and its event time. */
export interface ParsedLine {
  /** ms since the epoch, microseconds as its fraction */
  readonly time: number
  readonly record: LogRecord
}

/** What is known about a line from elsewhere than the line. */
export interface LineOrigin {
  /** ms since the epoch; stands in for a timestamp that is NIL or cannot be read */
  readonly receivedAt: number
  /** the decoy that the container's label names; it is trusted over HOSTNAME */
  readonly decky?: string | undefined
}

/** Of a longer line only this much is parsed, in UTF-8 bytes. */
export const MAX_LINE_BYTES = 256 * 1024

/** What emitters cut header fields to (RFC 5424 section 6), so longer ones are not theirs. */
export const HEADER_LIMITS = { hostname: 255, appName: 48, msgId: 32 } as const

/**
 * Reads one line. Wider than RFC 5424, since lines of this shape exist: any three-digit PRI, a
 * timestamp in any ISO form, a header wrapped in another (`logger --rfc5424` behind rsyslog), and
 * structured data that breaks off. Parameters come from `relay@55555` alone.
 * @throws {SyslogError} `SYSLOG_HEADER` where a line does not start with a version 1 header
 */
export function parseDecnetLine(line: string, { receivedAt, decky }: LineOrigin): ParsedLine {
  const raw = line.isWellFormed() ? line : line.toWellFormed()
  const text = cutText(raw.slice(0, MAX_LINE_BYTES), MAX_LINE_BYTES).text.trimEnd()
  const outer = readHeader(text)
  const header = unwrap(text, outer) ?? outer
  const { fields, msg } = readBody(text, header.rest)
  const service = header.service.slice(0, HEADER_LIMITS.appName)
  const msgId = header.eventType.slice(0, HEADER_LIMITS.msgId)
  const micros = isoMicros(text, outer.timeStart, outer.timeEnd)
  return makeLine({
    micros: Number.isNaN(micros) ? receivedAt * 1000 : micros,
    hostname: header.hostname.slice(0, HEADER_LIMITS.hostname),
    decky,
    service,
    eventType: msgId === '-' && msg.startsWith('CMD ') ? 'command' : msgId,
    fields,
    msg,
    raw,
  })
}

/** The parts of a line, however it was read. */
export interface LineParts {
  /** microseconds since the epoch */
  readonly micros: number
  /** who the line says it is from, `-` for nobody */
  readonly hostname: string
  /** see `LineOrigin` */
  readonly decky: string | undefined
  readonly service: string
  readonly eventType: string
  /** taken over and added to: `remote_port`, `reported_host` */
  readonly fields: Record<string, string>
  readonly msg: string
  readonly raw: string
}

/** Makes a record of the parts: finds the attacker, and decides which host name to believe. */
export function makeLine(parts: LineParts): ParsedLine {
  const { micros, hostname, decky = hostname, service, eventType, fields, msg, raw } = parts
  const attacker = attackerFromFields(fields) ?? { address: attackerFromMessage(msg) }
  if (attacker.port !== undefined) fields.remote_port ??= attacker.port
  if (hostname !== decky && hostname !== '-') fields.reported_host = hostname
  const record: LogRecord = {
    timestamp: formatSeconds(micros),
    decky,
    service,
    event_type: eventType,
    attacker_ip: attacker.address,
    fields,
    msg,
    raw_line: raw,
    kind: service === 'mutator' && eventType === 'decky_mutated' ? 'mutation' : 'attacker',
  }
  return { time: micros / 1000, record }
}

interface Header {
  readonly timeStart: number
  readonly timeEnd: number
  readonly hostname: string
  readonly service: string
  readonly eventType: string
  /** offset of STRUCTURED-DATA */
  readonly rest: number
}

function readHeader(text: string): Header {
  const priEnd = text.indexOf('>')
  if (text.charCodeAt(0) !== LESS_THAN || !isPri(text, priEnd)) throw notOurs(text)
  if (!text.startsWith('1 ', priEnd + 1)) throw notOurs(text)
  const timeStart = priEnd + 3
  const timeEnd = text.indexOf(' ', timeStart)
  const hostEnd = text.indexOf(' ', timeEnd + 1)
  const appEnd = text.indexOf(' ', hostEnd + 1)
  const procEnd = text.indexOf(' ', appEnd + 1)
  const msgIdEnd = text.indexOf(' ', procEnd + 1)
  // A search from offset 0 after a failed one finds an earlier blank, so order shows every failure.
  const ordered =
    timeStart < timeEnd &&
    timeEnd + 1 < hostEnd &&
    hostEnd + 1 < appEnd &&
    appEnd + 1 < procEnd &&
    procEnd + 1 < msgIdEnd
  if (!ordered || hasControl(text, 0, msgIdEnd)) throw notOurs(text)
  return {
    timeStart,
    timeEnd,
    hostname: text.slice(timeEnd + 1, hostEnd),
    service: text.slice(hostEnd + 1, appEnd),
    eventType: text.slice(procEnd + 1, msgIdEnd),
    rest: msgIdEnd + 1,
  }
}

function isPri(text: string, end: number): boolean {
  if (end < 2 || end > 4) return false
  for (let at = 1; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code < ZERO || code > NINE) return false
  }
  return true
}

const notOurs = (text: string): SyslogError =>
  new SyslogError('SYSLOG_HEADER', `no RFC 5424 version 1 header: ${quote(text)}`)

/** Time, host, app, process and message id of a header inside MSG, then something. */
const INNER_HEADER = /-\s*\d{4}-\d\d-\d\dT\d\d\S*\s+(\S+)\s+(\S+)\s+\S+\s+(\S+)\s+(?=\S)/y

/** Shell lines of an SSH container arrive wrapped; a line with a message id of its own never does. */
function unwrap(text: string, outer: Header): Header | undefined {
  if (outer.eventType !== '-' || text.charCodeAt(outer.rest) !== DASH) return undefined
  INNER_HEADER.lastIndex = outer.rest
  const [whole, hostname = '', service = '', eventType = ''] = INNER_HEADER.exec(text) ?? []
  if (whole === undefined || hasControl(hostname + service + eventType)) return undefined
  return { ...outer, hostname, service, eventType, rest: outer.rest + whole.length }
}

function readBody(text: string, rest: number): Pick<LineParts, 'fields' | 'msg'> {
  const first = text.charCodeAt(rest)
  if (first === DASH) return { fields: {}, msg: text.slice(rest + 1).trimStart() }
  if (first !== OPEN) return { fields: {}, msg: text.slice(rest).trimStart() }
  const { fields, next } = readRelayParams(text, rest)
  return { fields, msg: next === undefined ? '' : text.slice(next).trimStart() }
}

const DASH = 45
const ZERO = 48
const NINE = 57
const LESS_THAN = 60
const OPEN = 91
