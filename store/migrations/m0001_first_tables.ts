/** Log rows, credentials with their ledger, bounties. */
import { Migration } from '@mikro-orm/migrations'
import { createTableSql, type Table } from './table_sql.ts'

const logs: Table = {
  name: 'logs',
  columns: {
    id: { type: 'id' },
    event_id: { type: 'char(32)' },
    timestamp: { type: 'int' },
    decky: { type: 'text(255)' },
    service: { type: 'text(64)' },
    event_type: { type: 'text(255)' },
    attacker_ip: { type: 'text(64)' },
    raw_line: { type: 'long_text' },
    fields: { type: 'long_text' },
    msg: { type: 'long_text', null: true },
    trace_id: { type: 'text(32)', null: true },
    span_id: { type: 'text(16)', null: true },
    source_worker: { type: 'text(255)', null: true },
  },
  unique: { uq_logs_event_id: ['event_id'] },
  index: {
    ix_logs_timestamp: ['timestamp'],
    ix_logs_decky: ['decky'],
    ix_logs_service: ['service'],
    ix_logs_event_type: ['event_type'],
    ix_logs_attacker_ip: ['attacker_ip'],
  },
}

const credentials: Table = {
  name: 'credentials',
  columns: {
    id: { type: 'id' },
    attacker_ip: { type: 'text(64)' },
    attacker_uuid: { type: 'text(36)', null: true },
    decky_name: { type: 'text(255)' },
    service: { type: 'text(64)' },
    principal: { type: 'text(256)', null: true },
    principal_key: { type: 'text(256)', default: "''" },
    secret_kind: { type: 'text(32)', default: "'plaintext'" },
    secret_sha256: { type: 'text(64)' },
    secret_b64: { type: 'text(2048)', null: true },
    secret_printable: { type: 'text(512)', null: true },
    outcome: { type: 'text(16)', null: true },
    outcome_at: { type: 'int', null: true },
    fields: { type: 'long_text' },
    first_seen: { type: 'int' },
    last_seen: { type: 'int' },
    attempt_count: { type: 'int', default: "'1'" },
  },
  unique: {
    uq_credentials_dedup: [
      'attacker_ip',
      'decky_name',
      'service',
      'secret_kind',
      'secret_sha256',
      'principal_key',
    ],
  },
  index: {
    ix_credentials_attacker_ip: ['attacker_ip'],
    ix_credentials_attacker_uuid: ['attacker_uuid'],
    ix_credentials_decky_name: ['decky_name'],
    ix_credentials_service: ['service'],
    ix_credentials_principal: ['principal'],
    ix_credentials_secret_kind: ['secret_kind'],
    ix_credentials_secret_sha256: ['secret_sha256'],
    ix_credentials_first_seen: ['first_seen'],
    ix_credentials_last_seen: ['last_seen'],
    ix_credentials_secret_sha256_service: ['secret_sha256', 'service'],
    ix_credentials_principal_service: ['principal', 'service'],
  },
}

const credentialSightings: Table = {
  name: 'credential_sightings',
  columns: {
    event_id: { type: 'char(32)', primary: true },
    credential_id: { type: 'int', of: 'credentials' },
  },
  unique: {},
  index: { ix_credential_sightings_credential_id: ['credential_id'] },
}

const bounty: Table = {
  name: 'bounty',
  columns: {
    id: { type: 'id' },
    timestamp: { type: 'int' },
    decky: { type: 'text(255)' },
    service: { type: 'text(64)' },
    attacker_ip: { type: 'text(64)' },
    bounty_type: { type: 'text(32)' },
    payload: { type: 'long_text' },
    payload_sha256: { type: 'char(64)' },
  },
  unique: { uq_bounty_payload: ['bounty_type', 'attacker_ip', 'payload_sha256'] },
  index: {
    ix_bounty_timestamp: ['timestamp'],
    ix_bounty_decky: ['decky'],
    ix_bounty_service: ['service'],
    ix_bounty_attacker_ip: ['attacker_ip'],
    ix_bounty_bounty_type: ['bounty_type'],
  },
}

export class FirstTables extends Migration {
  override up(): void {
    const collation = this.config.get('collate')
    for (const table of [logs, credentials, credentialSightings, bounty]) {
      for (const sql of createTableSql(table, collation)) this.addSql(sql)
    }
  }
}
