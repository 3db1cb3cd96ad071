/** Findings of credential reuse. */
import { Migration } from '@mikro-orm/migrations'
import { createTableSql, type Table } from './table_sql.ts'

const credentialReuse: Table = {
  name: 'credential_reuse',
  columns: {
    id: { type: 'text(36)', primary: true },
    secret_sha256: { type: 'text(64)' },
    secret_kind: { type: 'text(32)' },
    principal: { type: 'text(256)', null: true },
    principal_key: { type: 'text(256)', default: "''" },
    attacker_uuids: { type: 'long_text' },
    attacker_ips: { type: 'long_text' },
    deckies: { type: 'long_text' },
    services: { type: 'long_text' },
    target_count: { type: 'int' },
    attempt_count: { type: 'int' },
    confidence: { type: 'double' },
    first_seen: { type: 'int' },
    last_seen: { type: 'int' },
    updated_at: { type: 'int' },
  },
  unique: {
    uq_credential_reuse_secret_principal: ['secret_sha256', 'secret_kind', 'principal_key'],
  },
  index: {
    ix_credential_reuse_secret_sha256: ['secret_sha256'],
    ix_credential_reuse_secret_kind: ['secret_kind'],
    ix_credential_reuse_target_count: ['target_count'],
    ix_credential_reuse_first_seen: ['first_seen'],
    ix_credential_reuse_last_seen: ['last_seen'],
    ix_credential_reuse_updated_at: ['updated_at'],
  },
}

export class CredentialReuseTable extends Migration {
  override up(): void {
    for (const sql of createTableSql(credentialReuse, this.config.get('collate'))) this.addSql(sql)
  }
}
