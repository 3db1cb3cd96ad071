/** Tables `credentials` and `credential_sightings`: what attackers tried to log in with. */
import { defineEntity, p } from '@mikro-orm/core'
import { DEFAULT, LongText, RowId } from './column_types.ts'

/**
 * One secret of one principal on one target by one address. Times are µs since the Unix epoch.
 * `fields` is the ASCII JSON of the first sighting; `outcomeAt` is the time of the sighting that
 * `outcome` comes from, so that a late event cannot undo a newer one's. `attackerUuid` is filled in
 * by the profiler.
 * @see spec/credential-reuse.md section 2
 */
export const CredentialEntity = defineEntity({
  name: 'Credential',
  tableName: 'credentials',
  uniques: [
    {
      name: 'uq_credentials_dedup',
      properties: [
        'attackerIp',
        'deckyName',
        'service',
        'secretKind',
        'secretSha256',
        'principalKey',
      ],
    },
  ],
  indexes: [
    { name: 'ix_credentials_unlinked', properties: ['attackerIp', 'attackerUuid'] },
    { name: 'ix_credentials_secret_sha256_service', properties: ['secretSha256', 'service'] },
    { name: 'ix_credentials_principal_service', properties: ['principal', 'service'] },
  ],
  properties: {
    id: p.type(RowId).primary().autoincrement(),
    attackerIp: p.string().length(64).index('ix_credentials_attacker_ip'),
    attackerUuid: p
      .string()
      .length(36)
      .nullable()
      .index('ix_credentials_attacker_uuid')
      .ignoreSchemaChanges(DEFAULT),
    deckyName: p.string().length(255).index('ix_credentials_decky_name'),
    service: p.string().length(64).index('ix_credentials_service'),
    principal: p
      .string()
      .length(256)
      .nullable()
      .index('ix_credentials_principal')
      .ignoreSchemaChanges(DEFAULT),
    principalKey: p.string().length(256).default('').ignoreSchemaChanges(DEFAULT),
    secretKind: p
      .string()
      .length(32)
      .default('plaintext')
      .index('ix_credentials_secret_kind')
      .ignoreSchemaChanges(DEFAULT),
    secretSha256: p
      .string()
      .length(64)
      .fieldName('secret_sha256')
      .index('ix_credentials_secret_sha256'),
    secretB64: p
      .string()
      .length(2048)
      .fieldName('secret_b64')
      .nullable()
      .ignoreSchemaChanges(DEFAULT),
    secretPrintable: p.string().length(512).nullable().ignoreSchemaChanges(DEFAULT),
    outcome: p.string().length(16).nullable().ignoreSchemaChanges(DEFAULT),
    outcomeAt: p.bigint('number').nullable(),
    fields: p.type(LongText),
    firstSeen: p.bigint('number').index('ix_credentials_first_seen'),
    lastSeen: p.bigint('number').index('ix_credentials_last_seen'),
    attemptCount: p.bigint('number').default(1).ignoreSchemaChanges(DEFAULT),
  },
})

/**
 * The ledger behind `attemptCount`: an event listed here has been counted. It is written in the
 * same transaction as the count, so a batch that is written again after a crash counts once.
 */
export const CredentialSightingEntity = defineEntity({
  name: 'CredentialSighting',
  tableName: 'credential_sightings',
  properties: {
    eventId: p.character().length(32).primary(),
    credential: () =>
      p
        .manyToOne(CredentialEntity)
        .fieldName('credential_id')
        .deleteRule('cascade')
        .index('ix_credential_sightings_credential_id'),
  },
})
