/** Reads a line of any syslog format into the one kind of record. */
import { hasControl } from './control_characters.ts'
import {
  HEADER_LIMITS,
  type LineOrigin,
  MAX_LINE_BYTES,
  makeLine,
  type ParsedLine,
  parseDecnetLine,
} from './decnet_log.ts'
import { SyslogError } from './protocol_error.ts'
import { quote } from './quote.ts'
import { RELAY_ID, setField } from './relay_params.ts'
import { parseRfc3164 } from './rfc3164.ts'
import { parseRfc5424 } from './rfc5424.ts'
import type { SdElement } from './structured_data.ts'
import { cutText } from './utf8_text.ts'

/** `decnet` is `parseDecnetLine`, which reads any RFC 5424 line of version 1. */
export type LogFormat = 'decnet' | 'rfc5424' | 'rfc3164'

/**
 * Reads one line by the format its first characters show, so that a refusal names what is wrong
 * with the format the sender meant.
 * @returns undefined for an empty line
 * @throws {SyslogError} `SYSLOG_HEADER` for a line that does not start with `<`, `SYSLOG_FORMAT` for a
 *   format that is not in `formats`; else as the parsers
 */
export function parseLogLine(
  line: string,
  origin: LineOrigin & { readonly formats: ReadonlySet<LogFormat> },
): ParsedLine | undefined {
  if (line === '' || line.trim() === '') return undefined
  if (line[0] !== '<') {
    throw new SyslogError('SYSLOG_HEADER', `does not start with a priority: ${quote(line)}`)
  }
  const { formats } = origin
  const version = VERSION.exec(line.slice(0, 10))?.[1]
  if (version === '1' && formats.has('decnet')) return parseDecnetLine(line, origin)
  if (version !== undefined && formats.has('rfc5424')) return fromRfc5424(line, origin)
  if (version === undefined && formats.has('rfc3164')) return fromRfc3164(line, origin)
  throw new SyslogError('SYSLOG_FORMAT', `of a format that is not accepted: ${quote(line)}`)
}

/** `<PRI>VERSION `: RFC 5424; what RFC 3164 has there starts with a letter. */
const VERSION = /^<\d{1,3}>(\d{1,3}) /

function fromRfc5424(line: string, { receivedAt, decky }: LineOrigin): ParsedLine {
  const { raw, text } = bounded(line)
  const parsed = parseRfc5424(text)
  return makeLine({
    micros: parsed.timeMicros ?? receivedAt * 1000,
    hostname: parsed.hostname ?? '-',
    decky,
    service: parsed.appName ?? '-',
    eventType: parsed.msgId ?? '-',
    fields: sdFields(parsed.structuredData),
    // trimStart takes a byte order mark for a blank.
    msg: parsed.message?.trimStart() ?? '',
    raw,
  })
}

/** Our own parameters by their name, others under their SD-ID: `origin.ip` is no attacker. */
function sdFields(elements: readonly SdElement[]): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const { id, params } of elements) {
    for (const [name, value] of params) {
      setField(fields, id === RELAY_ID ? name : qualified(id, name), value)
    }
  }
  return fields
}

/** Names of parameters that were put together already: senders use the same few all the time. */
const qualifiedNames = new Map<string, Map<string, string>>()
/** Ids, and names of each, that are remembered: both come from outside. */
const MOST_QUALIFIED = 64

function qualified(id: string, name: string): string {
  const known = qualifiedNames.get(id)
  const found = known?.get(name)
  if (found !== undefined) return found
  const made = `${id}.${name}`
  if (known && known.size < MOST_QUALIFIED) known.set(name, made)
  else if (!known && qualifiedNames.size < MOST_QUALIFIED)
    qualifiedNames.set(id, new Map([[name, made]]))
  return made
}

function fromRfc3164(line: string, { receivedAt, decky }: LineOrigin): ParsedLine {
  const { raw, text } = bounded(line)
  const { timeMicros, hostname = '-', appName = '-', message } = parseRfc3164(text, receivedAt)
  if (hasControl(hostname) || hasControl(appName)) {
    throw new SyslogError('SYSLOG_HOSTNAME', `control characters in the header: ${quote(line)}`)
  }
  return makeLine({
    micros: timeMicros,
    hostname: hostname.slice(0, HEADER_LIMITS.hostname),
    decky,
    service: appName.slice(0, HEADER_LIMITS.appName),
    eventType: '-',
    fields: {},
    msg: message.trimStart(),
    raw,
  })
}

function bounded(line: string): { raw: string; text: string } {
  const raw = line.toWellFormed()
  return { raw, text: cutText(raw.slice(0, MAX_LINE_BYTES), MAX_LINE_BYTES).text.trimEnd() }
}
