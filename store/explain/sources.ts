/** Which addresses an identity knows a thing from. */
import { ATTACKER_COLUMNS, attackerOfRow } from '../cluster_feed.ts'
import type { Database, Row } from '../database.ts'
import { memberUuids } from './members.ts'
import { mergedInto, parts } from './merge_tree.ts'

/** One address of an identity, by what campaigns are made of. */
export interface Source {
  readonly ip: string
  readonly payload: readonly string[]
  readonly c2: readonly string[]
  /** ms */
  readonly visits: readonly { decky: string; phase: string; start: number; end: number }[]
}

/** Addresses of one identity that are looked through. */
const MAX_SOURCES = 1000

/** @returns by identity, each by first contact */
export async function sourcesOf(
  database: Database,
  identities: readonly string[],
): Promise<Map<string, Source[]>> {
  const found = new Map<string, Source[]>()
  for (const identity of identities) {
    const merged = await mergedInto(database, 'attacker_identities', identity)
    const uuids = await memberUuids(database, 'attacker_identities', merged)
    const sources: { source: Source; since: number }[] = []
    for (const some of parts(uuids.slice(0, MAX_SOURCES))) {
      const rows = await database.select(
        `select ${ATTACKER_COLUMNS.join(', ')} from attackers
          where uuid in (${some.map(() => '?').join(', ')}) order by uuid`,
        some,
      )
      for (const row of rows) sources.push({ source: sourceOf(row), since: Number(row.first_seen) })
    }
    sources.sort((a, b) => a.since - b.since)
    found.set(
      identity,
      sources.map(({ source }) => source),
    )
  }
  return found
}

interface Told {
  readonly payload_hashes?: readonly string[]
  readonly c2_endpoints?: readonly string[]
  readonly sessions?: readonly {
    readonly decky: string
    readonly phase: string
    readonly started_at: number
    readonly duration_s: number
  }[]
}

function sourceOf(row: Row): Source {
  const ip = String(row.ip)
  try {
    const {
      payload_hashes = [],
      c2_endpoints = [],
      sessions = [],
    } = attackerOfRow(row).data as Told
    return {
      ip,
      payload: payload_hashes,
      c2: c2_endpoints,
      visits: sessions.map(({ decky, phase, started_at, duration_s }) => ({
        decky,
        phase,
        start: started_at,
        // Rounded as the clusterer does, for the two are compared.
        end: started_at + Math.round(duration_s * 1000),
      })),
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return { ip, payload: [], c2: [], visits: [] }
  }
}
