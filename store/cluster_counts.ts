/** How many members clusters have, counted by the links that there are. */
import { CLUSTERS, type ClusterTable } from './cluster_tables.ts'
import type { Row, Statements } from './database.ts'

/** Pointers that are followed, as by the API and the clusterers (spec/clustering.md section 4.2). */
const MOST_HOPS = 8
/** Keys in one statement. */
const PER_STATEMENT = 256

/**
 * Counts the members of clusters, and of those they are part of, and writes what is not so. To be called
 * in the transaction that changed links or pointers, after that. On MySQL the rows are locked before
 * their members are counted, for what two transactions change of one cluster must not be counted twice.
 * @returns those whose count was another
 */
export async function recount(
  statements: Statements,
  table: ClusterTable,
  uuids: Iterable<string>,
): Promise<readonly string[]> {
  const { members, link, count, counted } = CLUSTERS[table]
  const lock = statements.dialect === 'mysql' ? 'for update' : ''
  const winners = new Map<string, string | null>()
  const before = new Map<string, number>()
  const note = (rows: readonly Row[]) =>
    rows.flatMap(({ uuid, winner, n }) => {
      const name = String(uuid)
      if (n !== undefined) before.set(name, Number(n))
      if (winners.has(name)) return []
      winners.set(name, winner == null ? null : String(winner))
      return [name]
    })
  let level: readonly string[] = [...new Set(uuids)].sort()
  for (let hop = 0; hop <= MOST_HOPS && level.length > 0; hop += 1) {
    const found = note(
      await selectIn(
        statements,
        `select uuid, merged_into_uuid as winner, ${count} as n from ${table} where uuid in`,
        level,
        lock,
      ),
    )
    level = newOnes(
      found.map((uuid) => winners.get(uuid) ?? undefined),
      winners,
    )
  }
  level = [...winners.keys()]
  for (let hop = 0; hop < MOST_HOPS && level.length > 0; hop += 1) {
    const sql = `select uuid, merged_into_uuid as winner from ${table} where merged_into_uuid in`
    level = note(await selectIn(statements, sql, level))
  }
  const after = new Map<string, number>()
  const own = await selectIn(
    statements,
    `select ${link} as uuid, count(*) as n from ${members} where ${counted} and ${link} in`,
    [...winners.keys()],
    `group by ${link}`,
  )
  for (const { uuid, n } of own) {
    for (const stands of chainOf(String(uuid), winners)) {
      after.set(stands, (after.get(stands) ?? 0) + Number(n))
    }
  }
  const wrong = [...before].filter(([uuid, n]) => (after.get(uuid) ?? 0) !== n)
  for (const [uuid] of wrong) {
    const sql = `update ${table} set ${count} = ? where uuid = ?`
    await statements.update(sql, [after.get(uuid) ?? 0, uuid])
  }
  return wrong.map(([uuid]) => uuid)
}

const newOnes = (uuids: readonly (string | undefined)[], known: ReadonlyMap<string, unknown>) =>
  [...new Set(uuids)].filter((uuid) => uuid !== undefined && !known.has(uuid)) as string[]

/** A row and all it is part of, each once. */
function chainOf(uuid: string, winners: ReadonlyMap<string, string | null>): Set<string> {
  const chain = new Set<string>()
  for (let at: string | null | undefined = uuid; at != null && chain.size <= MOST_HOPS; ) {
    if (chain.has(at)) break
    chain.add(at)
    at = winners.get(at)
  }
  return chain
}

/** @param sql ends where the list of `keys` begins, which may be long */
export async function selectIn(
  statements: Statements,
  sql: string,
  keys: readonly string[],
  rest = '',
): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (let at = 0; at < keys.length; at += PER_STATEMENT) {
    const some = keys.slice(at, at + PER_STATEMENT)
    // Few lengths, so few statements to prepare; a key that is asked for twice is found once.
    const places = Math.min(PER_STATEMENT, 2 ** Math.ceil(Math.log2(some.length)))
    const asked = Array.from({ length: places }, (_, place) => some[place] ?? (some[0] as string))
    const marks = asked.map(() => '?').join(', ')
    rows.push(...(await statements.select(`${sql} (${marks}) ${rest}`, asked)))
  }
  return rows
}
