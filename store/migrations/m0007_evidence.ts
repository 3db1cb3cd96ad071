/** What the clusterers compare attackers and identities by, and what has changed of them, in order. */
import { Migration } from '@mikro-orm/migrations'
import { createTableSql, type Table } from './table_sql.ts'

/** A row that changes moves to the end, so there are as many as rows. */
const changesOf = (name: string): Table => ({
  name,
  columns: { id: { type: 'id' }, uuid: { type: 'text(36)' } },
  unique: { [`uq_${name}_uuid`]: ['uuid'] },
  index: {},
})

const ADDED = [
  ['attackers', 'evidence', 'mediumtext'],
  ['attackers', 'asn', 'bigint'],
  ['attacker_identities', 'features', 'mediumtext'],
] as const

/** By the time at which each came to be. */
const FILLED = [
  ['attacker_changes', 'attackers', 'first_seen'],
  ['identity_changes', 'attacker_identities', 'created_at'],
] as const

export class EvidenceColumns extends Migration {
  override async up(): Promise<void> {
    const collation = this.config.get('collate')
    for (const [changes, table, since] of FILLED) {
      for (const sql of createTableSql(changesOf(changes), collation)) this.addSql(sql)
      // Again after a crash of MySQL, which keeps what it had done: those who are there stay.
      const verb = collation === undefined ? 'insert or ignore' : 'insert ignore'
      this.addSql(
        `${verb} into ${changes} (uuid) select uuid from ${table} order by ${since}, uuid`,
      )
    }
    for (const [table, column, type] of ADDED) {
      if (collation === undefined) {
        const sqlite = type === 'mediumtext' ? 'text' : type
        this.addSql(`alter table ${table} add column ${column} ${sqlite} null`)
        continue
      }
      const there = await this.execute(
        `select 1 from information_schema.columns where table_schema = database()
          and table_name = '${table}' and column_name = '${column}'`,
      )
      if ((there as readonly unknown[]).length > 0) continue
      this.addSql(`alter table ${table} add column ${column} ${type} null`)
    }
  }
}
