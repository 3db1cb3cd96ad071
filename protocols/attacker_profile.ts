/** All that is known of one address, kept up to date event by event. */
import {
  addPhase,
  describePhases,
  isInstrument,
  newPhases,
  type Phases,
  typedCommand,
} from './attack_phases.ts'
import { HEADER_TOOLS, readHeaders, toolsByHeader, toolsByRhythm } from './attack_tools.ts'
import { beaconOf, behaviorClass } from './behavior_class.ts'
import { analysisFields } from './command_fields.ts'
import {
  addEvidence,
  describeEvidence,
  type EvidenceProfile,
  newEvidence,
} from './evidence_profile.ts'
import { addMoment, describeIntervals, type Intervals, newIntervals } from './interval_stats.ts'
import { isoTime } from './iso_time.ts'
import { addMail, describeMail, type MailTargets } from './mail_targets.ts'
import { attackerUuid } from './named_uuid.ts'
import { realService } from './real_service.ts'
import type { RecordData } from './record_data.ts'
import { addToStack, describeStack, newStack, type Stack } from './stack_rollup.ts'
import { addContact, type Contact, isInternal } from './traversal.ts'

/** Kept of one address. JSON; times are event time, ms. */
export type Profile = {
  first: number
  last: number
  events: number
  services: string[]
  contacts: Contact[]
  commands: Typed[]
  intervals: Intervals
  phases: Phases
  /** of `HEADER_TOOLS` */
  tools: string[]
  stack: Stack
  mail: MailTargets
  bounties: number
  fingerprints: string[]
  credentials: number
  country: string | null
  countrySource: string | null
  asn: number | null
  evidence: EvidenceProfile
}
type Typed = { t: number; service: string; decky: string; command: string }

/** Services of one attacker, at most. */
const MAX_SERVICES = 256
/** Fingerprints of one attacker, and characters of all together: the newest stay. */
const MAX_FINGERPRINTS = 500
const MAX_FINGERPRINT = 4096

export const newProfile = (): Profile => ({
  first: 0,
  last: 0,
  events: 0,
  services: [],
  contacts: [],
  commands: [],
  intervals: newIntervals(),
  phases: newPhases(),
  tools: [],
  stack: newStack(),
  mail: {},
  bounties: 0,
  fingerprints: [],
  credentials: 0,
  country: null,
  countrySource: null,
  asn: null,
  evidence: newEvidence(),
})

/** What there was no room for, or no place. */
export interface Lost {
  readonly commands: number
  readonly domains: number
  /** too late to be placed among the others by time */
  readonly moments: number
  /** of payloads, endpoints, logins, commands and visits */
  readonly evidence: number
}

/** Takes a record in; the cost hangs on the bounds and not on how many came before. */
export function addRecord(
  profile: Profile,
  time: number,
  record: RecordData,
  maxCommands: number,
): Lost {
  profile.first = profile.events === 0 ? time : Math.min(profile.first, time)
  profile.last = profile.events === 0 ? time : Math.max(profile.last, time)
  profile.events += 1
  const { decky, event_type } = record
  const fields = analysisFields(record)
  const service = realService(record.service, fields)
  if (!isInternal(decky)) addContact(profile.contacts, { decky, t: time })
  const told = { service, event_type, fields }
  addToStack(profile.stack, time, told)
  addPhase(profile.phases, time, told)
  const isPlaced = isInstrument(told) || addMoment(profile.intervals, time)
  if (service !== 'sniffer' && service !== 'prober') addMember(profile.services, service)
  if (event_type === 'request') {
    for (const tool of toolsByHeader(readHeaders(fields.headers))) addMember(profile.tools, tool)
  }
  const command = typedCommand(told)
  let gone = 0
  if (command !== undefined) {
    profile.commands.push({ t: time, service, decky, command })
    gone = Math.max(profile.commands.length - maxCommands, 0)
    profile.commands.splice(0, gone)
  }
  const domains = addMail(profile.mail, time, told)
  const evidence = addEvidence(profile.evidence, time, { ...record, service, fields })
  return { commands: gone, domains, moments: isPlaced ? 0 : 1, evidence }
}

/** Counts a new row of the table bounty. @returns how many fingerprints had to go */
export function addBounty(profile: Profile, type: string, payload: object): number {
  profile.bounties += 1
  if (type !== 'fingerprint') return 0
  const text = JSON.stringify(payload)
  if (text.length > MAX_FINGERPRINT) return 1
  profile.fingerprints.push(text)
  const gone = Math.max(profile.fingerprints.length - MAX_FINGERPRINTS, 0)
  profile.fingerprints.splice(0, gone)
  return gone
}

function addMember(list: string[], member: string): void {
  if (list.length < MAX_SERVICES && !list.includes(member)) list.push(member)
}

/**
 * The rows of an attacker as they stand.
 * @param now when that is told, ms
 * @see spec/ingest-and-profile.md section 3
 */
export function describeProfile(ip: string, profile: Profile, now: number) {
  const deckies = profile.contacts.map(({ decky }) => decky)
  const services = [...profile.services].sort()
  const isTraversal = deckies.length >= 2
  return {
    attacker_uuid: attackerUuid(ip),
    attacker_ip: ip,
    first_seen: isoTime(profile.first),
    last_seen: isoTime(profile.last),
    event_count: profile.events,
    service_count: services.length,
    services,
    decky_count: deckies.length,
    deckies,
    traversal_path: isTraversal ? deckies.join(' → ') : null,
    is_traversal: isTraversal,
    bounty_count: profile.bounties,
    credential_count: profile.credentials,
    // As rows of the table bounty, which is how the clusterer knows them.
    fingerprints: profile.fingerprints.map((text) => ({
      bounty_type: 'fingerprint',
      payload: JSON.parse(text) as object,
    })),
    commands: profile.commands.map(({ t, ...typed }) => ({ ...typed, timestamp: isoTime(t) })),
    country_code: profile.country,
    country_source: profile.countrySource,
    asn: profile.asn,
    evidence: describeEvidence(profile.evidence),
    updated_at: isoTime(now),
    behavior: describeBehavior(profile),
    smtp_targets: describeMail(profile.mail, isoTime),
  }
}

function describeBehavior(profile: Profile) {
  const stats = describeIntervals(profile.intervals)
  const behavior_class = behaviorClass(stats, profile.services.length)
  const stack = describeStack(profile.stack)
  return {
    ...stack,
    behavior_class,
    ...beaconOf(behavior_class, stats),
    tool_guesses: toolGuesses(profile, behavior_class === 'beaconing' ? stats : undefined, stack),
    timing_stats: stats,
    phase_sequence: describePhases(profile.phases, isoTime),
  }
}

/** @param beacon undefined: no beacon, so its rhythm says nothing */
function toolGuesses(
  { tools }: Profile,
  beacon: ReturnType<typeof describeIntervals> | undefined,
  { os_guess }: { os_guess: string | null },
): string[] {
  const byHeader = HEADER_TOOLS.filter((tool) => tools.includes(tool))
  const first = os_guess === 'nmap' ? ['nmap'] : []
  return [...new Set([...first, ...(beacon ? toolsByRhythm(beacon) : []), ...byHeader])]
}

/** What others are told when a profile was written anew. */
export function announceProfile(row: ReturnType<typeof describeProfile>) {
  const { attacker_uuid, attacker_ip, event_count, service_count, decky_count } = row
  const { bounty_count, credential_count, is_traversal } = row
  const counts = { event_count, service_count, decky_count, bounty_count, credential_count }
  return { attacker_uuid, attacker_ip, ...counts, is_traversal }
}
