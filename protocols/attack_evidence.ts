/** What one log record proves of an attacker, in values that two attackers can be compared by. */
import { hash } from 'node:crypto'
import { typedCommand } from './attack_phases.ts'
import { commandEndpoints, urlEndpoints } from './c2_endpoint.ts'
import { principalOf, secretBytes } from './captured_secret.ts'
import type { Phase } from './clustering/ukc_phase.ts'
import { analysisFields } from './command_fields.ts'
import { commandPhase } from './command_phase.ts'
import { splitHostPort } from './ip_address.ts'
import { fieldText, type RecordData } from './record_data.ts'
import { simpleCommands } from './shell_words.ts'
import { isSpecialAddress } from './special_address.ts'

/** `value` is what is compared; no secret is in any of them. */
export type Evidence =
  /** SHA-256 of a file, hex, lower case */
  | { readonly kind: 'payload'; readonly value: string }
  /** `host` or `host:port`, lower case */
  | { readonly kind: 'c2'; readonly value: string }
  /** JSON of [principal, SHA-256 of the secret], as observations are compared by */
  | {
      readonly kind: 'credential'
      readonly value: string
      readonly principal: string
      readonly secret_sha256: string
    }
  /** One simple command, blanks evened out, 256 characters at most */
  | { readonly kind: 'command'; readonly value: string; readonly phase: Phase }

/** Events that tell the hash of a file an attacker brought. */
const FILES = new Set(['file_captured', 'upload', 'download', 'file_transfer'])
/** Events that tell where a file came from or was to come from. */
const FETCHES = new Set([...FILES, 'download_attempt'])
const SHA256 = /^[0-9a-f]{64}$/
/** Of a file with nothing in it, which anybody can have. */
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
/** Kinds of secrets that are the same at every login; an answer to a challenge never is. */
const LASTING = new Set(['plaintext', 'http_bearer', 'snmp_community'])
const MAX_COMMAND = 256
const MAX_PRINCIPAL = 256
const MAX_URL = 2048

/**
 * Never throws, whatever the record holds. Our own side (the decky, private and local addresses) and
 * the attacker's own address are no C2 endpoints.
 * @returns what there is, in the order payload, c2, credential, command; each value once
 */
export function evidenceOf(record: RecordData): Evidence[] {
  const { event_type, service } = record
  const fields = analysisFields(record)
  const told = { ...record, fields }
  const typed = typedCommand({ service, event_type, fields })
  return [
    ...payloads(told),
    ...endpoints(told, typed),
    ...credentials(told),
    ...(typed === undefined ? [] : commands(typed)),
  ]
}

function payloads({ event_type, fields }: RecordData): Evidence[] {
  if (!FILES.has(event_type)) return []
  const value = fieldText(fields, 'sha256')?.toLowerCase()
  if (value === undefined || !SHA256.test(value) || value === EMPTY) return []
  return [{ kind: 'payload', value }]
}

function endpoints(record: RecordData, typed: string | undefined): Evidence[] {
  const { attacker_ip, decky, event_type, fields } = record
  const url = FETCHES.has(event_type) ? fieldText(fields, 'url') : undefined
  const found = [
    ...(url === undefined ? [] : urlEndpoints(url.slice(0, MAX_URL))),
    ...(typed === undefined ? [] : commandEndpoints(typed)),
  ]
  const own = new Set([attacker_ip, decky.toLowerCase(), fieldText(fields, 'dst_ip')])
  return [...new Set(found)]
    .filter((value) => {
      const { host } = splitHostPort(value)
      return !own.has(host) && !isSpecialAddress(host)
    })
    .map((value) => ({ kind: 'c2', value }))
}

function credentials({ fields }: RecordData): Evidence[] {
  const base64 = fieldText(fields, 'secret_b64')
  if (base64 === undefined || !LASTING.has(fieldText(fields, 'secret_kind') || 'plaintext'))
    return []
  const bytes = secretBytes(base64)
  if (bytes === undefined) return []
  const principal = (principalOf(fields) ?? '').slice(0, MAX_PRINCIPAL).toWellFormed()
  const secret_sha256 = hash('sha256', bytes, 'hex')
  const value = JSON.stringify([principal, secret_sha256])
  return [{ kind: 'credential', value, principal, secret_sha256 }]
}

function commands(typed: string): Evidence[] {
  const found = new Map<string, Evidence>()
  for (const command of simpleCommands(typed)) {
    const phase = commandPhase(command)
    if (phase === undefined) continue
    const value = command.join(' ').slice(0, MAX_COMMAND).toWellFormed()
    found.set(value, { kind: 'command', value, phase })
  }
  return [...found.values()]
}
