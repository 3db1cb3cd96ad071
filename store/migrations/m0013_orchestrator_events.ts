/** What the orchestrator has done to keep the deckies alive, apart from what attackers do. */
import { Migration } from '@mikro-orm/migrations'
import { createTableSql, type Table } from './table_sql.ts'

const events: Table = {
  name: 'orchestrator_events',
  columns: {
    uuid: { type: 'text(36)', primary: true },
    ts: { type: 'int' },
    kind: { type: 'text(16)' },
    protocol: { type: 'text(16)' },
    action: { type: 'text(64)' },
    src_decky_uuid: { type: 'text(160)', null: true },
    dst_decky_uuid: { type: 'text(160)' },
    success: { type: 'int' },
    payload: { type: 'long_text' },
  },
  unique: {},
  index: {
    ix_orchestrator_events_ts: ['ts', 'uuid'],
    ix_orchestrator_events_kind: ['kind', 'ts'],
    ix_orchestrator_events_dst: ['dst_decky_uuid', 'ts'],
  },
}

export class OrchestratorEvents extends Migration {
  override up(): void {
    for (const sql of createTableSql(events, this.config.get('collate'))) this.addSql(sql)
  }
}
