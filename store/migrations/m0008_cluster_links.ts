/** Foreign keys from attackers to identities to campaigns, and from what was merged to its winner. */
import { Migration } from '@mikro-orm/migrations'
import { foreignKeyName, linkSql } from './table_sql.ts'

const LINKS = [
  ['campaigns', 'merged_into_uuid', 'campaigns'],
  ['attacker_identities', 'merged_into_uuid', 'attacker_identities'],
  ['attacker_identities', 'campaign_id', 'campaigns'],
  ['attackers', 'identity_id', 'attacker_identities'],
] as const

export class ClusterLinks extends Migration {
  override async up(): Promise<void> {
    for (const [table, column, to] of LINKS) {
      // Derived once more, for MySQL reads no table that it is changing.
      this.addSql(
        `update ${table} set ${column} = null where ${column} is not null
          and ${column} not in (select uuid from (select uuid from ${to}) known)`,
      )
    }
    if (this.config.get('collate') === undefined) return this.#rebuild()
    for (const [table, column, to] of LINKS) {
      // MySQL commits each at once, so after a crash some may be there.
      const there = await this.execute(
        `select 1 from information_schema.table_constraints where table_schema = database()
          and table_name = '${table}' and constraint_name = '${foreignKeyName(table, column)}'`,
      )
      if ((there as readonly unknown[]).length > 0) continue
      this.addSql(`alter table ${table} add ${linkSql(table, column, to)}`)
    }
  }

  /** SQLite adds no foreign key to a column that is there: the table is made anew as it was, with them. */
  async #rebuild(): Promise<void> {
    // Until the end of the migration: a loser may stand before its winner.
    this.addSql('pragma defer_foreign_keys = on')
    for (const table of new Set(LINKS.map(([name]) => name))) {
      const found = (await this.execute(
        `select sql from sqlite_master where tbl_name = '${table}' and sql is not null
          order by type = 'table' desc, name`,
      )) as unknown as readonly { sql: string }[]
      const [made, ...indexes] = found
      if (!made) continue
      const keys = LINKS.filter(([name]) => name === table).map(([name, column, to]) =>
        linkSql(name, column, to),
      )
      const body = made.sql.slice(made.sql.indexOf('('), made.sql.lastIndexOf(')'))
      // Out of the way first: to drop a table that others link to would take their links away.
      this.addSql(`alter table ${table} rename to ${table}_unlinked`)
      this.addSql(`create table ${table} ${body}, ${keys.join(', ')})`)
      this.addSql(`insert into ${table} select * from ${table}_unlinked`)
      this.addSql(`drop table ${table}_unlinked`)
      for (const { sql } of indexes) this.addSql(sql)
    }
  }
}
