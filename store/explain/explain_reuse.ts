/** Why a secret counts as used again. */
import { UNKNOWN_ADDRESS } from '../../protocols/attacker_address.ts'
import { realService } from '../../protocols/real_service.ts'
import { factsOf } from '../../protocols/record_facts.ts'
import { reuseKeyText } from '../../protocols/reuse_finding.ts'
import type { Database, Row } from '../database.ts'
import { readRecords } from './attacker_records.ts'
import { textsOf } from './json_column.ts'
import { type Bounds, type Listed, listed, type RecordsRead, readingOf } from './learner.ts'
import { parts } from './merge_tree.ts'
import { type Behind, isoOf, momentOf } from './sightings.ts'

/** JSON. Every text in it may be an attacker's; times are ISO. */
export interface ReuseExplanation {
  readonly subject: 'reuse'
  readonly id: string
  readonly principal: string | null
  readonly secret_kind: string
  readonly secret_sha256: string
  /** as the oldest credential shows it; null: none is left */
  readonly secret_printable: string | null
  /** whether the same password gives the same bytes at every login */
  readonly comparable: boolean
  readonly target_count: number
  readonly attempt_count: number
  readonly attackers: number
  readonly confidence: number
  /** why that makes a finding, in words */
  readonly rule: string
  readonly first_seen: string
  readonly last_seen: string
  readonly updated_at: string
  /** by first attempt */
  readonly targets: Listed<TargetExplained>
  readonly doubts: readonly string[]
  readonly records: RecordsRead
}

export interface TargetExplained {
  readonly decky: string
  readonly service: string
  readonly attempts: number
  readonly first_seen: string
  readonly last_seen: string
  /** by first attempt */
  readonly addresses: Listed<string>
  /** log records of the attempts; null: none that was read */
  readonly behind: Behind | null
  /** ids of `credential.captured` events, from the ledger that the attempts are counted by */
  readonly captured: Listed<string>
}

/** Kinds whose bytes hang on a challenge of the server. */
const SALTED = /^(http_digest|postgres_md5|mysql_native|vnc_des|ntlmssp|scram)/
/** Addresses that are read: the first of each target that is told. */
const MAX_ADDRESSES = 5
/** Credentials of one secret that are looked at: one per address and target. */
const MAX_CREDENTIALS = 50_000

/** @param row of the table credential_reuse */
export async function explainReuse(
  database: Database,
  row: Row,
  bounds: Bounds,
): Promise<ReuseExplanation> {
  const key = {
    sha256: String(row.secret_sha256),
    kind: String(row.secret_kind),
    principal: String(row.principal_key),
  }
  const credentials = await database.select(
    `select id, attacker_ip, decky_name, service, secret_printable, first_seen, last_seen, attempt_count
      from credentials where secret_sha256 = ? and secret_kind = ? and principal_key = ?
      order by id limit ${MAX_CREDENTIALS}`,
    [key.sha256, key.kind, key.principal],
  )
  const targets = targetsOf(credentials)
  const shown = targets.slice(0, bounds.limit)
  const perTarget = Math.min(MAX_ADDRESSES, bounds.limit)
  const addresses = new Set(shown.flatMap(({ addresses: all }) => all.slice(0, perTarget)))
  addresses.delete(UNKNOWN_ADDRESS)
  const { behind, records } = await readAttempts(
    database,
    [...addresses].sort(),
    reuseKeyText(key),
    bounds,
  )
  const explained = {
    subject: 'reuse',
    id: String(row.id),
    principal: row.principal == null ? null : String(row.principal),
    secret_kind: key.kind,
    secret_sha256: key.sha256,
    secret_printable:
      credentials[0]?.secret_printable == null ? null : String(credentials[0].secret_printable),
    comparable: !SALTED.test(key.kind),
    target_count: Number(row.target_count),
    attempt_count: Number(row.attempt_count),
    attackers: textsOf(row.attacker_ips).length,
    confidence: Number(row.confidence),
    rule: ruleOf(key.kind, Number(row.target_count)),
    first_seen: isoOf(row.first_seen),
    last_seen: isoOf(row.last_seen),
    updated_at: isoOf(row.updated_at),
    targets: {
      total: targets.length,
      shown: await Promise.all(
        shown.map(async (target) => ({
          decky: target.decky,
          service: target.service,
          attempts: target.attempts,
          first_seen: isoOf(target.first),
          last_seen: isoOf(target.last),
          addresses: listed(target.addresses, bounds.limit),
          behind: behind(target),
          captured: await captured(database, target, bounds.limit),
        })),
      ),
    },
    records,
  } as const
  return { ...explained, doubts: doubtsOf(explained, targets) }
}

