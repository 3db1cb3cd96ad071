/** Attackers, how they behave, and whom they wanted to mail. */
import { Migration } from '@mikro-orm/migrations'
import { createTableSql, type Table } from './table_sql.ts'

const attackers: Table = {
  name: 'attackers',
  columns: {
    uuid: { type: 'text(36)', primary: true },
    ip: { type: 'text(64)' },
    identity_id: { type: 'text(36)', null: true },
    first_seen: { type: 'int' },
    last_seen: { type: 'int' },
    event_count: { type: 'int' },
    service_count: { type: 'int' },
    services: { type: 'long_text' },
    decky_count: { type: 'int' },
    deckies: { type: 'long_text' },
    traversal_path: { type: 'long_text', null: true },
    is_traversal: { type: 'int' },
    bounty_count: { type: 'int' },
    credential_count: { type: 'int' },
    fingerprints: { type: 'long_text' },
    commands: { type: 'long_text' },
    country_code: { type: 'text(2)', null: true },
    country_source: { type: 'text(16)', null: true },
    updated_at: { type: 'int' },
  },
  unique: { uq_attackers_ip: ['ip'] },
  index: {
    ix_attackers_identity_id: ['identity_id'],
    ix_attackers_first_seen: ['first_seen'],
    ix_attackers_last_seen: ['last_seen'],
    ix_attackers_event_count: ['event_count'],
    ix_attackers_country_code: ['country_code'],
    ix_attackers_updated_at: ['updated_at'],
  },
}

const attackerBehavior: Table = {
  name: 'attacker_behavior',
  columns: {
    attacker_uuid: { type: 'text(36)', primary: true },
    event_count: { type: 'int' },
    os_guess: { type: 'text(64)', null: true },
    hop_distance: { type: 'int', null: true },
    tcp_fingerprint: { type: 'long_text' },
    kex_order_raw: { type: 'long_text', null: true },
    ssh_client_banners: { type: 'long_text', null: true },
    retransmit_count: { type: 'int' },
    behavior_class: { type: 'text(32)' },
    beacon_interval_s: { type: 'double', null: true },
    beacon_jitter_pct: { type: 'double', null: true },
    tool_guesses: { type: 'long_text' },
    timing_stats: { type: 'long_text' },
    phase_sequence: { type: 'long_text' },
    updated_at: { type: 'int' },
  },
  unique: {},
  index: {
    ix_attacker_behavior_behavior_class: ['behavior_class'],
    ix_attacker_behavior_updated_at: ['updated_at'],
  },
}

const smtpTargets: Table = {
  name: 'smtp_targets',
  columns: {
    id: { type: 'id' },
    attacker_uuid: { type: 'text(36)' },
    domain: { type: 'text(253)' },
    first_seen: { type: 'int' },
    last_seen: { type: 'int' },
    count: { type: 'int' },
  },
  unique: { uq_smtp_targets_attacker_domain: ['attacker_uuid', 'domain'] },
  index: { ix_smtp_targets_domain: ['domain'] },
}

export class Attackers extends Migration {
  override up(): void {
    const collation = this.config.get('collate')
    for (const table of [attackers, attackerBehavior, smtpTargets]) {
      for (const sql of createTableSql(table, collation)) this.addSql(sql)
    }
  }
}
