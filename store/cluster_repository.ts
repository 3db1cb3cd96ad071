/** Rows of `attacker_identities` and `campaigns`, and the links of their members to them. */
import { isoMicros } from '../protocols/iso_time.ts'
import { noteChanges } from './changes.ts'
import { recount, selectIn } from './cluster_counts.ts'
import { CLUSTERS, type ClusterTable } from './cluster_tables.ts'
import type { Statements, Update } from './database.ts'
import type { CampaignData, IdentityData } from './entity_events.ts'
import { StoreError } from './errors.ts'
import type { Insert, Value } from './insert.ts'
import { jsonThatFits, type Repository } from './repository.ts'

interface Layer {
  readonly table: ClusterTable
  readonly insert: Insert
  /** A row with nothing but its uuid, older than whatever comes. */
  readonly bare: Insert
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
}
const CAMPAIGNS: Layer = {
  table: 'campaigns',
  insert: upsert('campaigns', ['identity_count']),
  bare: bare('campaigns'),
}

interface ClusterRow extends Standing {
  readonly uuid: string
  readonly row: readonly Value[]
  readonly members: readonly string[]
}

export const identityRepository: Repository<IdentityData, ClusterRow> = {
  toRow: ({ data }) =>
    clusterRow(
      data.identity_uuid,
      data.observation_count,
      [data.observation_count, featuresJson(data.features)],
      data,
    ),
  async write(statements, rows) {
    const { before, after, linked } = await writeLayer(statements, IDENTITIES, rows)
    const wrong = await recount(statements, 'attacker_identities', doubtful(before, after, linked))
    await noteChanges(statements, 'attacker_identities', [
      ...rows.map(({ uuid }) => uuid),
      ...wrong,
    ])
    // What it counts for in its campaign, if it was there already.
    const turned = [...before].filter(
      ([uuid, was]) => isActive(was) !== isActive(after.get(uuid) ?? was) || wrong.includes(uuid),
    )
    const touched = turned.map(([uuid]) => uuid)
    await recount(statements, 'campaigns', await campaignsOf(statements, touched))
  },
}

export const campaignRepository: Repository<CampaignData, ClusterRow> = {
  toRow: ({ data }) =>
    clusterRow(data.campaign_uuid, data.identity_count, [data.identity_count], data),
  async write(statements, rows) {
    const { before, after } = await writeLayer(statements, CAMPAIGNS, rows)
    // All, for who writes identities changes what campaigns count at the same time.
    const winners = [...before.values(), ...after.values()].map(({ winner }) => winner)
    const named = winners.filter((winner) => winner !== null)
    await recount(statements, 'campaigns', [...after.keys(), ...named])
  },
}

/** What a row says of where it stands. */
interface Standing {
  readonly winner: string | null
  readonly count: number
  readonly updated: number
}
type Standings = ReadonlyMap<string, Standing>

const isActive = ({ winner, count }: Standing): boolean => winner === null && count > 0
const NOWHERE: Standing = { winner: null, count: 0, updated: 0 }

/**
 * What has to be counted. Mostly nothing: a cluster that stands for itself and has as many members as
 * the clusterer says by those that have just been linked to it.
 */
function doubtful(
  before: Standings,
  after: Standings,
  linked: ReadonlyMap<string, number>,
): Set<string> {
  const found = new Set<string>()
  for (const [uuid, { winner, count }] of after) {
    const was = before.get(uuid) ?? NOWHERE
    const isSame = winner === was.winner
    const more = linked.get(uuid) ?? 0
    if (isSame && count === was.count + more && (winner === null || more === 0)) continue
    for (const one of [uuid, winner, was.winner]) if (one !== null) found.add(one)
  }
  return found
}

async function campaignsOf(
  statements: Statements,
  identities: readonly string[],
): Promise<readonly string[]> {
  const sql =
    'select campaign_id from attacker_identities where campaign_id is not null and uuid in'
  const rows = await selectIn(statements, sql, identities)
  return rows.map(({ campaign_id }) => String(campaign_id))
}

/** @returns where the rows stood, where they stand now, and how many members each has got */
async function writeLayer(
  statements: Statements,
  { table, insert, bare }: Layer,
  rows: readonly ClusterRow[],
): Promise<{ before: Standings; after: Standings; linked: ReadonlyMap<string, number> }> {
  // A winner may be told behind its loser, or its row may be lost; a loser points to a row all the same.
  const told = new Set<string>()
  const early = new Set<string>()
  for (const { uuid, winner } of rows) {
    if (winner !== null && winner !== uuid && !told.has(winner)) early.add(winner)
    told.add(uuid)
  }
  const before = await standingsOf(statements, table, [...told])
  await statements.insert(
    bare,
    [...early].map((uuid) => [uuid, 0, 0]),
  )
  await statements.insert(
    insert,
    rows.map(({ row }) => row),
  )
  const after = new Map(before)
  for (const row of rows) {
    const { uuid, updated } = row
    // As the insert decides.
    if (updated >= (after.get(uuid) ?? NOWHERE).updated || !after.has(uuid)) after.set(uuid, row)
  }
  const links: Update[] = []
  const linkedTo: string[] = []
  for (const { uuid, members } of rows) {
    for (let at = 0; at < members.length; at += MEMBERS_PER_STATEMENT) {
      links.push(linkOf(table, uuid, members.slice(at, at + MEMBERS_PER_STATEMENT)))
      linkedTo.push(uuid)
    }
  }
  const linked = new Map<string, number>()
  for (const [index, changed] of (await statements.updateAll(links)).entries()) {
    const uuid = linkedTo[index] as string
    linked.set(uuid, (linked.get(uuid) ?? 0) + changed)
  }
  return { before, after, linked }
}

async function standingsOf(
  statements: Statements,
  table: ClusterTable,
  uuids: readonly string[],
): Promise<Standings> {
  const columns = `uuid, merged_into_uuid, ${CLUSTERS[table].count} as n, updated_at`
  const rows = await selectIn(statements, `select ${columns} from ${table} where uuid in`, uuids)
  return new Map(
    rows.map(({ uuid, merged_into_uuid: winner, n, updated_at }) => [
      String(uuid),
      {
        winner: winner == null ? null : String(winner),
        count: Number(n),
        updated: Number(updated_at),
      },
    ]),
  )
}

/** Few lengths, so few statements to prepare. */
const MEMBERS_PER_STATEMENT = 64

/**
 * Members that have no row (any more) are nobody's, and those that have a parent keep it: a clusterer
 * that knows nothing of it (a second replay, a second clusterer) would give them another.
 * @see spec/clustering.md section 4.3
 */
function linkOf(table: ClusterTable, parent: string, uuids: readonly string[]): Update {
  const { members, link } = CLUSTERS[table]
  const marks = uuids.map(() => '?').join(', ')
  // As an expression, or SQLite takes the index of the column and looks at all that have no parent.
  const sql = `update ${members} set ${link} = ? where uuid in (${marks}) and coalesce(${link}, '') = ''`
  return { sql, values: [parent, ...uuids] }
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

function clusterRow(
  uuid: string,
  count: number,
  own: readonly Value[],
  data: Clustered,
): ClusterRow {
  const updated = micros(data.updated_at) ?? 0
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
    updated,
  ]
  const { merged_into_uuid: winner, members } = data
  return { uuid, winner, count, updated, row, members }
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
