/** What one attacker did, from the logs and bounties of its address. */
import { realService } from '../../protocols/real_service.ts'
import type { Database, Row } from '../database.ts'
import { logRow } from './logs.ts'
import {
  allOf,
  countRows,
  equals,
  iso,
  type Listing,
  listPage,
  object,
  type Page,
  text,
} from './page.ts'

/** Newest log rows that are shown of one kind. */
const MOST_LOGS = 200
/** Newest leaks that are shown with an attacker. */
const MOST_LEAKS = 10

/** Event types by which an attacker does more than knock (spec/api-and-sse.md section 3.3). */
const INTERACTION = new Set(
  (
    'command exec query input shell_input execute run sql_query redis_command ldap_search ' +
    'mail_from rcpt_to rcpt_denied message_accepted file_captured upload download_attempt retr ' +
    'publish subscribe session_recorded'
  ).split(' '),
)
const NOISE = new Set(
  (
    'startup shutdown config_error parse_error unknown_packet unknown_opcode unknown_command ' +
    'protocol_error'
  ).split(' '),
)

export interface ServiceActivity {
  readonly interacted: readonly string[]
  readonly scanned: readonly string[]
}

/** @param seen service and event type of logs @returns both sorted; no service is in both */
function serviceActivity(seen: Iterable<readonly [string, string]>): ServiceActivity {
  const interacted = new Set<string>()
  const scanned = new Set<string>()
  for (const [service, eventType] of seen) {
    if (INTERACTION.has(eventType) && !isLookUp(service, eventType)) interacted.add(service)
    else if (!NOISE.has(eventType)) scanned.add(service)
  }
  for (const service of interacted) scanned.delete(service)
  return { interacted: [...interacted].sort(), scanned: [...scanned].sort() }
}

/** A name that is asked for is a knock, where asking for names is all there is to do. */
const isLookUp = (service: string, eventType: string): boolean =>
  eventType === 'query' && (service === 'dns' || service === 'llmnr')

/** Pairs of a service and an event type that one address can have; it makes up the second. */
const MOST_PAIRS = 4096

export async function serviceActivityOf(database: Database, ip: string): Promise<ServiceActivity> {
  const rows = await database.select(
    `select service, event_type from logs where attacker_ip = ?
     group by service, event_type order by service, event_type limit ${MOST_PAIRS}`,
    [ip],
  )
  return serviceActivity(
    rows.map((row) => [realService(text(row.service), {}), text(row.event_type)]),
  )
}

/** Logs of one kind, newest first, 200 at most. */
export async function logsOfKind(database: Database, ip: string, eventType: string) {
  const rows = await database.select(
    `select * from logs where attacker_ip = ? and event_type = ?
     order by timestamp desc, id desc limit ${MOST_LOGS}`,
    [ip, eventType],
  )
  return rows.map(logRow)
}

export async function mailTargetsOf(database: Database, attackerUuid: string) {
  const rows = await database.select(
    `select * from smtp_targets where attacker_uuid = ?
     order by last_seen desc, id desc limit ${MOST_LOGS}`,
    [attackerUuid],
  )
  return rows.map((row) => ({
    domain: text(row.domain),
    first_seen: iso(row.first_seen),
    last_seen: iso(row.last_seen),
    count: Number(row.count),
  }))
}

export interface BountyFilter {
  /** address */
  readonly attackerIp?: string | undefined
  readonly bountyType?: string | undefined
}

export type BountyRow = ReturnType<typeof bountyRow>

/** Newest first. @throws as `listPage` */
export const listBounties = (
  database: Database,
  { attackerIp, bountyType }: BountyFilter,
  page: Page,
): Promise<Listing<BountyRow>> =>
  listPage(
    database,
    {
      columns: 'id, timestamp, decky, service, attacker_ip, bounty_type, payload',
      from: 'bounty',
      where: allOf(equals('attacker_ip', attackerIp), equals('bounty_type', bountyType)),
      order: 'timestamp desc, id desc',
      toRow: bountyRow,
    },
    page,
  )

/** Addresses that an attacker has given away. */
export const leaksOf = (database: Database, ip: string): Promise<Listing<BountyRow>> =>
  listBounties(
    database,
    { attackerIp: ip, bountyType: 'ip_leak' },
    { limit: MOST_LEAKS, offset: 0 },
  )

export const countBounties = (database: Database): Promise<number> =>
  countRows(database, 'bounty', { sql: '1 = 1', values: [] })

const bountyRow = (row: Row) => ({
  id: Number(row.id),
  timestamp: iso(row.timestamp),
  decky: text(row.decky),
  service: text(row.service),
  attacker_ip: text(row.attacker_ip),
  bounty_type: text(row.bounty_type),
  payload: object(row.payload),
})
