/** Tables `attacker_identities` and `campaigns`: who is behind the addresses, and what they are at. */
import { defineEntity, type EntitySchema, p } from '@mikro-orm/core'
import { DEFAULT, LongText, RowId } from './column_types.ts'

/**
 * One pair of hands, as last told. Times are event time in µs since the Unix epoch; lists are JSON
 * arrays of text, null where there are none. `mergedInto` is a soft merge: the row stays, and those who
 * know its uuid are led on. A row with nothing but its uuid is a winner whose own row is lost. `features`
 * is JSON, what campaigns are made by. `confidence` and `kdDigraphSimhash` (16 hex digits) are kept free.
 * @see spec/clustering.md section 8
 */
export const AttackerIdentityEntity: EntitySchema = defineEntity({
  name: 'AttackerIdentity',
  tableName: 'attacker_identities',
  properties: {
    uuid: p.string().length(36).primary(),
    schemaVersion: p.bigint('number').default(1).ignoreSchemaChanges(DEFAULT),
    campaign: () =>
      p
        .manyToOne(CampaignEntity)
        .fieldName('campaign_id')
        .deleteRule('set null')
        .nullable()
        .index('ix_attacker_identities_campaign_id')
        .ignoreSchemaChanges(DEFAULT),
    firstSeenAt: p.bigint('number').nullable().index('ix_attacker_identities_first_seen_at'),
    lastSeenAt: p.bigint('number').nullable().index('ix_attacker_identities_last_seen_at'),
    createdAt: p.bigint('number').index('ix_attacker_identities_created_at'),
    updatedAt: p.bigint('number').index('ix_attacker_identities_updated_at'),
    confidence: p.string().length(32).nullable().ignoreSchemaChanges(DEFAULT),
    observationCount: p.bigint('number').default(0).ignoreSchemaChanges(DEFAULT),
    ja3Hashes: p.type(LongText).fieldName('ja3_hashes').nullable(),
    hasshHashes: p.type(LongText).nullable(),
    payloadSimhashes: p.type(LongText).nullable(),
    c2Endpoints: p.type(LongText).fieldName('c2_endpoints').nullable(),
    kdDigraphSimhash: p
      .string()
      .length(16)
      .nullable()
      .index('ix_attacker_identities_kd_digraph_simhash')
      .ignoreSchemaChanges(DEFAULT),
    mergedInto: () =>
      p
        .manyToOne(AttackerIdentityEntity)
        .fieldName('merged_into_uuid')
        .deleteRule('set null')
        .nullable()
        .index('ix_attacker_identities_merged_into_uuid')
        .ignoreSchemaChanges(DEFAULT),
    notes: p.type(LongText).nullable(),
    features: p.type(LongText).nullable(),
  },
})

/** One operation, as last told; columns as in `attacker_identities`. */
export const CampaignEntity: EntitySchema = defineEntity({
  name: 'Campaign',
  tableName: 'campaigns',
  properties: {
    uuid: p.string().length(36).primary(),
    schemaVersion: p.bigint('number').default(1).ignoreSchemaChanges(DEFAULT),
    firstSeenAt: p.bigint('number').nullable().index('ix_campaigns_first_seen_at'),
    lastSeenAt: p.bigint('number').nullable().index('ix_campaigns_last_seen_at'),
    createdAt: p.bigint('number').index('ix_campaigns_created_at'),
    updatedAt: p.bigint('number').index('ix_campaigns_updated_at'),
    confidence: p.string().length(32).nullable().ignoreSchemaChanges(DEFAULT),
    identityCount: p.bigint('number').default(0).ignoreSchemaChanges(DEFAULT),
    ja3Hashes: p.type(LongText).fieldName('ja3_hashes').nullable(),
    hasshHashes: p.type(LongText).nullable(),
    payloadSimhashes: p.type(LongText).nullable(),
    c2Endpoints: p.type(LongText).fieldName('c2_endpoints').nullable(),
    mergedInto: () =>
      p
        .manyToOne(CampaignEntity)
        .fieldName('merged_into_uuid')
        .deleteRule('set null')
        .nullable()
        .index('ix_campaigns_merged_into_uuid')
        .ignoreSchemaChanges(DEFAULT),
    notes: p.type(LongText).nullable(),
  },
})

/** Which identities have changed, in order; as `attacker_changes`. */
export const IdentityChangeEntity = defineEntity({
  name: 'IdentityChange',
  tableName: 'identity_changes',
  properties: {
    id: p.type(RowId).primary().autoincrement(),
    uuid: p.string().length(36).unique('uq_identity_changes_uuid'),
  },
})
