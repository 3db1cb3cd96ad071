/** Writes our own log lines; the other half of `decnet_log.ts`. */
import { replaceControl } from './control_characters.ts'
import { HEADER_LIMITS } from './decnet_log.ts'
import { formatIsoMicros } from './iso_time.ts'
import { SyslogError } from './protocol_error.ts'
import { quote } from './quote.ts'
import { RELAY_ID } from './relay_params.ts'
import { escapeValue } from './structured_data.ts'

/** A parameter's value; null and undefined leave the parameter out, a list is joined by commas. */
export type ParamValue = string | number | boolean | null | undefined | readonly string[]

/** What a line is to say. */
export interface LineContent {
  /** microseconds since the Unix epoch */
  readonly micros: number
  /** name of the decoy; cut to 255 characters, empty becomes `-`, as with the next two */
  readonly hostname: string
  /** cut to 48 characters */
  readonly service: string
  /** cut to 32 characters */
  readonly eventType: string
  readonly params?: Readonly<Record<string, ParamValue>>
  readonly msg?: string
  /** 0 to 7, default 6 (informational) */
  readonly severity?: number
}

/**
 * Formats one line, facility local0, without a line end. Control characters in values and MSG become
 * `?`, so that nothing an attacker sends can start a second line.
 * @throws {SyslogError} `SYSLOG_PARAM_NAME` for a name that is not `[A-Za-z0-9_]+`
 * @see RFC 5424 section 6
 */
export function formatDecnetLine(content: LineContent): string {
  const { micros, hostname, service, eventType, params = {}, msg = '', severity = 6 } = content
  const header = [
    `<${16 * 8 + severity}>1`,
    formatIsoMicros(micros),
    headerToken(hostname, HEADER_LIMITS.hostname),
    headerToken(service, HEADER_LIMITS.appName),
    '-',
    headerToken(eventType, HEADER_LIMITS.msgId),
  ].join(' ')
  const pairs = Object.entries(params).map(([name, value]) => formatParam(name, value))
  const data = pairs.join('') === '' ? '-' : `[${RELAY_ID}${pairs.join('')}]`
  return msg === '' ? `${header} ${data}` : `${header} ${data} ${replaceControl(msg)}`
}

function formatParam(name: string, value: ParamValue): string {
  if (!PARAM_NAME.test(name)) {
    throw new SyslogError('SYSLOG_PARAM_NAME', `not a parameter name: ${quote(name)}`)
  }
  if (value === null || value === undefined) return ''
  const text = typeof value === 'object' ? value.join(',') : String(value)
  return ` ${name}="${escapeValue(replaceControl(text))}"`
}

/** A header field is printable ASCII without blanks; anything else in it becomes `?`. */
function headerToken(text: string, limit: number): string {
  const token = text.replace(/[^!-~]/gu, '?').slice(0, limit)
  return token === '' ? '-' : token
}

const PARAM_NAME = /^\w+$/
