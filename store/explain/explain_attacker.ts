/** Why we say of an address what we say. */
import { HEADER_TOOLS } from '../../protocols/attack_tools.ts'
import { behaviorRule } from '../../protocols/behavior_class.ts'
import { quote } from '../../protocols/quote.ts'
import { bountyName, type FactKind } from '../../protocols/record_facts.ts'
import { readReuseKey } from '../../protocols/reuse_finding.ts'
import type { Database, Row } from '../database.ts'
import { readRecords } from './attacker_records.ts'
import { jsonOf, objectOf, textsIn, textsOf } from './json_column.ts'
import { type Bounds, type Listed, type RecordsRead, readingOf } from './learner.ts'
import { canonicalOf } from './merge_tree.ts'
import { type Behind, isoOf, type Moment, Sightings } from './sightings.ts'

/** Something that is said of an attacker, and the log records that say so. JSON. */
export interface Concluded {
  readonly value: string
  /** null: no record that was read says so */
  readonly behind: Behind | null
}

/** JSON. Every text in it may be an attacker's. */
export interface AttackerExplanation {
  readonly subject: 'attacker'
  readonly uuid: string
  readonly ip: string
  readonly first_seen: string
  readonly last_seen: string
  readonly updated_at: string
  readonly event_count: number
  readonly country: { readonly code: string; readonly source: string | null } | null
  readonly asn: number | null
  /** the one it was given, and the one that stands for that now */
  readonly identity: { readonly given: string; readonly canonical: string } | null
  readonly behavior: BehaviorExplained | null
  /** deckies in the order of first contact; null: it was on one alone */
  readonly traversal: readonly { readonly decky: string; readonly first: Moment | null }[] | null
  readonly services: Listed<Concluded>
  readonly deckies: Listed<Concluded>
  readonly tools: Listed<Concluded & { readonly by: 'header' | 'rhythm' | 'stack' }>
  readonly os: (Concluded & { readonly hop_distance: number | null }) | null
  readonly steps: StepsExplained
  readonly fingerprints: Listed<Concluded>
  readonly payloads: Listed<Concluded>
  readonly c2_endpoints: Listed<Concluded>
  readonly credentials: Listed<LoginExplained>
  readonly commands: Listed<Concluded & { readonly phase: string }>
  /** what the row says and the records do not, and the other way round */
  readonly doubts: readonly string[]
  readonly records: RecordsRead
}

export interface BehaviorExplained {
  readonly class: string
  /** the rule of the class, in words */
  readonly rule: string
  readonly event_count: number
  readonly services: number
  /** seconds */
  readonly mean_iat_s: number | null
  readonly cv: number | null
  readonly beacon_interval_s: number | null
  readonly beacon_jitter_pct: number | null
  readonly behind: Behind | null
}

/** Times are ISO; of the last record of reconnaissance and the first of what followed. */
export interface StepsExplained {
  readonly recon_end: string | null
  readonly action_start: string | null
  readonly latency_s: number | null
  readonly large_payloads: number
  readonly recon: Behind | null
  readonly action: Behind | null
  readonly large_payload: Behind | null
}

export interface LoginExplained {
  readonly principal: string | null
  readonly secret_kind: string
  readonly secret_sha256: string
  readonly behind: Behind
}

