/** Identities and campaigns that have become part of others. */
import { resolveChain } from '../../protocols/clustering/merge_chain.ts'
import type { ClusterTable } from '../cluster_tables.ts'
import type { Database } from '../database.ts'

/** Rows of one merge that are looked at. */
const MAX_MERGED = 100_000
/** Keys in one statement. */
const PER_STATEMENT = 500
/** As many pointers as `resolveChain` follows, and one to see whether it ends there. */
const MAX_STEPS = 9

/** @returns the row that stands for this one; the same where it is merged into none */
export async function canonicalOf(
  database: Database,
  table: ClusterTable,
  uuid: string,
): Promise<string> {
  const pointers = new Map<string, string | null>()
  for (let at: string | null = uuid; at !== null && pointers.size < MAX_STEPS; ) {
    if (pointers.has(at)) break
    const [row] = await database.select(`select merged_into_uuid from ${table} where uuid = ?`, [
      at,
    ])
    if (!row) break
    const next: string | null = row.merged_into_uuid == null ? null : String(row.merged_into_uuid)
    pointers.set(at, next)
    at = next
  }
  return resolveChain(uuid, (of) => pointers.get(of))
}

/** @returns every row that `canonical` stands for, itself first, the others by uuid */
export async function mergedInto(
  database: Database,
  table: ClusterTable,
  canonical: string,
): Promise<string[]> {
  const pointers = new Map<string, string | null>([[canonical, null]])
  for (let level = [canonical]; level.length > 0 && pointers.size < MAX_MERGED; ) {
    const next: string[] = []
    for (const some of parts(level)) {
      const rows = await database.select(
        `select uuid, merged_into_uuid from ${table}
          where merged_into_uuid in (${some.map(() => '?').join(', ')}) order by uuid`,
        some,
      )
      for (const { uuid, merged_into_uuid } of rows) {
        if (pointers.has(String(uuid))) continue
        pointers.set(String(uuid), String(merged_into_uuid))
        next.push(String(uuid))
      }
    }
    level = next
  }
  const others = [...pointers.keys()].filter((uuid) => uuid !== canonical).sort()
  return [
    canonical,
    ...others.filter((uuid) => resolveChain(uuid, (of) => pointers.get(of)) === canonical),
  ]
}

/** Cuts a list of keys into what one statement takes. */
export function* parts<T>(list: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < list.length; at += PER_STATEMENT) yield list.slice(at, at + PER_STATEMENT)
}
