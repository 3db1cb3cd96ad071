/** Attackers as the API shows them. */
import type { Database, Row } from '../database.ts'
import { inTreeOf } from './merge_tree.ts'
import {
  allOf,
  contains,
  countRows,
  iso,
  type Listing,
  list,
  listPage,
  numberOrNull,
  object,
  type Page,
  text,
  textOrNull,
  texts,
  type Where,
} from './page.ts'

export interface AttackerFilter {
  /** part of the address */
  readonly search?: string | undefined
  /** seen on this service */
  readonly service?: string | undefined
  readonly sortBy: 'recent' | 'active' | 'traversals'
}

const ORDER = {
  recent: 'a.last_seen desc, a.uuid',
  active: 'a.event_count desc, a.uuid',
  traversals: 'a.is_traversal desc, a.decky_count desc, a.last_seen desc, a.uuid',
} as const

const COLUMNS = [
  ...['uuid', 'ip', 'identity_id', 'first_seen', 'last_seen', 'event_count', 'service_count'],
  ...['decky_count', 'services', 'deckies', 'fingerprints', 'commands', 'traversal_path'],
  ...['is_traversal', 'bounty_count', 'credential_count', 'country_code', 'country_source'],
  ...['asn', 'updated_at'],
]
const BEHAVIOR = [
  ...['os_guess', 'hop_distance', 'tcp_fingerprint', 'kex_order_raw', 'ssh_client_banners'],
  ...['retransmit_count', 'behavior_class', 'beacon_interval_s', 'beacon_jitter_pct'],
  ...['tool_guesses', 'timing_stats', 'phase_sequence', 'updated_at'],
]
const SELECTED = [
  ...COLUMNS.map((column) => `a.${column} as ${column}`),
  ...BEHAVIOR.map((column) => `b.${column} as b_${column}`),
].join(', ')
const FROM = 'attackers a left join attacker_behavior b on b.attacker_uuid = a.uuid'

export type AttackerRow = ReturnType<typeof attackerRow>

/**
 * @param known as `listPage` has it
 * @throws {UnavailableError} `DATABASE_UNAVAILABLE`, as all that follows
 */
export function listAttackers(
  database: Database,
  { search, service, sortBy }: AttackerFilter,
  page: Page,
  known?: number,
): Promise<Listing<AttackerRow>> {
  const where = allOf(
    search === undefined ? undefined : contains(['a.ip'], search),
    service === undefined ? undefined : namesService(service),
  )
  return selectAttackers(database, where, ORDER[sortBy], page, known)
}

/** Those behind an identity, or behind one that was merged into it; newest first. */
export const attackersOfIdentity = (database: Database, identity: string, page: Page) =>
  selectAttackers(database, ofIdentity(identity), ORDER.recent, page)

export const countOfIdentity = (database: Database, identity: string): Promise<number> =>
  countRows(database, 'attackers a', ofIdentity(identity))

export async function attackerByUuid(
  database: Database,
  uuid: string,
): Promise<AttackerRow | undefined> {
  const [row] = await database.select(`select ${SELECTED} from ${FROM} where a.uuid = ?`, [uuid])
  return row && attackerRow(row)
}

export const countAttackers = (database: Database): Promise<number> =>
  countRows(database, 'attackers', { sql: '1 = 1', values: [] })

const selectAttackers = (
  database: Database,
  where: Where,
  order: string,
  page: Page,
  known?: number,
) =>
  listPage(
    database,
    { columns: SELECTED, from: FROM, where, order, toRow: attackerRow },
    page,
    known,
  )

const ofIdentity = (identity: string): Where =>
  inTreeOf('a.identity_id', 'attacker_identities', identity)

/** The list is JSON without blanks, so a member stands there as JSON writes it. */
function namesService(service: string): Where {
  const member = JSON.stringify(service)
  return { sql: 'instr(a.services, ?) > 0', values: [member] }
}

function attackerRow(row: Row) {
  return {
    uuid: text(row.uuid),
    ip: text(row.ip),
    identity_id: textOrNull(row.identity_id),
    first_seen: iso(row.first_seen),
    last_seen: iso(row.last_seen),
    event_count: Number(row.event_count),
    service_count: Number(row.service_count),
    decky_count: Number(row.decky_count),
    services: texts(row.services),
    deckies: texts(row.deckies),
    fingerprints: list(row.fingerprints),
    commands: list(row.commands),
    traversal_path: textOrNull(row.traversal_path),
    is_traversal: Number(row.is_traversal) === 1,
    bounty_count: Number(row.bounty_count),
    credential_count: Number(row.credential_count),
    country_code: textOrNull(row.country_code),
    country_source: textOrNull(row.country_source),
    asn: numberOrNull(row.asn),
    updated_at: iso(row.updated_at),
    behavior: row.b_behavior_class == null ? null : behaviorOf(row),
  }
}

const behaviorOf = (row: Row) => ({
  os_guess: textOrNull(row.b_os_guess),
  hop_distance: numberOrNull(row.b_hop_distance),
  tcp_fingerprint: object(row.b_tcp_fingerprint),
  kex_order_raw: texts(row.b_kex_order_raw),
  ssh_client_banners: texts(row.b_ssh_client_banners),
  retransmit_count: Number(row.b_retransmit_count),
  behavior_class: text(row.b_behavior_class),
  beacon_interval_s: numberOrNull(row.b_beacon_interval_s),
  beacon_jitter_pct: numberOrNull(row.b_beacon_jitter_pct),
  tool_guesses: texts(row.b_tool_guesses),
  timing_stats: object(row.b_timing_stats),
  phase_sequence: object(row.b_phase_sequence),
  updated_at: iso(row.b_updated_at),
})
