/** Rows that were merged into another: where a uuid leads, and all that has been led there. */
import type { ClusterTable } from '../cluster_tables.ts'
import type { Database, Row } from '../database.ts'
import type { Where } from './page.ts'

/** Steps of a chain that are followed; the clusterers stop there as well (spec/clustering.md). */
const MOST_HOPS = 8

/**
 * @returns the row at the end of the chain that begins at `uuid`, or the last one seen where the
 *   chain is longer than `MOST_HOPS`, a circle, or leads to nowhere; undefined where `uuid` is unknown
 */
export async function winnerOf(
  database: Database,
  table: ClusterTable,
  uuid: string,
): Promise<Row | undefined> {
  let row: Row | undefined
  let next: unknown = uuid
  for (let hop = 0; hop <= MOST_HOPS && next != null; hop += 1) {
    const [found]: readonly Row[] = await database.select(`select * from ${table} where uuid = ?`, [
      String(next),
    ])
    if (!found) return row
    row = found
    next = found.merged_into_uuid
  }
  return row
}

/**
 * @returns a condition on `column`: it names `uuid`, or a row that was merged into it, however often
 *   in between
 */
export const inTreeOf = (column: string, table: ClusterTable, uuid: string): Where => ({
  // The depth ends circles; on MariaDB the first select alone gives the column its width.
  sql: `${column} in (
    with recursive tree (uuid, depth) as (
      select uuid, 0 from ${table} where uuid = ?
      union
      select merged.uuid, tree.depth + 1 from ${table} merged
        join tree on merged.merged_into_uuid = tree.uuid where tree.depth < ${MOST_HOPS}
    ) select uuid from tree)`,
  values: [uuid],
})
