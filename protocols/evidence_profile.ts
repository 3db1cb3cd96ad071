/** The evidence against one address, gathered record by record within bounds. */
import { evidenceOf } from './attack_evidence.ts'
import { isInstrument } from './attack_phases.ts'
import type { Phase } from './clustering/ukc_phase.ts'
import type { RecordData } from './record_data.ts'
import { isInternal } from './traversal.ts'
import { addVisit, describeVisits, type Visit } from './visits.ts'

/** JSON. What came first is kept, so that evidence which others were judged by does not go again. */
export type EvidenceProfile = {
  payloads: string[]
  endpoints: string[]
  /** JSON of [principal, SHA-256 of the secret] */
  credentials: string[]
  /** by phase */
  commands: Record<string, string[]>
  visits: Visit[]
}

/** Of one address: payloads, endpoints, logins, and commands over all phases. */
const MAX_PAYLOADS = 128
const MAX_ENDPOINTS = 128
const MAX_CREDENTIALS = 128
const MAX_COMMANDS = 200

export const newEvidence = (): EvidenceProfile => ({
  payloads: [],
  endpoints: [],
  credentials: [],
  commands: {},
  visits: [],
})

/** Takes in what a record proves. @returns how much of it there was no room for */
export function addEvidence(profile: EvidenceProfile, time: number, record: RecordData): number {
  let lost = 0
  const phases: Phase[] = []
  const keep = (list: string[], value: string, isFull: boolean) => {
    if (list.includes(value)) return
    if (isFull) lost += 1
    else list.push(value)
  }
  for (const one of evidenceOf(record)) {
    if (one.kind === 'payload') {
      keep(profile.payloads, one.value, profile.payloads.length >= MAX_PAYLOADS)
    } else if (one.kind === 'c2') {
      keep(profile.endpoints, one.value, profile.endpoints.length >= MAX_ENDPOINTS)
    } else if (one.kind === 'credential') {
      keep(profile.credentials, one.value, profile.credentials.length >= MAX_CREDENTIALS)
    } else {
      phases.push(one.phase)
      const list = profile.commands[one.phase] ?? []
      keep(list, one.value, commandCount(profile) >= MAX_COMMANDS)
      if (list.length > 0) profile.commands[one.phase] = list
    }
  }
  if (record.decky === '' || isInternal(record.decky) || isInstrument(record)) return lost
  return lost + addVisit(profile.visits, time, record.decky, phasesOf(record, phases))
}

/**
 * Logins that say they have succeeded are how anybody comes in, and no phase of their own.
 * @param record with the fields that analysis sees
 * @param typed phases of the commands in it, in order
 */
export function phasesOf(record: RecordData, typed: readonly Phase[]): readonly Phase[] {
  if (typed.length > 0) return typed
  const { event_type, fields } = record
  const has = (name: string) => Object.hasOwn(fields, name) && typeof fields[name] === 'string'
  if (LOGINS.has(event_type) || has('secret_b64')) {
    return has('outcome') && fields.outcome === 'success' ? [] : ['credential_access']
  }
  // ATT&CK T1105: what a command had fetched; else it was brought.
  if (event_type === 'file_captured' || event_type === 'download_attempt') {
    return has('url') ? ['command_and_control'] : [BROUGHT[event_type]]
  }
  return event_type === 'tunnel_request' ? ['pivoting'] : []
}
const LOGINS = new Set(['auth_attempt', 'auth', 'auth_failure', 'login_attempt', 'bind'])
const BROUGHT = { file_captured: 'delivery', download_attempt: 'collection' } as const

const commandCount = ({ commands }: EvidenceProfile): number =>
  Object.values(commands).reduce((sum, list) => sum + list.length, 0)

/** As it stands in the column `evidence`, and as the clusterer reads it; copied, for it is told on. */
export const describeEvidence = (profile: EvidenceProfile) => ({
  payload_hashes: [...profile.payloads],
  c2_endpoints: [...profile.endpoints],
  credentials: profile.credentials.map((pair) => JSON.parse(pair) as [string, string]),
  commands_by_phase: Object.fromEntries(
    Object.entries(profile.commands).map(([phase, commands]) => [phase, [...commands]]),
  ),
  sessions: describeVisits(profile.visits),
})
