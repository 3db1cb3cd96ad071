/** What the tables say was found: the table at the end of a run. */
import { isShown } from './cluster_tables.ts'
import type { Database, Row } from './database.ts'

interface Count {
  readonly name: string
  /** Log rows. */
  readonly events: number
}

interface FoundAttacker extends Count {
  readonly deckies: number
  readonly services: number
}

interface FoundCredential {
  readonly principal: string | null
  /** Display form, printable ASCII; null where the emitter sent none. */
  readonly secret: string | null
  readonly kind: string
  readonly attempts: number
  readonly attackers: number
  /** Distinct (decky, service) pairs. */
  readonly targets: number
}

/** Addresses that are the same hands. */
interface FoundIdentity {
  readonly uuid: string
  readonly addresses: number
  /** how many identities work on the same campaign; null: that was not looked into */
  readonly campaign: number | null
}

/** Each list is by count, greatest first, then by name; texts are as attackers sent them. */
export interface Findings {
  readonly totals: {
    readonly events: number
    readonly attackers: number
    readonly deckies: number
    readonly services: number
    readonly credentials: number
    readonly attempts: number
    readonly bounties: number
    /** Secrets that one principal used on several targets. */
    readonly reused: number
    /** Those that are part of another, or have no members, are not counted, here and below. */
    readonly identities: number
    readonly campaigns: number
    /** Event time of the first and the last log row, ms; undefined when there is none. */
    readonly firstSeen: number | undefined
    readonly lastSeen: number | undefined
  }
  readonly attackers: readonly FoundAttacker[]
  readonly deckies: readonly Count[]
  readonly services: readonly Count[]
  readonly credentials: readonly FoundCredential[]
  /** of two addresses and more */
  readonly identities: readonly FoundIdentity[]
}

/** Whether anybody has written logs, or concluded anything, yet. */
export async function hasRows(database: Database): Promise<boolean> {
  const [row] = await database.select(
    `select exists (select 1 from logs) + exists (select 1 from attackers)
      + exists (select 1 from credential_reuse) as held`,
  )
  return Number(row?.held) > 0
}

/** The parser's word for an address it could not tell; not an attacker to count. */
const UNKNOWN = 'Unknown'

/**
 * Reads the findings of everything the database holds.
 * @param limit how many entries each list has at most
 */
export async function findings(database: Database, limit = 10): Promise<Findings> {
  const [totals, attackers, deckies, services, credentials, identities] = await Promise.all([
    findTotals(database),
    findAttackers(database, limit),
    countLogsBy(database, 'decky', limit),
    countLogsBy(database, 'service', limit),
    findCredentials(database, limit),
    findIdentities(database, limit),
  ])
  return { totals, attackers, deckies, services, credentials, identities }
}

async function findTotals(database: Database): Promise<Findings['totals']> {
  const [logs = {}] = await database.select(
    `select count(*) as events, count(distinct nullif(attacker_ip, '${UNKNOWN}')) as attackers,
      count(distinct decky) as deckies, count(distinct service) as services,
      min(timestamp) as first_seen, max(timestamp) as last_seen from logs`,
  )
  const [credentials = {}] = await database.select(
    'select count(*) as credentials, sum(attempt_count) as attempts from credentials',
  )
  const [bounties = {}] = await database.select('select count(*) as bounties from bounty')
  const [clusters = {}] = await database.select(
    `select (select count(*) from credential_reuse) as reused,
      (select count(*) from attacker_identities where ${isShown('attacker_identities')})
        as identities,
      (select count(*) from campaigns where ${isShown('campaigns')}) as campaigns`,
  )
  const time = (micros: unknown) => (micros == null ? undefined : Number(micros) / 1000)
  return {
    events: Number(logs.events),
    attackers: Number(logs.attackers),
    deckies: Number(logs.deckies),
    services: Number(logs.services),
    credentials: Number(credentials.credentials),
    attempts: Number(credentials.attempts ?? 0),
    bounties: Number(bounties.bounties),
    reused: Number(clusters.reused),
    identities: Number(clusters.identities),
    campaigns: Number(clusters.campaigns),
    firstSeen: time(logs.first_seen),
    lastSeen: time(logs.last_seen),
  }
}

