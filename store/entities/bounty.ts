/** Table `bounty`: what was learnt about an attacker, once per distinct payload. */
import { defineEntity, p } from '@mikro-orm/core'
import { LongText, RowId } from './column_types.ts'

/**
 * A fingerprint, an address leak or an artifact. `timestamp` is event time of the first sighting in
 * µs since the Unix epoch; `payload` is canonical JSON and `payloadSha256` its identity.
 * @see spec/ingest-and-profile.md section 1.4
 */
export const BountyEntity = defineEntity({
  name: 'Bounty',
  tableName: 'bounty',
  uniques: [
    { name: 'uq_bounty_payload', properties: ['bountyType', 'attackerIp', 'payloadSha256'] },
  ],
  properties: {
    id: p.type(RowId).primary().autoincrement(),
    timestamp: p.bigint('number').index('ix_bounty_timestamp'),
    decky: p.string().length(255).index('ix_bounty_decky'),
    service: p.string().length(64).index('ix_bounty_service'),
    attackerIp: p.string().length(64).index('ix_bounty_attacker_ip'),
    bountyType: p.string().length(32).index('ix_bounty_bounty_type'),
    payload: p.type(LongText),
    payloadSha256: p.character().length(64).fieldName('payload_sha256'),
  },
})
