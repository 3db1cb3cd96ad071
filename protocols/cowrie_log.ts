/** Turns the JSON log of a Cowrie honeypot (SSH, Telnet) into records like our own. */
import { UNKNOWN_ADDRESS } from './attacker_address.ts'
import { encodeSecret } from './captured_secret.ts'
import { HEADER_LIMITS, type ParsedLine } from './decnet_log.ts'
import { parseIp } from './ip_address.ts'
import { formatSeconds, isoMicros } from './iso_time.ts'
import { ProtocolError } from './protocol_error.ts'
import { parsePythonBytes } from './python_bytes.ts'
import { quote } from './quote.ts'

/** One parsed line of Cowrie's log. */
export type CowrieEntry = Readonly<Record<string, unknown>> & { readonly eventid: string }

/** Longer lines are refused: they would hold the whole of a file that was transferred. */
export const MAX_COWRIE_LENGTH = 1024 * 1024

/**
 * @throws {ProtocolError} `COWRIE_LENGTH` above `MAX_COWRIE_LENGTH` characters, `COWRIE_JSON` for a
 *   line that is no JSON, `COWRIE_EVENT` for JSON that is no object with an `eventid`
 */
export function parseCowrieLine(line: string): CowrieEntry {
  if (line.length > MAX_COWRIE_LENGTH) {
    throw new ProtocolError('COWRIE_LENGTH', `a line of ${line.length} characters`)
  }
  let entry: unknown
  try {
    entry = JSON.parse(line)
  } catch (cause) {
    throw new ProtocolError('COWRIE_JSON', `not JSON: ${quote(line)}`, { cause })
  }
  if (isCowrieEntry(entry)) return entry
  throw new ProtocolError('COWRIE_EVENT', `no object with an eventid: ${quote(line)}`)
}

/** Whether a JSON value is an object with an `eventid`. */
export const isCowrieEntry = (value: unknown): value is CowrieEntry =>
  typeof value === 'object' &&
  value !== null &&
  'eventid' in value &&
  typeof value.eventid === 'string'

/** What one kind of Cowrie event becomes. */
interface Mapping {
  readonly event_type: string
  /** Cowrie's key to ours, where it differs from `RENAMED` */
  readonly renamed?: readonly [from: string, to: string]
  readonly added?: Readonly<Record<string, string>>
}

/** By eventid without its `cowrie.`; the rest keep their name. */
const MAPPINGS: ReadonlyMap<string, Mapping> = new Map<string, Mapping>([
  ['session.connect', { event_type: 'connect' }],
  ['session.closed', { event_type: 'disconnect' }],
  ['session.params', { event_type: 'session_params' }],
  ['login.success', { event_type: 'auth_attempt', added: { outcome: 'success' } }],
  ['login.failed', { event_type: 'auth_attempt', added: { outcome: 'failure' } }],
  ['client.version', { event_type: 'ssh_client_banner', renamed: ['version', 'ssh_version'] }],
  ['client.kex', { event_type: 'hassh' }],
  ['command.input', { event_type: 'command' }],
  // Cowrie's verdict on a command it has logged as input before: not a second command.
  ['command.success', { event_type: 'command_result', added: { outcome: 'success' } }],
  ['command.failed', { event_type: 'command_result', added: { outcome: 'failure' } }],
  ['session.file_download', { event_type: 'file_captured' }],
  ['session.file_upload', { event_type: 'file_captured' }],
  [
    'session.file_download.failed',
    { event_type: 'download_attempt', added: { outcome: 'failure' } },
  ],
  ['direct-tcpip.request', { event_type: 'tunnel_request' }],
  ['direct-tcpip.data', { event_type: 'tunnel_data', renamed: ['data', 'payload_b64'] }],
  [
    'log.closed',
    { event_type: 'session_recorded', renamed: ['size', 'bytes'], added: { truncated: 'false' } },
  ],
])

