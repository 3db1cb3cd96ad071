/** Rows of `attacker_identities` and `campaigns`, and the links of their members to them. */
import { isoMicros } from '../protocols/iso_time.ts'
import { noteChanges } from './changes.ts'
import type { Statements, Update } from './database.ts'
import type { CampaignData, IdentityData } from './entity_events.ts'
import { StoreError } from './errors.ts'
import type { Insert, Value } from './insert.ts'
import { jsonThatFits, type Repository } from './repository.ts'

interface Layer {
  readonly table: 'attacker_identities' | 'campaigns'
  readonly insert: Insert
  /** A row with nothing but its uuid, older than whatever comes. */
  readonly bare: Insert
  readonly members: { readonly table: string; readonly column: string }
}

/** Of what both tables have, `count` aside; `updated_at` last, for the others ask for its old value. */
const columnsWith = (own: readonly string[]) => [
  'schema_version',
  'first_seen_at',
  'last_seen_at',
  'created_at',
  ...own,
  'ja3_hashes',
  'hassh_hashes',
  'payload_simhashes',
  'c2_endpoints',
  'merged_into_uuid',
  'updated_at',
]

/**
 * What was told later stands, so a repeat of some rows in their order changes nothing. When it came to
 * be is told once: a clusterer that has lost its state does not know.
 */
const upsert = (table: string, own: readonly string[]): Insert => ({
  table,
  columns: ['uuid', ...columnsWith(own)],
  key: ['uuid'],
  merge: (incoming) =>
    columnsWith(own).map((column) => [
      column,
      column === 'created_at'
        ? `case when created_at > 0 then created_at else ${incoming(column)} end`
        : `case when ${incoming('updated_at')} >= updated_at then ${incoming(column)} else ${column} end`,
    ]),
})
const bare = (table: string): Insert => ({
  table,
  columns: ['uuid', 'created_at', 'updated_at'],
  key: ['uuid'],
})

const IDENTITIES: Layer = {
  table: 'attacker_identities',
  insert: upsert('attacker_identities', ['observation_count', 'features']),
  bare: bare('attacker_identities'),
  members: { table: 'attackers', column: 'identity_id' },
}
const CAMPAIGNS: Layer = {
  table: 'campaigns',
  insert: upsert('campaigns', ['identity_count']),
  bare: bare('campaigns'),
  members: { table: 'attacker_identities', column: 'campaign_id' },
}

interface ClusterRow {
  readonly uuid: string
  readonly winner: string | null
  readonly row: readonly Value[]
  readonly members: readonly string[]
}

export const identityRepository: Repository<IdentityData, ClusterRow> = {
  toRow: ({ data }) =>
    clusterRow(data.identity_uuid, [data.observation_count, featuresJson(data.features)], data),
  async write(statements, rows) {
    await writeLayer(statements, IDENTITIES, rows)
    await noteChanges(
      statements,
      'attacker_identities',
      rows.map(({ uuid }) => uuid),
    )
  },
}

export const campaignRepository: Repository<CampaignData, ClusterRow> = {
  toRow: ({ data }) => clusterRow(data.campaign_uuid, [data.identity_count], data),
  write: (statements, rows) => writeLayer(statements, CAMPAIGNS, rows),
}

async function writeLayer(
  statements: Statements,
  { insert, bare, members }: Layer,
  rows: readonly ClusterRow[],
): Promise<void> {
  // A winner may be told behind its loser, or its row may be lost; a loser points to a row all the same.
  const told = new Set<string>()
  const early = new Set<string>()
  for (const { uuid, winner } of rows) {
    if (winner !== null && winner !== uuid && !told.has(winner)) early.add(winner)
    told.add(uuid)
  }
  await statements.insert(
    bare,
    [...early].map((uuid) => [uuid, 0, 0]),
  )
  await statements.insert(
    insert,
    rows.map(({ row }) => row),
  )
  const links: Update[] = []
  for (const { uuid, members: linked } of rows) {
    for (let at = 0; at < linked.length; at += MEMBERS_PER_STATEMENT) {
      links.push(linkOf(members, uuid, linked.slice(at, at + MEMBERS_PER_STATEMENT)))
    }
  }
  await statements.updateAll(links)
}

/** Few lengths, so few statements to prepare. */
const MEMBERS_PER_STATEMENT = 64

/**
 * Members that have no row (any more) are nobody's, and those that have a parent keep it: a clusterer
 * that knows nothing of it (a second replay, a second clusterer) would give them another.
 * @see spec/clustering.md section 4.3
 */
function linkOf(
  { table, column }: Layer['members'],
  parent: string,
  members: readonly string[],
): Update {
  const marks = members.map(() => '?').join(', ')
  // As an expression, or SQLite takes the index of the column and looks at all that have no parent.
  const sql = `update ${table} set ${column} = ? where uuid in (${marks}) and coalesce(${column}, '') = ''`
  return { sql, values: [parent, ...members] }
}

type Clustered = Pick<
  IdentityData,
  | 'schema_version'
  | 'merged_into_uuid'
  | 'first_seen_at'
  | 'last_seen_at'
  | 'created_at'
  | 'updated_at'
  | 'ja3_hashes'
  | 'hassh_hashes'
  | 'payload_simhashes'
  | 'c2_endpoints'
  | 'members'
>

function clusterRow(uuid: string, own: readonly Value[], data: Clustered): ClusterRow {
  const row = [
    uuid,
    data.schema_version,
    micros(data.first_seen_at),
    micros(data.last_seen_at),
    micros(data.created_at),
    ...own,
    json(data.ja3_hashes),
    json(data.hassh_hashes),
    json(data.payload_simhashes),
    json(data.c2_endpoints),
    data.merged_into_uuid,
    micros(data.updated_at),
  ]
  return { uuid, winner: data.merged_into_uuid, row, members: data.members }
}

const json = (list: readonly string[] | null): string | null =>
  list === null ? null : jsonThatFits(() => JSON.stringify(list))

/** @throws {StoreError} `ROW_TOO_LARGE` */
const featuresJson = (features: object): string => jsonThatFits(() => JSON.stringify(features))

function micros(time: string | null): number | null {
  if (time === null) return null
  const value = isoMicros(time)
  if (Number.isSafeInteger(value)) return value
  throw new StoreError('ROW_TIME', 'a time of the cluster does not fit the database')
}
