/** What a stream shows first, by name: the newest rows of a list. */
import type { Database } from '../database.ts'
import { listAttackers } from './attackers.ts'
import { listCampaigns, listIdentities } from './clusters.ts'
import { listReuse } from './credentials.ts'
import { listOrchestratorEvents } from './orchestrator_events.ts'

/** Rows of a snapshot. */
const FIRST_PAGE = { limit: 50, offset: 0 } as const

const QUERIES = {
  identities: async (database: Database) => ({
    identities: (await listIdentities(database, FIRST_PAGE)).data,
  }),
  campaigns: async (database: Database) => ({
    campaigns: (await listCampaigns(database, FIRST_PAGE)).data,
  }),
  attackers: async (database: Database) => ({
    attackers: (await listAttackers(database, { sortBy: 'recent' }, FIRST_PAGE)).data,
  }),
  // Secrets are for those who ask for them by name.
  credential_reuse: async (database: Database) => ({
    credential_reuse: (await listReuse(database, { minTargetCount: 2 }, FIRST_PAGE)).data.map(
      ({ secret_printable: _printable, secret_b64: _b64, ...row }) => row,
    ),
  }),
  orchestrator_events: async (database: Database) => ({
    events: (await listOrchestratorEvents(database, undefined, FIRST_PAGE)).data,
  }),
  none: async (_database: Database) => ({}),
} as const

export type SnapshotName = keyof typeof QUERIES

/** What `snapshot:` of an sse sink may say. */
export const snapshotNames = Object.keys(QUERIES) as SnapshotName[]

/** @throws {UnavailableError} `DATABASE_UNAVAILABLE` */
export const readSnapshot = (database: Database, name: SnapshotName): Promise<object> =>
  QUERIES[name](database)
