/** Identities and campaigns as the API shows them. */
import { type ClusterTable, isShown } from '../cluster_tables.ts'
import type { Database, Row } from '../database.ts'
import { inTreeOf, winnerOf } from './merge_tree.ts'
import {
  allOf,
  countRows,
  iso,
  isoOrNull,
  type Listing,
  listPage,
  numberOrNull,
  type Page,
  text,
  textOrNull,
  type Where,
} from './page.ts'

const shown = (table: ClusterTable): Where => ({ sql: isShown(table), values: [] })
const NEWEST = 'updated_at desc, uuid'

export type IdentityRow = ReturnType<typeof identityRow>
export type CampaignRow = ReturnType<typeof campaignRow>

/** Those that stand for themselves and have members, newest change first. @throws as `listPage` */
export const listIdentities = (database: Database, page: Page): Promise<Listing<IdentityRow>> =>
  selectIdentities(database, shown('attacker_identities'), page)

/** The identity that `uuid` has become. */
export async function identityByUuid(
  database: Database,
  uuid: string,
): Promise<IdentityRow | undefined> {
  const row = await winnerOf(database, 'attacker_identities', uuid)
  return row && identityRow(row)
}

export const listCampaigns = (database: Database, page: Page): Promise<Listing<CampaignRow>> =>
  listPage(
    database,
    {
      columns: '*',
      from: 'campaigns',
      where: shown('campaigns'),
      order: NEWEST,
      toRow: campaignRow,
    },
    page,
  )

/** The campaign that `uuid` has become. */
export async function campaignByUuid(
  database: Database,
  uuid: string,
): Promise<CampaignRow | undefined> {
  const row = await winnerOf(database, 'campaigns', uuid)
  return row && campaignRow(row)
}

/** Identities of a campaign, or of one that was merged into it; those merged out, or without members, are not. */
export const identitiesOfCampaign = (database: Database, campaign: string, page: Page) =>
  selectIdentities(database, ofCampaign(campaign), page)

export const countOfCampaign = (database: Database, campaign: string): Promise<number> =>
  countRows(database, 'attacker_identities', ofCampaign(campaign))

const ofCampaign = (campaign: string): Where =>
  allOf(shown('attacker_identities'), inTreeOf('campaign_id', 'campaigns', campaign))

const selectIdentities = (database: Database, where: Where, page: Page) =>
  listPage(
    database,
    { columns: '*', from: 'attacker_identities', where, order: NEWEST, toRow: identityRow },
    page,
  )

const clusterRow = (row: Row) => ({
  uuid: text(row.uuid),
  schema_version: Number(row.schema_version),
  first_seen_at: isoOrNull(row.first_seen_at),
  last_seen_at: isoOrNull(row.last_seen_at),
  created_at: iso(row.created_at),
  updated_at: iso(row.updated_at),
  confidence: numberOrNull(row.confidence),
  ja3_hashes: textOrNull(row.ja3_hashes),
  hassh_hashes: textOrNull(row.hassh_hashes),
  payload_simhashes: textOrNull(row.payload_simhashes),
  c2_endpoints: textOrNull(row.c2_endpoints),
  merged_into_uuid: textOrNull(row.merged_into_uuid),
  notes: textOrNull(row.notes),
})

const identityRow = (row: Row) => ({
  ...clusterRow(row),
  campaign_id: textOrNull(row.campaign_id),
  observation_count: Number(row.observation_count),
  kd_digraph_simhash: textOrNull(row.kd_digraph_simhash),
})

const campaignRow = (row: Row) => ({
  ...clusterRow(row),
  identity_count: Number(row.identity_count),
})
