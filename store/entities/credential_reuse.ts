/** Table `credential_reuse`: secrets that one principal used on several targets. */
import { defineEntity, p } from '@mikro-orm/core'
import { DEFAULT, LongText } from './column_types.ts'

/**
 * One row per secret, kind and principal, as last told. The lists are JSON arrays of texts; times
 * are event time in µs since the Unix epoch. A row never shrinks.
 * @see spec/credential-reuse.md section 3
 */
export const CredentialReuseEntity = defineEntity({
  name: 'CredentialReuse',
  tableName: 'credential_reuse',
  uniques: [
    {
      name: 'uq_credential_reuse_secret_principal',
      properties: ['secretSha256', 'secretKind', 'principalKey'],
    },
  ],
  properties: {
    id: p.string().length(36).primary(),
    secretSha256: p
      .string()
      .length(64)
      .fieldName('secret_sha256')
      .index('ix_credential_reuse_secret_sha256'),
    secretKind: p.string().length(32).index('ix_credential_reuse_secret_kind'),
    principal: p.string().length(256).nullable().ignoreSchemaChanges(DEFAULT),
    principalKey: p.string().length(256).default('').ignoreSchemaChanges(DEFAULT),
    attackerUuids: p.type(LongText),
    attackerIps: p.type(LongText),
    deckies: p.type(LongText),
    services: p.type(LongText),
    targetCount: p.bigint('number').index('ix_credential_reuse_target_count'),
    attemptCount: p.bigint('number'),
    confidence: p.double(),
    firstSeen: p.bigint('number').index('ix_credential_reuse_first_seen'),
    lastSeen: p.bigint('number').index('ix_credential_reuse_last_seen'),
    updatedAt: p.bigint('number').index('ix_credential_reuse_updated_at'),
  },
})
