/** Figures over everything: what the first page of the dashboard shows. */
import { type ClusterTable, isShown } from '../cluster_tables.ts'
import type { Database } from '../database.ts'
import { countBounties } from './attacker_activity.ts'
import { type AttackerRow, listAttackers } from './attackers.ts'
import { countRows } from './page.ts'

export interface Stats {
  readonly total_logs: number
  readonly unique_attackers: number
  readonly active_deckies: number
  readonly deployed_deckies: number
}

const ALL = { sql: '1 = 1', values: [] }

/** Tables of deckies; whether they are there hangs on what this host is used for. */
const DECKY_TABLES = ['fleet_deckies', 'topology_deckies']

/**
 * The fleet counts as active as a whole; a decky of a topology while it runs.
 * @throws {UnavailableError} `DATABASE_UNAVAILABLE`, as all that follows
 */
export async function readStats(database: Database): Promise<Stats> {
  const deckies = { active: 0, deployed: 0 }
  for (const table of await tablesOf(database, DECKY_TABLES)) {
    const deployed = await countRows(database, table, ALL)
    const running = { sql: "state = 'running'", values: [] }
    deckies.deployed += deployed
    deckies.active +=
      table === 'fleet_deckies' ? deployed : await countRows(database, table, running)
  }
  return {
    total_logs: await countRows(database, 'logs', ALL),
    unique_attackers: await countRows(database, 'attackers', ALL),
    active_deckies: deckies.active,
    deployed_deckies: deckies.deployed,
  }
}

export interface Overview extends Stats {
  readonly bounties: number
  readonly credentials: number
  readonly credential_reuse: number
  readonly identities: number
  readonly campaigns: number
  /** logs by minute over the last hour, oldest first; minutes without any are left out */
  readonly events_per_minute: readonly { readonly minute_ts: number; readonly count: number }[]
  /** by logs in the last hour */
  readonly deckies_under_siege: readonly { readonly decky: string; readonly count: number }[]
  readonly top_attackers: readonly AttackerRow[]
}

const MINUTE = 60_000_000
const SHOWN = 5

/** @param now µs since the Unix epoch */
export async function readOverview(database: Database, now: number): Promise<Overview> {
  const shown = (table: ClusterTable) =>
    countRows(database, table, { sql: isShown(table), values: [] })
  const since = now - (now % MINUTE) - 59 * MINUTE
  const minutes = await database.select(
    `select minute, count(*) as n from (select timestamp - (timestamp % ${MINUTE}) as minute
       from logs where timestamp >= ? and timestamp <= ?) placed group by minute order by minute`,
    [since, now],
  )
  const deckies = await database.select(
    `select decky, count(*) as n from logs where timestamp >= ? and timestamp <= ?
     group by decky order by n desc, decky limit ${SHOWN}`,
    [since, now],
  )
  const page = { limit: SHOWN, offset: 0 }
  const { data: top_attackers } = await listAttackers(database, { sortBy: 'active' }, page)
  return {
    ...(await readStats(database)),
    bounties: await countBounties(database),
    credentials: await countRows(database, 'credentials', ALL),
    credential_reuse: await countRows(database, 'credential_reuse', ALL),
    identities: await shown('attacker_identities'),
    campaigns: await shown('campaigns'),
    events_per_minute: minutes.map(({ minute, n }) => ({
      minute_ts: Number(minute) / 1e6,
      count: Number(n),
    })),
    deckies_under_siege: deckies.map(({ decky, n }) => ({
      decky: String(decky),
      count: Number(n),
    })),
    top_attackers,
  }
}

async function tablesOf(database: Database, names: readonly string[]): Promise<readonly string[]> {
  const marks = names.map(() => '?').join(', ')
  const rows = await database.select(
    database.dialect === 'mysql'
      ? `select table_name as name from information_schema.tables where table_schema = database() and table_name in (${marks}) order by table_name`
      : `select name from sqlite_master where type = 'table' and name in (${marks}) order by name`,
    names,
  )
  return rows.map(({ name }) => String(name))
}
