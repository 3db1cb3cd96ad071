/** Which deckies run now, whoever has made them: the fleet, a topology, a host of the swarm. */
import { parseIp } from '../protocols/ip_address.ts'
import type { Database } from './database.ts'

/** Later ones win where two claim one address; a table that is not there holds no decky. */
const TABLES = [
  { table: 'decky_shards', name: 'decky_name', ip: 'decky_ip' },
  { table: 'fleet_deckies', name: 'name', ip: 'decky_ip' },
  { table: 'topology_deckies', name: 'name', ip: 'ip' },
] as const

/** Deckies of one table that are read. */
const MOST_ROWS = 65_536

/**
 * @returns name by address, spelled as RFC 5952 has it; rows without one are left out
 * @throws {UnavailableError} `DATABASE_UNAVAILABLE`
 * @see spec/fleet.md section 4
 */
export async function runningDeckies(database: Database): Promise<Record<string, string>> {
  const found: Record<string, string> = Object.create(null)
  const known = new Set(await tablesOf(database))
  for (const { table, name, ip } of TABLES) {
    if (!known.has(table)) continue
    const rows = await database.select(
      `select ${name} as name, ${ip} as ip from ${table} where state = 'running' order by ${name} limit ${MOST_ROWS}`,
    )
    for (const row of rows) {
      const address = typeof row.ip === 'string' ? parseIp(row.ip) : undefined
      if (address !== undefined) found[address] = String(row.name)
    }
  }
  return found
}

async function tablesOf(database: Database): Promise<string[]> {
  const names = TABLES.map(({ table }) => table)
  const marks = names.map(() => '?').join(', ')
  const rows = await database.select(
    database.dialect === 'mysql'
      ? `select table_name as name from information_schema.tables where table_schema = database() and table_name in (${marks})`
      : `select name from sqlite_master where type = 'table' and name in (${marks})`,
    names,
  )
  return rows.map(({ name }) => String(name))
}