interface Target {
  readonly decky: string
  readonly service: string
  readonly ids: number[]
  readonly addresses: string[]
  attempts: number
  /** µs */
  first: number
  last: number
}

function targetsOf(credentials: readonly Row[]): Target[] {
  const targets = new Map<string, Target>()
  for (const row of credentials) {
    const [decky, service] = [String(row.decky_name), String(row.service)]
    const key = JSON.stringify([decky, service])
    const [first, last] = [Number(row.first_seen), Number(row.last_seen)]
    const known = targets.get(key) ?? {
      decky,
      service,
      ids: [],
      addresses: [],
      attempts: 0,
      first,
      last,
    }
    targets.set(key, known)
    known.ids.push(Number(row.id))
    known.addresses.push(String(row.attacker_ip))
    known.attempts += Number(row.attempt_count)
    known.first = Math.min(known.first, first)
    known.last = Math.max(known.last, last)
  }
  return [...targets.values()].sort((a, b) => a.first - b.first || (a.decky < b.decky ? -1 : 1))
}

/** Reads the addresses once, and tells the attempts apart by their targets. */
async function readAttempts(
  database: Database,
  addresses: readonly string[],
  login: string,
  { limit, records }: Bounds,
) {
  const found = new Map<string, { count: number; first: Seen; last: Seen; ids: string[] }>()
  const readings: [string, { read: number; complete: boolean }][] = []
  let left = records
  for (const [index, ip] of addresses.entries()) {
    const share = Math.max(Math.floor(left / (addresses.length - index)), 100)
    const reading = await readRecords(database, ip, share, (record) => {
      if (!factsOf(record).some(({ kind, value }) => kind === 'login' && value === login)) return
      const target = JSON.stringify([record.decky, realService(record.service, record.fields)])
      const seen = { time: record.time, id: record.event_id }
      const known = found.get(target)
      if (!known) {
        found.set(target, { count: 1, first: seen, last: seen, ids: [seen.id] })
        return
      }
      known.count += 1
      if (seen.time < known.first.time) known.first = seen
      if (seen.time >= known.last.time) known.last = seen
      if (known.ids.length < limit) known.ids.push(seen.id)
    })
    left -= reading.read
    readings.push([ip, reading])
  }
  const behind = ({ decky, service }: Target): Behind | null => {
    const known = found.get(JSON.stringify([decky, service]))
    if (!known) return null
    const { count, first, last, ids } = known
    return { count, first: momentOf(first), last: momentOf(last), event_ids: ids }
  }
  return { behind, records: readingOf(readings) }
}
interface Seen {
  readonly time: number
  readonly id: string
}

async function captured(
  database: Database,
  { ids, attempts }: Target,
  limit: number,
): Promise<Listed<string>> {
  const shown: string[] = []
  for (const some of parts(ids)) {
    if (shown.length >= limit) break
    const rows = await database.select(
      `select event_id from credential_sightings where credential_id in (${some.map(() => '?').join(', ')})
        order by credential_id, event_id limit ${limit - shown.length}`,
      some,
    )
    shown.push(...rows.map(({ event_id }) => String(event_id)))
  }
  return { total: attempts, shown }
}

function ruleOf(kind: string, targets: number): string {
  const same = SALTED.test(kind)
    ? 'the same answer to different challenges, so replayed or built in'
    : 'the same bytes'
  return `${same}, of one kind and one principal, on ${targets} distinct pairs of decky and service`
}

/** A finding never shrinks, so it may say more than is still there. */
function doubtsOf(
  { target_count, attempt_count, records }: Omit<ReuseExplanation, 'doubts'>,
  targets: readonly Target[],
): string[] {
  if (targets.length === 0)
    return ['its credentials are gone: there is nothing left to show for it']
  const doubts: string[] = []
  const attempts = targets.reduce((sum, target) => sum + target.attempts, 0)
  if (targets.length < target_count) {
    doubts.push(`it was found on ${target_count} targets, and ${targets.length} are still there`)
  }
  if (attempts !== attempt_count) {
    doubts.push(`it says ${attempt_count} attempts, and the credentials count ${attempts}`)
  }
  if (records.gone.length > 0) {
    doubts.push(`the log records of ${records.gone.length} addresses are gone`)
  }
  return doubts
}
