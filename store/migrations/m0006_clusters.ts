/** Identities and campaigns. */
import { Migration } from '@mikro-orm/migrations'
import { createTableSql, type Table } from './table_sql.ts'

const times = {
  first_seen_at: { type: 'int', null: true },
  last_seen_at: { type: 'int', null: true },
  created_at: { type: 'int' },
  updated_at: { type: 'int' },
  confidence: { type: 'text(32)', null: true },
} as const
const lists = {
  ja3_hashes: { type: 'long_text', null: true },
  hassh_hashes: { type: 'long_text', null: true },
  payload_simhashes: { type: 'long_text', null: true },
  c2_endpoints: { type: 'long_text', null: true },
} as const

const identities: Table = {
  name: 'attacker_identities',
  columns: {
    uuid: { type: 'text(36)', primary: true },
    schema_version: { type: 'int', default: "'1'" },
    campaign_id: { type: 'text(36)', null: true },
    ...times,
    observation_count: { type: 'int', default: "'0'" },
    ...lists,
    kd_digraph_simhash: { type: 'text(16)', null: true },
    merged_into_uuid: { type: 'text(36)', null: true },
    notes: { type: 'long_text', null: true },
  },
  unique: {},
  index: {
    ix_attacker_identities_campaign_id: ['campaign_id'],
    ix_attacker_identities_first_seen_at: ['first_seen_at'],
    ix_attacker_identities_last_seen_at: ['last_seen_at'],
    ix_attacker_identities_created_at: ['created_at'],
    ix_attacker_identities_updated_at: ['updated_at'],
    ix_attacker_identities_kd_digraph_simhash: ['kd_digraph_simhash'],
    ix_attacker_identities_merged_into_uuid: ['merged_into_uuid'],
  },
}

const campaigns: Table = {
  name: 'campaigns',
  columns: {
    uuid: { type: 'text(36)', primary: true },
    schema_version: { type: 'int', default: "'1'" },
    ...times,
    identity_count: { type: 'int', default: "'0'" },
    ...lists,
    merged_into_uuid: { type: 'text(36)', null: true },
    notes: { type: 'long_text', null: true },
  },
  unique: {},
  index: {
    ix_campaigns_first_seen_at: ['first_seen_at'],
    ix_campaigns_last_seen_at: ['last_seen_at'],
    ix_campaigns_created_at: ['created_at'],
    ix_campaigns_updated_at: ['updated_at'],
    ix_campaigns_merged_into_uuid: ['merged_into_uuid'],
  },
}

export class Clusters extends Migration {
  override up(): void {
    for (const table of [campaigns, identities]) {
      for (const sql of createTableSql(table, this.config.get('collate'))) this.addSql(sql)
    }
  }
}