async function findAttackers(database: Database, limit: number): Promise<FoundAttacker[]> {
  const rows = await database.select(
    `select attacker_ip as name, count(*) as events, count(distinct decky) as deckies,
      count(distinct service) as services from logs where attacker_ip <> '${UNKNOWN}'
      group by attacker_ip order by events desc, name limit ${limitOf(limit)}`,
  )
  return rows.map((row) => ({
    ...toCount(row),
    deckies: Number(row.deckies),
    services: Number(row.services),
  }))
}

async function countLogsBy(
  database: Database,
  column: 'decky' | 'service',
  limit: number,
): Promise<Count[]> {
  const rows = await database.select(
    `select ${column} as name, count(*) as events from logs
      group by ${column} order by events desc, name limit ${limitOf(limit)}`,
  )
  return rows.map(toCount)
}

async function findIdentities(database: Database, limit: number): Promise<FoundIdentity[]> {
  const rows = await database.select(
    `select w.uuid as uuid, max(c.identity_count) as campaign, count(*) as addresses
      from attackers a join attacker_identities i on i.uuid = a.identity_id
      join attacker_identities w on w.uuid = coalesce(i.merged_into_uuid, i.uuid)
      left join campaigns c on c.uuid = w.campaign_id
      group by w.uuid having count(*) > 1
      order by addresses desc, uuid limit ${limitOf(limit)}`,
  )
  return rows.map((row) => ({
    uuid: String(row.uuid),
    addresses: Number(row.addresses),
    campaign: row.campaign === null ? null : Number(row.campaign),
  }))
}

const CREDENTIAL = 'secret_kind, secret_sha256, principal_key'

async function findCredentials(database: Database, limit: number): Promise<FoundCredential[]> {
  const rows = await database.select(
    `select ${CREDENTIAL}, max(principal) as principal, max(secret_printable) as secret,
      sum(attempt_count) as attempts,
      count(distinct nullif(attacker_ip, '${UNKNOWN}')) as attackers
      from credentials group by ${CREDENTIAL}
      order by attempts desc, principal_key, secret_sha256, secret_kind limit ${limitOf(limit)}`,
  )
  const targets = await countTargets(database, rows)
  return rows.map((row) => ({
    principal: textOrNull(row.principal),
    secret: textOrNull(row.secret),
    kind: String(row.secret_kind),
    attempts: Number(row.attempts),
    attackers: Number(row.attackers),
    targets: targets.get(credentialKey(row)) ?? 0,
  }))
}

/** SQLite cannot count distinct pairs; a subquery per credential takes MariaDB half a minute. */
async function countTargets(
  database: Database,
  credentials: readonly Row[],
): Promise<Map<string, number>> {
  if (credentials.length === 0) return new Map()
  const secrets = [...new Set(credentials.map((row) => String(row.secret_sha256)))]
  const rows = await database.select(
    `select ${CREDENTIAL}, count(*) as targets from (
        select distinct ${CREDENTIAL}, decky_name, service from credentials
        where secret_sha256 in (${secrets.map(() => '?').join(', ')})
      ) as pairs group by ${CREDENTIAL}`,
    secrets,
  )
  return new Map(rows.map((row) => [credentialKey(row), Number(row.targets)]))
}

const credentialKey = (row: Row): string =>
  JSON.stringify([row.secret_kind, row.secret_sha256, row.principal_key])

const toCount = (row: Row): Count => ({ name: String(row.name), events: Number(row.events) })
const textOrNull = (value: unknown): string | null => (value == null ? null : String(value))
const limitOf = (limit: number): number => Math.max(1, Math.trunc(limit))
