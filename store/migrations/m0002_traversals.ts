/** Traversals, one per attacker. */
import { Migration } from '@mikro-orm/migrations'
import { createTableSql, type Table } from './table_sql.ts'

const traversals: Table = {
  name: 'traversals',
  columns: {
    id: { type: 'id' },
    attacker_ip: { type: 'text(64)' },
    event_id: { type: 'char(32)' },
    decky_count: { type: 'int' },
    hop_count: { type: 'int' },
    mutation_count: { type: 'int' },
    path: { type: 'long_text' },
    data: { type: 'long_text' },
    first_seen: { type: 'int' },
    last_seen: { type: 'int' },
  },
  unique: { uq_traversals_attacker_ip: ['attacker_ip'] },
  index: {
    ix_traversals_first_seen: ['first_seen'],
    ix_traversals_last_seen: ['last_seen'],
  },
}

export class Traversals extends Migration {
  override up(): void {
    for (const sql of createTableSql(traversals, this.config.get('collate'))) this.addSql(sql)
  }
}
