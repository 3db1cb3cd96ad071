/** Members of identities and campaigns, counted by their links, those of what was merged included. */
import { Migration } from '@mikro-orm/migrations'

const LAYERS = [
  {
    table: 'attacker_identities',
    count: 'observation_count',
    counted: 'select identity_id as uuid, count(*) as n from attackers group by identity_id',
  },
  {
    table: 'campaigns',
    count: 'identity_count',
    counted: `select campaign_id as uuid, count(*) as n from attacker_identities
      where merged_into_uuid is null and observation_count > 0 group by campaign_id`,
  },
] as const

export class ClusterCounts extends Migration {
  override up(): void {
    for (const { table, count, counted } of LAYERS) {
      // Tables with an index, for MySQL reads no table that it is changing, and SQLite would count anew
      // for each row. Not temporary ones, which are of one connection.
      for (const sql of [
        'drop table if exists own_counts',
        'drop table if exists tree_counts',
        `create table own_counts as
          select c.uuid, c.merged_into_uuid, o.n from ${table} c join (${counted}) o on o.uuid = c.uuid`,
        `create table tree_counts as
          select merged_into_uuid as uuid, sum(n) as n from own_counts
          where merged_into_uuid is not null group by merged_into_uuid`,
        'create unique index own_counts_uuid on own_counts (uuid)',
        'create unique index tree_counts_uuid on tree_counts (uuid)',
        `update ${table} set ${count} =
          coalesce((select n from own_counts where own_counts.uuid = ${table}.uuid), 0) +
          coalesce((select n from tree_counts where tree_counts.uuid = ${table}.uuid), 0)`,
        'drop table own_counts',
        'drop table tree_counts',
      ]) {
        this.addSql(sql)
      }
    }
  }
}