/** @param row of the table attackers */
export async function explainAttacker(
  database: Database,
  row: Row,
  bounds: Bounds,
): Promise<AttackerExplanation> {
  const ip = String(row.ip)
  const [behaviorRow] = await database.select(
    'select * from attacker_behavior where attacker_uuid = ?',
    [String(row.uuid)],
  )
  const evidence = objectOf(row.evidence)
  const names = {
    fingerprint: fingerprintNames(row.fingerprints),
    payload: textsIn(evidence.payload_hashes),
    c2: textsIn(evidence.c2_endpoints),
    command: byPhase(evidence).flatMap(([, commands]) => textsIn(commands)),
  }
  // Of what an attacker can invent without end only what was concluded is looked for.
  const looked = new Map(Object.entries(names).map(([kind, values]) => [kind, new Set(values)]))
  const sightings = new Sightings(bounds.limit)
  const reading = await readRecords(database, ip, bounds.records, (record) =>
    sightings.add(record, (kind, value) => looked.get(kind)?.has(value) ?? TOLD.has(kind)),
  )
  const behavior = behaviorRow && behaviorOf(behaviorRow, row, sightings)
  const concluded = (kind: FactKind, values: readonly string[]): Concluded[] =>
    values.map((value) => ({ value, behind: sightings.of(kind, value) }))
  const services = concluded('service', textsOf(row.services))
  const deckies = concluded('decky', textsOf(row.deckies))
  const fingerprints = concluded('fingerprint', names.fingerprint)
  const payloads = concluded('payload', names.payload)
  const c2 = concluded('c2', names.c2)
  const list = <T>(all: readonly T[]): Listed<T> => ({
    total: all.length,
    shown: all.slice(0, bounds.limit),
  })
  const explained = {
    subject: 'attacker',
    uuid: String(row.uuid),
    ip,
    first_seen: isoOf(row.first_seen),
    last_seen: isoOf(row.last_seen),
    updated_at: isoOf(row.updated_at),
    event_count: Number(row.event_count),
    country: row.country_code
      ? { code: String(row.country_code), source: textOrNull(row.country_source) }
      : null,
    asn: row.asn == null ? null : Number(row.asn),
    identity:
      row.identity_id == null
        ? null
        : {
            given: String(row.identity_id),
            canonical: await canonicalOf(database, 'attacker_identities', String(row.identity_id)),
          },
    behavior: behavior ?? null,
    traversal: Number(row.is_traversal)
      ? deckies.map(({ value, behind }) => ({ decky: value, first: behind?.first ?? null }))
      : null,
    services: list(services),
    deckies: list(deckies),
    tools: list(toolsOf(behaviorRow, sightings)),
    os: osOf(behaviorRow, sightings),
    steps: stepsOf(behaviorRow, sightings),
    fingerprints: list(fingerprints),
    payloads: list(payloads),
    c2_endpoints: list(c2),
    credentials: list(sightings.all('login').map(loginOf)),
    commands: list(commandsOf(evidence, sightings)),
    records: readingOf([[ip, reading]]),
  } as const
  const stored = { services, deckies, fingerprints, payloads, 'C2 endpoints': c2 }
  const doubts = doubtsOf(explained, stored, reading.complete)
  if (sightings.dropped > 0) {
    doubts.push(`it tried more logins than are counted: ${sightings.dropped} attempts are left out`)
  }
  return { ...explained, doubts }
}

/** What is told of whatever the records say. */
const TOLD: ReadonlySet<FactKind> = new Set([
  'service',
  'decky',
  'login',
  'tool',
  'os',
  'step',
  'rhythm',
])

function behaviorOf(row: Row, attacker: Row, sightings: Sightings): BehaviorExplained {
  const stats = objectOf(row.timing_stats)
  const event_count = numberOrNull(stats.event_count) ?? 0
  const mean_iat_s = numberOrNull(stats.mean_iat_s)
  const cv = numberOrNull(stats.cv)
  const services = Number(attacker.service_count)
  const { rule } = behaviorRule({ event_count, mean_iat_s, cv }, services)
  return {
    class: String(row.behavior_class),
    rule,
    event_count,
    services,
    mean_iat_s,
    cv,
    beacon_interval_s: numberOrNull(row.beacon_interval_s),
    beacon_jitter_pct: numberOrNull(row.beacon_jitter_pct),
    behind: sightings.of('rhythm', 'event'),
  }
}

