/** Tables `attackers`, `attacker_behavior` and `smtp_targets`: what is known of each address. */
import { defineEntity, p } from '@mikro-orm/core'
import { AttackerIdentityEntity } from './cluster.ts'
import { DEFAULT, LongText, RowId } from './column_types.ts'

/**
 * One address, as last profiled: an observation, not an actor. Lists are JSON arrays; times are event
 * time in µs since the Unix epoch; `isTraversal` is 0 or 1. `identity` is the clusterer's. `evidence` is
 * JSON: `payload_hashes`, `c2_endpoints`, `credentials`, `commands_by_phase`, `sessions`; null: of a
 * profile that was told before there was any.
 * @see spec/ingest-and-profile.md section 3.2
 */
export const AttackerEntity = defineEntity({
  name: 'Attacker',
  tableName: 'attackers',
  properties: {
    uuid: p.string().length(36).primary(),
    ip: p.string().length(64).unique('uq_attackers_ip'),
    identity: () =>
      p
        .manyToOne(AttackerIdentityEntity)
        .fieldName('identity_id')
        .deleteRule('set null')
        .nullable()
        .index('ix_attackers_identity_id')
        .ignoreSchemaChanges(DEFAULT),
    firstSeen: p.bigint('number').index('ix_attackers_first_seen'),
    lastSeen: p.bigint('number').index('ix_attackers_last_seen'),
    eventCount: p.bigint('number').index('ix_attackers_event_count'),
    serviceCount: p.bigint('number'),
    services: p.type(LongText),
    deckyCount: p.bigint('number'),
    deckies: p.type(LongText),
    traversalPath: p.type(LongText).nullable(),
    isTraversal: p.bigint('number'),
    bountyCount: p.bigint('number'),
    credentialCount: p.bigint('number'),
    fingerprints: p.type(LongText),
    commands: p.type(LongText),
    countryCode: p
      .string()
      .length(2)
      .nullable()
      .index('ix_attackers_country_code')
      .ignoreSchemaChanges(DEFAULT),
    countrySource: p.string().length(16).nullable().ignoreSchemaChanges(DEFAULT),
    updatedAt: p.bigint('number').index('ix_attackers_updated_at'),
    evidence: p.type(LongText).nullable(),
    asn: p.bigint('number').nullable(),
  },
})

/**
 * Which attackers have changed, in order: a row that is written anew has a higher `id` then. So a
 * reader that goes on behind the last it has seen misses none, and reads each once that changed twice.
 */
export const AttackerChangeEntity = defineEntity({
  name: 'AttackerChange',
  tableName: 'attacker_changes',
  properties: {
    id: p.type(RowId).primary().autoincrement(),
    uuid: p.string().length(36).unique('uq_attacker_changes_uuid'),
  },
})

/**
 * How an attacker behaves. The stack, the timing statistics and the phases are JSON objects;
 * `eventCount` is that of the profile it belongs to, so that an older one cannot take its place.
 * @see spec/ingest-and-profile.md section 3.7
 */
export const AttackerBehaviorEntity = defineEntity({
  name: 'AttackerBehavior',
  tableName: 'attacker_behavior',
  properties: {
    attackerUuid: p.string().length(36).primary(),
    eventCount: p.bigint('number'),
    osGuess: p.string().length(64).nullable().ignoreSchemaChanges(DEFAULT),
    hopDistance: p.bigint('number').nullable(),
    tcpFingerprint: p.type(LongText),
    kexOrderRaw: p.type(LongText).nullable(),
    sshClientBanners: p.type(LongText).nullable(),
    retransmitCount: p.bigint('number'),
    behaviorClass: p.string().length(32).index('ix_attacker_behavior_behavior_class'),
    beaconIntervalS: p.double().nullable(),
    beaconJitterPct: p.double().nullable(),
    toolGuesses: p.type(LongText),
    timingStats: p.type(LongText),
    phaseSequence: p.type(LongText),
    updatedAt: p.bigint('number').index('ix_attacker_behavior_updated_at'),
  },
})

/**
 * A domain that an attacker wanted mail delivered to.
 * @see spec/ingest-and-profile.md section 3.9
 */
export const SmtpTargetEntity = defineEntity({
  name: 'SmtpTarget',
  tableName: 'smtp_targets',
  uniques: [{ name: 'uq_smtp_targets_attacker_domain', properties: ['attackerUuid', 'domain'] }],
  properties: {
    id: p.type(RowId).primary().autoincrement(),
    attackerUuid: p.string().length(36),
    domain: p.string().length(253).index('ix_smtp_targets_domain'),
    firstSeen: p.bigint('number'),
    lastSeen: p.bigint('number'),
    count: p.bigint('number'),
  },
})
