/** The members of an identity or a campaign, as they are compared. */
import { readFingerprints } from '../../protocols/clustering/fingerprint_entries.ts'
import type { IdentityFeatures } from '../../protocols/clustering/identity_features.ts'
import { type Observation, observationOf } from '../../protocols/clustering/observation.ts'
import {
  ATTACKER_COLUMNS,
  attackerOfRow,
  IDENTITY_COLUMNS,
  identityOfRow,
} from '../cluster_feed.ts'
import type { ClusterTable } from '../cluster_tables.ts'
import type { Database, Row } from '../database.ts'
import { parts } from './merge_tree.ts'

/** An address that was given one of the identities asked for. Times are µs. */
export interface MemberAddress {
  readonly uuid: string
  readonly ip: string
  /** the identity it was given */
  readonly given: string
  readonly first_seen: number
  readonly last_seen: number
  readonly event_count: number
  readonly observation: Observation
}

/** An identity that was given one of the campaigns asked for. Times are µs. */
export interface MemberIdentity {
  readonly uuid: string
  readonly given: string
  readonly first_seen: number | null
  readonly last_seen: number | null
  readonly observation_count: number
  readonly merged: boolean
  readonly features: IdentityFeatures
}

/** As many as the clusterer holds. */
const MAX_MEMBERS = 200_000

const OF = {
  attacker_identities: {
    table: 'attackers',
    column: 'identity_id',
    index: 'ix_attackers_identity_id',
  },
  campaigns: {
    table: 'attacker_identities',
    column: 'campaign_id',
    index: 'ix_attacker_identities_campaign_id',
  },
} as const satisfies Record<ClusterTable, object>

/** @returns uuids of all members that were given one of `parents`, in order */
export async function memberUuids(
  database: Database,
  of: ClusterTable,
  parents: readonly string[],
): Promise<string[]> {
  const { table, column, index } = OF[of]
  const own = database.dialect === 'mysql' ? `force index (${index})` : `indexed by ${index}`
  const found: string[] = []
  for (const some of parts(parents)) {
    const marks = some.map(() => '?').join(', ')
    const sql = `select uuid from ${table} ${own} where ${column} in (${marks}) limit ${MAX_MEMBERS}`
    for (const { uuid } of await database.select(sql, some)) found.push(String(uuid))
  }
  return found.sort().slice(0, MAX_MEMBERS)
}

/**
 * @param whole keeps also what makes no link: logins and commands
 * @returns members that still have a row, in the order of `uuids`
 */
export async function loadAddresses(
  database: Database,
  uuids: readonly string[],
  { whole }: { whole: boolean },
): Promise<MemberAddress[]> {
  const columns = [...ATTACKER_COLUMNS, 'event_count'].join(', ')
  const found: MemberAddress[] = []
  for (const some of parts(uuids)) {
    const marks = some.map(() => '?').join(', ')
    const sql = `select ${columns} from attackers where uuid in (${marks}) order by uuid`
    for (const row of await database.select(sql, some)) found.push(addressOf(row, whole))
  }
  return found
}

function addressOf(row: Row, whole: boolean): MemberAddress {
  const observation = observed(row)
  return {
    uuid: String(row.uuid),
    ip: String(row.ip),
    given: String(row.identity_id),
    first_seen: Number(row.first_seen),
    last_seen: Number(row.last_seen),
    event_count: Number(row.event_count),
    observation: whole ? observation : { ...observation, credentials: [], commands_by_phase: {} },
  }
}

/** As the clusterer reads it. A row that somebody else has damaged tells nothing. */
function observed(row: Row): Observation {
  const told = (from: Row) => {
    const { data } = attackerOfRow(from)
    const { fingerprints } = data
    return observationOf(
      { ...data, attacker_uuid: String(row.uuid) },
      readFingerprints(fingerprints),
    )
  }
  try {
    return told(row)
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error
    return told({ ...row, fingerprints: null, evidence: null })
  }
}

export async function loadIdentities(
  database: Database,
  uuids: readonly string[],
): Promise<MemberIdentity[]> {
  const columns = IDENTITY_COLUMNS.join(', ')
  const found: MemberIdentity[] = []
  for (const some of parts(uuids)) {
    const marks = some.map(() => '?').join(', ')
    const sql = `select ${columns} from attacker_identities where uuid in (${marks}) order by uuid`
    for (const row of await database.select(sql, some)) found.push(identityOf(row))
  }
  return found
}

const identityOf = (row: Row): MemberIdentity => ({
  uuid: String(row.uuid),
  given: String(row.campaign_id),
  first_seen: row.first_seen_at == null ? null : Number(row.first_seen_at),
  last_seen: row.last_seen_at == null ? null : Number(row.last_seen_at),
  observation_count: Number(row.observation_count),
  merged: row.merged_into_uuid != null,
  features: featuresOf(row),
})

function featuresOf(row: Row): IdentityFeatures {
  try {
    return identityOfRow(row).data.features as IdentityFeatures
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    const bare = { ja3_hashes: null, hassh_hashes: null, payload_simhashes: null }
    return identityOfRow({ ...row, ...bare, c2_endpoints: null, features: null }).data
      .features as IdentityFeatures
  }
}
