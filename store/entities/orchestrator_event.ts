/** Table `orchestrator_events`: synthetic traffic and files, never to be taken for an attacker's. */
import { defineEntity, p } from '@mikro-orm/core'
import { DEFAULT, LongText } from './column_types.ts'

/**
 * One row per action, done or failed. `ts` is µs since the Unix epoch; the deckies are opaque
 * (`<uuid>`, `local:<name>`, `<host>:<name>`) and no keys of other tables, for they may be gone.
 * @see spec/orchestrator.md section 1
 */
export const OrchestratorEventEntity = defineEntity({
  name: 'OrchestratorEvent',
  tableName: 'orchestrator_events',
  indexes: [
    { name: 'ix_orchestrator_events_ts', properties: ['ts', 'uuid'] },
    { name: 'ix_orchestrator_events_kind', properties: ['kind', 'ts'] },
    { name: 'ix_orchestrator_events_dst', properties: ['dstDeckyUuid', 'ts'] },
  ],
  properties: {
    uuid: p.string().length(36).primary(),
    ts: p.bigint('number'),
    kind: p.string().length(16),
    protocol: p.string().length(16),
    action: p.string().length(64),
    srcDeckyUuid: p.string().length(160).nullable().ignoreSchemaChanges(DEFAULT),
    dstDeckyUuid: p.string().length(160),
    success: p.bigint('number'),
    payload: p.type(LongText),
  },
})
