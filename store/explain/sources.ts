/** Which addresses an identity knows a thing from. */
import type { Database, Row } from '../database.ts'
import { objectOf, textsIn } from './json_column.ts'
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
        `select ip, evidence, first_seen from attackers
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

function sourceOf(row: Row): Source {
  const evidence = objectOf(row.evidence)
  return {
    ip: String(row.ip),
    payload: textsIn(evidence.payload_hashes),
    c2: textsIn(evidence.c2_endpoints),
    visits: Array.isArray(evidence.sessions) ? evidence.sessions.flatMap(visitOf) : [],
  }
}

/** Rounded as the clusterer does, for the two are compared. */
function visitOf(session: unknown): Source['visits'] {
  if (typeof session !== 'object' || session === null) return []
  const { decky, phase, started_at, duration_s } = session as Readonly<Record<string, unknown>>
  const start = Number(started_at)
  const end = start + Math.round(Number(duration_s) * 1000)
  return [{ decky: String(decky), phase: String(phase), start, end }]
}
