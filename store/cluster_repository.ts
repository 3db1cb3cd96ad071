/** Rows of `attacker_identities` and `campaigns`. */
import { isoMicros } from '../protocols/iso_time.ts'
import type { CampaignData, IdentityCampaignData, IdentityData } from './entity_events.ts'
import { StoreError } from './errors.ts'
import type { Insert, Value } from './insert.ts'
import { jsonThatFits, type Repository } from './repository.ts'

/** Of what both tables have, `count` aside; `updated_at` last, for the others ask for its old value. */
const columnsWith = (count: string) => [
  'schema_version',
  'first_seen_at',
  'last_seen_at',
  'created_at',
  count,
  'ja3_hashes',
  'hassh_hashes',
  'payload_simhashes',
  'c2_endpoints',
  'merged_into_uuid',
  'updated_at',
]

/** What was told later stands, so a repeat of some rows in their order changes nothing. */
const upsert = (table: string, count: string): Insert => ({
  table,
  columns: ['uuid', ...columnsWith(count)],
  key: ['uuid'],
  merge: (incoming) =>
    columnsWith(count).map((column) => [
      column,
      `case when ${incoming('updated_at')} >= updated_at then ${incoming(column)} else ${column} end`,
    ]),
})
const IDENTITY = upsert('attacker_identities', 'observation_count')
const CAMPAIGN = upsert('campaigns', 'identity_count')

/** The identity may not have been told yet; its row is made then, older than whatever comes. */
const ASSIGNED: Insert = {
  table: 'attacker_identities',
  columns: ['uuid', 'campaign_id', 'created_at', 'updated_at'],
  key: ['uuid'],
  merge: (incoming) => [['campaign_id', incoming('campaign_id')]],
}

export const identityRepository: Repository<IdentityData, readonly Value[]> = {
  toRow: ({ data }) => clusterRow(data.identity_uuid, data.observation_count, data),
  write: (statements, rows) => statements.insert(IDENTITY, rows),
}

export const campaignRepository: Repository<CampaignData, readonly Value[]> = {
  toRow: ({ data }) => clusterRow(data.campaign_uuid, data.identity_count, data),
  write: (statements, rows) => statements.insert(CAMPAIGN, rows),
}

/** Which campaign an identity was given. */
export const identityCampaignRepository: Repository<IdentityCampaignData, readonly Value[]> = {
  toRow: ({ data }) => [data.identity_uuid, data.campaign_uuid, 0, 0],
  write: (statements, rows) => statements.insert(ASSIGNED, rows),
}

type Clustered = Omit<IdentityData, 'identity_uuid' | 'observation_count'>

function clusterRow(uuid: string, count: number, data: Clustered): readonly Value[] {
  return [
    uuid,
    data.schema_version,
    micros(data.first_seen_at),
    micros(data.last_seen_at),
    micros(data.created_at),
    count,
    json(data.ja3_hashes),
    json(data.hassh_hashes),
    json(data.payload_simhashes),
    json(data.c2_endpoints),
    data.merged_into_uuid,
    micros(data.updated_at),
  ]
}

const json = (list: readonly string[] | null): string | null =>
  list === null ? null : jsonThatFits(() => JSON.stringify(list))

function micros(time: string | null): number | null {
  if (time === null) return null
  const value = isoMicros(time)
  if (Number.isSafeInteger(value)) return value
  throw new StoreError('ROW_TIME', 'a time of the cluster does not fit the database')
}
