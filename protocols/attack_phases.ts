/** Which part of an attack an event belongs to, and how the parts follow one another. */
import { rounded } from './interval_stats.ts'
import type { Fields, RecordData } from './record_data.ts'

/** Phases of one attacker so far. JSON; times are event time, ms. */
export type Phases = {
  reconEnd: number | null
  actionStart: number | null
  largePayloads: number
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/))

const RECON = words(
  `scan connection banner probe login_attempt auth auth_failure connect auth_attempt auth_start bind
  auth_response rdp_cookie connection_request version`,
)
const ACTION = words(
  `download upload file_transfer data_exfil command exec query shell_input file_captured
  download_attempt retr message_accepted`,
)
const NOISE = words(
  `startup shutdown config_error parse_error unknown_packet unknown_opcode unknown_command
  protocol_error`,
)
/** Events that carry what an attacker typed, and the fields that may hold it. */
const COMMANDS = words('command exec query input shell_input execute run sql_query redis_command')
const COMMAND_FIELDS = ['command', 'query', 'input', 'line', 'sql', 'cmd'] as const
/** A question to a name server is no action. */
const ASKED = words('dns llmnr')

const SIZE_FIELDS = ['bytes', 'size', 'content_length'] as const
const LARGE = 1_048_576

/** One event, as far as it matters here. */
type Told = Pick<RecordData, 'service' | 'event_type' | 'fields'>

export const newPhases = (): Phases => ({ reconEnd: null, actionStart: null, largePayloads: 0 })

/** Events of our own making, and those of instruments, say nothing of an attacker's rhythm. */
export const isInstrument = ({ service, event_type }: Told): boolean =>
  service === 'sniffer' || service === 'prober' || NOISE.has(event_type)

/** Takes an event in, in any order. */
export function addPhase(phases: Phases, time: number, event: Told): void {
  const { event_type, fields } = event
  if (RECON.has(event_type)) phases.reconEnd = Math.max(phases.reconEnd ?? time, time)
  const isQuestion = event_type === 'query' && ASKED.has(event.service)
  if (ACTION.has(event_type) && !isQuestion) {
    phases.actionStart = Math.min(phases.actionStart ?? time, time)
  }
  if (SIZE_FIELDS.some((name) => isLarge(own(fields, name)))) phases.largePayloads += 1
}

function isLarge(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && value >= LARGE
  return typeof value === 'string' && /^\s*\d{1,15}\s*$/.test(value) && Number(value) >= LARGE
}

/** `isoOf` prints a time. @see spec/ingest-and-profile.md section 3.7 */
export function describePhases(phases: Phases, isoOf: (time: number) => string) {
  const { reconEnd, actionStart, largePayloads } = phases
  const follows = reconEnd !== null && actionStart !== null && actionStart >= reconEnd
  return {
    recon_end_ts: reconEnd === null ? null : isoOf(reconEnd),
    exfil_start_ts: actionStart === null ? null : isoOf(actionStart),
    exfil_latency_s: follows ? rounded((actionStart - reconEnd) / 1000, 3) : null,
    large_payload_count: largePayloads,
  }
}

/** Characters of a command that are kept. */
const MAX_COMMAND = 1024

/**
 * @param fields as analysis sees them, `cmd=` in MSG included
 * @returns what was typed; undefined where nothing was
 */
export function typedCommand({ event_type, service, fields }: Told): string | undefined {
  if (!COMMANDS.has(event_type) || ASKED.has(service)) return undefined
  for (const name of COMMAND_FIELDS) {
    const value = own(fields, name)
    if (typeof value !== 'string' || value === '') continue
    const args = own(fields, 'args')
    const isRedis = service === 'redis' && typeof args === 'string' && args !== ''
    return (isRedis ? `${value} ${args}` : value).slice(0, MAX_COMMAND).toWellFormed()
  }
  return undefined
}

const own = (fields: Fields, name: string): unknown =>
  Object.hasOwn(fields, name) ? fields[name] : undefined
