/** What one log record says of an attacker, in the words of the conclusions that it is behind. */
import { hash } from 'node:crypto'
import { evidenceOf } from './attack_evidence.ts'
import { addPhase, isInstrument, newPhases } from './attack_phases.ts'
import { readHeaders, toolsByHeader } from './attack_tools.ts'
import { bountiesOf } from './bounty/bounties_of.ts'
import { principalOf, secretBytes } from './captured_secret.ts'
import { readFingerprints } from './clustering/fingerprint_entries.ts'
import type { Phase } from './clustering/ukc_phase.ts'
import { analysisFields } from './command_fields.ts'
import { phasesOf } from './evidence_profile.ts'
import { realService } from './real_service.ts'
import { type Fields, fieldText, type RecordData } from './record_data.ts'
import { reuseKeyText } from './reuse_finding.ts'
import { addToStack, describeStack, newStack } from './stack_rollup.ts'
import { isInternal } from './traversal.ts'

export interface Fact {
  readonly kind: FactKind
  /** as the conclusion has it */
  readonly value: string
}

export type FactKind =
  /** what an attacker talked to, and where */
  | 'service'
  | 'decky'
  /** what addresses are compared by */
  | 'ja3'
  | 'hassh'
  | 'payload'
  | 'c2'
  | 'command'
  /** `phaseOn` */
  | 'phase'
  /** a bounty: its type, a blank, and what tells it from others of the type */
  | 'fingerprint'
  | 'ip_leak'
  | 'artifact'
  /** `reuseKeyText` of a login */
  | 'login'
  /** a tool by what it calls itself, and an operating system by its stack */
  | 'tool'
  | 'os'
  /** `recon`, `action` or `large_payload` */
  | 'step'
  /** `event`: it counts for the rhythm */
  | 'rhythm'

/**
 * Never throws, whatever the record holds. Found by the functions that the profile, the clusters and
 * the findings are made by, each asked about this record alone.
 */
export function factsOf(record: RecordData): Fact[] {
  const { decky, event_type } = record
  const fields = analysisFields(record)
  const service = realService(record.service, fields)
  const told = { service, event_type, fields }
  const facts: Fact[] = []
  const add = (kind: FactKind, value: string) => facts.push({ kind, value })
  if (service !== 'sniffer' && service !== 'prober') add('service', service)
  if (!isInternal(decky)) add('decky', decky)
  if (!isInstrument(told)) add('rhythm', 'event')
  addSteps(told, add)
  if (event_type === 'request') {
    for (const tool of toolsByHeader(readHeaders(fields.headers))) add('tool', tool)
  }
  for (const { bounty_type, payload } of bountiesOf(record, [])) {
    add(bounty_type, bountyName(bounty_type, payload))
    const { ja3, hassh } = readFingerprints([{ payload }])
    for (const value of ja3) add('ja3', value)
    for (const value of hassh) add('hassh', value)
  }
  const typed: Phase[] = []
  for (const one of evidenceOf(record)) {
    if (one.kind === 'payload' || one.kind === 'c2') add(one.kind, one.value)
    if (one.kind !== 'command') continue
    add('command', one.value)
    typed.push(one.phase)
  }
  if (!isInternal(decky) && !isInstrument(told)) {
    const phases = phasesOf({ ...record, service, fields }, typed)
    for (const phase of new Set(phases)) add('phase', phaseOn(phase, decky))
  }
  const key = loginKey(fields)
  if (key !== undefined) add('login', key)
  return facts
}

/** The value of a fact of the kind `phase`. */
export const phaseOn = (phase: Phase, decky: string): string => JSON.stringify([phase, decky])

type Told = Parameters<typeof addPhase>[2]
type Add = (kind: FactKind, value: string) => void

function addSteps(told: Told, add: Add): void {
  const phases = newPhases()
  addPhase(phases, 0, told)
  if (phases.reconEnd !== null) add('step', 'recon')
  if (phases.actionStart !== null) add('step', 'action')
  if (phases.largePayloads > 0) add('step', 'large_payload')
  if (!STACK_EVENTS.has(told.event_type)) return
  const stack = newStack()
  addToStack(stack, 0, told)
  const { os_guess } = describeStack(stack)
  if (os_guess !== null) add('os', os_guess)
}

/** Spares most records the making of a stack that stays empty. */
const STACK_EVENTS = new Set(['tcp_syn_fingerprint', 'tcpfp_fingerprint'])

/** Which credential a record tried; undefined: none, or a secret that cannot be read. */
function loginKey(fields: Fields): string | undefined {
  const base64 = fieldText(fields, 'secret_b64')
  const bytes = base64 === undefined ? undefined : secretBytes(base64)
  if (bytes === undefined) return undefined
  return reuseKeyText({
    sha256: hash('sha256', bytes, 'hex'),
    kind: (fieldText(fields, 'secret_kind') || 'plaintext').slice(0, 32).toWellFormed(),
    principal: (principalOf(fields) ?? '').slice(0, 256).toWellFormed(),
  })
}

/** What tells bounties of one type apart, the best first. */
const NAMES = [
  ...['ja3', 'hash', 'value', 'order_hash', 'subject_cn', 'claimed_ip', 'real_ip_claim'],
  ...['sha256', 'stored_as', 'mechanisms', 'rtt_ms'],
]
const MAX_NAME = 128

/** @returns e.g. `ja3 e7d705a3286e19ea42f587b344ee6865` */
export function bountyName(type: string, payload: Fields): string {
  const kind = fieldText(payload, 'fingerprint_type') ?? fieldText(payload, 'kind') ?? type
  const name =
    NAMES.map((key) => fieldText(payload, key)).find((value) => value !== undefined) ?? ''
  return `${kind} ${name}`.trimEnd().slice(0, MAX_NAME).toWellFormed()
}
