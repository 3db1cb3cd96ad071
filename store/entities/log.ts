/** Table `logs`: one row per record of a decky. */
import { defineEntity, p } from '@mikro-orm/core'
import { DEFAULT, LongText, RowId } from './column_types.ts'

/**
 * A decky's record. `timestamp` is event time in µs since the Unix epoch: neither database has a
 * date type that both drivers carry to the microsecond. `eventId` makes a repeat harmless.
 * `fields` is a compact JSON object. `sourceWorker` is the forwarding host, null for our own.
 * @see spec/ingest-and-profile.md section 1.3
 */
export const LogEntity = defineEntity({
  name: 'Log',
  tableName: 'logs',
  properties: {
    id: p.type(RowId).primary().autoincrement(),
    eventId: p.character().length(32).unique('uq_logs_event_id'),
    timestamp: p.bigint('number').index('ix_logs_timestamp'),
    decky: p.string().length(255).index('ix_logs_decky'),
    service: p.string().length(64).index('ix_logs_service'),
    eventType: p.string().length(255).index('ix_logs_event_type'),
    attackerIp: p.string().length(64).index('ix_logs_attacker_ip'),
    rawLine: p.type(LongText),
    fields: p.type(LongText),
    msg: p.type(LongText).nullable(),
    traceId: p.string().length(32).nullable().ignoreSchemaChanges(DEFAULT),
    spanId: p.string().length(16).nullable().ignoreSchemaChanges(DEFAULT),
    sourceWorker: p.string().length(255).nullable().ignoreSchemaChanges(DEFAULT),
  },
})