function toolsOf(row: Row | undefined, sightings: Sightings) {
  return textsOf(row?.tool_guesses).map((value) => {
    const behind = sightings.of('tool', value)
    if (behind || HEADER_TOOLS.includes(value)) {
      const os = behind ? null : sightings.of('os', value)
      if (os) return { value, by: 'stack', behind: os } as const
      return { value, by: 'header', behind } as const
    }
    return { value, by: 'rhythm', behind: sightings.of('rhythm', 'event') } as const
  })
}

function osOf(row: Row | undefined, sightings: Sightings): AttackerExplanation['os'] {
  if (row?.os_guess == null) return null
  const value = String(row.os_guess)
  const hop_distance = numberOrNull(row.hop_distance)
  return { value, hop_distance, behind: sightings.of('os', value) }
}

function stepsOf(row: Row | undefined, sightings: Sightings): StepsExplained {
  const { recon_end_ts, exfil_start_ts, exfil_latency_s, large_payload_count } = objectOf(
    row?.phase_sequence,
  )
  return {
    recon_end: textOrNull(recon_end_ts),
    action_start: textOrNull(exfil_start_ts),
    latency_s: numberOrNull(exfil_latency_s),
    large_payloads: numberOrNull(large_payload_count) ?? 0,
    recon: sightings.of('step', 'recon'),
    action: sightings.of('step', 'action'),
    large_payload: sightings.of('step', 'large_payload'),
  }
}

/** Bounties in their two forms: with the payload by itself, or in a row. */
function fingerprintNames(column: unknown): string[] {
  const list = jsonOf(column)
  if (!Array.isArray(list)) return []
  const names = list.map((entry) => {
    const payload = (entry as { payload?: unknown } | null)?.payload ?? entry
    return typeof payload === 'object' && payload !== null
      ? bountyName('fingerprint', payload as Readonly<Record<string, unknown>>)
      : ''
  })
  return [...new Set(names.filter((name) => name !== ''))]
}

function loginOf({ value, behind }: { value: string; behind: Behind }): LoginExplained {
  const { sha256, kind, principal } = readReuseKey(value)
  return { principal: principal || null, secret_kind: kind, secret_sha256: sha256, behind }
}

const byPhase = ({ commands_by_phase: phases }: Readonly<Record<string, unknown>>) =>
  typeof phases === 'object' && phases !== null ? Object.entries(phases) : []

function commandsOf(evidence: Readonly<Record<string, unknown>>, sightings: Sightings) {
  return byPhase(evidence).flatMap(([phase, commands]) =>
    textsIn(commands).map((value) => ({ value, phase, behind: sightings.of('command', value) })),
  )
}

/** What is told of two columns that should agree, and do not. */
function doubtsOf(
  { event_count, behavior, records }: Omit<AttackerExplanation, 'doubts'>,
  stored: Readonly<Record<string, readonly Concluded[]>>,
  complete: boolean,
): string[] {
  if (records.read === 0) return ['its log records are gone: there is nothing left to show for it']
  const doubts: string[] = []
  if (behavior) {
    const { rule, behavior: fired } = behaviorRule(behavior, behavior.services)
    if (fired !== behavior.class) {
      doubts.push(
        `its class is ${quote(behavior.class)}, but by its numbers it is ${fired}: ${rule}`,
      )
    }
  }
  if (!complete) return doubts
  for (const [name, list] of Object.entries(stored)) {
    const bare = list.filter(({ behind }) => behind === null).length
    if (bare > 0) doubts.push(`no log record says so any more of ${bare} of ${list.length} ${name}`)
  }
  if (records.read < event_count) {
    doubts.push(`of ${event_count} events it was judged by, ${records.read} are still there`)
  } else if (records.read > event_count) {
    doubts.push(`${records.read - event_count} log records are newer than its profile`)
  }
  return doubts
}

const textOrNull = (value: unknown): string | null => (value == null ? null : String(value))
const numberOrNull = (value: unknown): number | null => (value == null ? null : Number(value))