const RENAMED: ReadonlyMap<string, string> = new Map([
  ['session', 'sid'],
  ['input', 'command'],
  ['shasum', 'sha256'],
  ['outfile', 'stored_as'],
  ['ttylog', 'stored_as'],
  ['destfile', 'orig_path'],
  ['filename', 'orig_path'],
  ['duration', 'duration_s'],
  ['hasshAlgorithms', 'hassh_algorithms'],
  ['kexAlgs', 'kex_algorithms'],
  ['keyAlgs', 'host_key_algorithms'],
  ['encCS', 'encryption_c2s'],
  ['macCS', 'mac_c2s'],
  ['compCS', 'compression_c2s'],
  ['langCS', 'languages_c2s'],
])

/** Keys that become parts of the record itself, and the secret, which is encoded. */
const NOT_FIELDS = new Set(['eventid', 'sensor', 'timestamp', 'message', 'password', '__proto__'])

/** Cowrie writes at most some twenty keys; an entry with more was not written by it. */
const MAX_FIELDS = 64
const MAX_NAME_LENGTH = 64

/**
 * Makes a record. `decky` is the sensor, `sid` among the fields the session; `src_ip` alone tells the
 * attacker, since messages quote what the attacker typed. Numbers become text, lists are joined by
 * commas, and nested objects stay in `raw_line` only.
 * @param origin `service`: protocol of the session; `receivedAt`: ms since the epoch, where the entry
 *   has no time; `raw`: the line
 */
export function cowrieRecord(
  entry: CowrieEntry,
  origin: { readonly service: string; readonly receivedAt: number; readonly raw: string },
): ParsedLine {
  const kind = entry.eventid.replace(/^cowrie\./, '')
  const mapping = MAPPINGS.get(kind) ?? { event_type: kind.replace(/[^\w]+/g, '_') }
  const micros = isoMicros(textOf(entry.timestamp) ?? '')
  const time = Number.isNaN(micros) ? origin.receivedAt : micros / 1000
  const { message } = entry
  const record = {
    timestamp: formatSeconds(Number.isNaN(micros) ? time * 1000 : micros),
    decky: textOf(entry.sensor)?.slice(0, HEADER_LIMITS.hostname) || '-',
    service: origin.service,
    event_type: mapping.event_type.slice(0, HEADER_LIMITS.msgId) || '-',
    attacker_ip: parseIp(textOf(entry.src_ip) ?? '') ?? UNKNOWN_ADDRESS,
    fields: cowrieFields(entry, mapping, origin.service),
    msg: typeof message === 'string' ? message.toWellFormed() : '',
    raw_line: origin.raw.toWellFormed(),
    kind: 'attacker' as const,
  }
  return { time, record }
}

function cowrieFields(entry: CowrieEntry, mapping: Mapping, service: string) {
  const fields: Record<string, string> = {}
  for (const [key, value] of Object.entries(entry).slice(0, MAX_FIELDS)) {
    const text = NOT_FIELDS.has(key) ? undefined : textOf(value)
    if (text === undefined) continue
    const name = nameOf(key, mapping)
    fields[name] = CONVERTED.get(name)?.(text) ?? text
  }
  Object.assign(fields, mapping.added)
  if (mapping.event_type === 'session_recorded') fields.service = service
  if (mapping.event_type !== 'auth_attempt') return fields
  if (fields.username !== undefined) fields.principal = fields.username
  // Without a password the login was by key.
  const secret = textOf(entry.password)
  return secret === undefined ? fields : Object.assign(fields, encodeSecret(secret))
}

function nameOf(key: string, { renamed }: Mapping): string {
  const name = renamed?.[0] === key ? renamed[1] : RENAMED.get(key)
  return name ?? key.replace(/\W+/g, '_').slice(0, MAX_NAME_LENGTH)
}

/** Fields whose form, not only their name, is ours. */
const CONVERTED: ReadonlyMap<string, (text: string) => string> = new Map([
  ['ssh_version', (text: string) => parsePythonBytes(text)?.toString('latin1') ?? text],
  [
    'payload_b64',
    (text: string) => (parsePythonBytes(text) ?? Buffer.from(text)).toString('base64'),
  ],
  [
    'duration_s',
    (text: string) => (Number.isFinite(Number(text)) ? Number(text).toFixed(3) : text),
  ],
])

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value.toWellFormed()
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (!Array.isArray(value)) return undefined
  return value.map((item) => (Array.isArray(item) ? undefined : textOf(item)) ?? '').join(',')
}
