/** What the orchestrator has done, as the API shows it. */
import type { Database, Row } from '../database.ts'
import { allOf, equals, iso, type Listing, listPage, type Page, text, textOrNull } from './page.ts'

export type OrchestratorRow = ReturnType<typeof orchestratorRow>

/** Newest first. @throws as `listPage` */
export const listOrchestratorEvents = (
  database: Database,
  kind: 'traffic' | 'file' | undefined,
  page: Page,
): Promise<Listing<OrchestratorRow>> =>
  listPage(
    database,
    {
      columns: '*',
      from: 'orchestrator_events',
      where: allOf(equals('kind', kind)),
      order: 'ts desc, uuid desc',
      toRow: orchestratorRow,
    },
    page,
  )

const orchestratorRow = (row: Row) => ({
  uuid: text(row.uuid),
  ts: iso(row.ts),
  kind: text(row.kind),
  protocol: text(row.protocol),
  action: text(row.action),
  src_decky_uuid: textOrNull(row.src_decky_uuid),
  dst_decky_uuid: text(row.dst_decky_uuid),
  success: Number(row.success) === 1,
  payload: text(row.payload),
})
