/** Identities: addresses that are taken for one pair of hands. */
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { identitiesQuery } from '../api/queries.ts'
import { identityPath } from '../components/attacker_cells.tsx'
import { useChanged } from '../components/cluster_parts.tsx'
import { DataTable } from '../components/data_table.tsx'
import { IDENTITY_COLUMNS } from '../components/identity_columns.tsx'
import { LiveStatus } from '../components/live_status.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Pager, usePaging } from '../components/pager.tsx'
import { Empty } from '../components/state.tsx'
import { useStream } from '../live/streams.ts'
import { useRefetch } from '../live/use_refetch.ts'

const LIMIT = 50

export function IdentitiesPage() {
  const navigate = useNavigate()
  const { go, ...paging } = usePaging(LIMIT)
  const { limit, offset } = paging
  const list = useQuery(identitiesQuery({ limit, offset }))
  const refetch = useRefetch([['list', '/identities']])
  const status = useStream('identities', refetch)
  const marked = useChanged(
    list.data?.data,
    ({ uuid }) => uuid,
    ({ updated_at }) => updated_at,
  )
  return (
    <>
      <PageHead title="Identities" name="Identities" actions={<LiveStatus status={status} />} />
      <div className="toolbar">
        <p className="soft">
          Addresses that share tools, payloads or endpoints are one pair of hands.
        </p>
        <Pager name="identities" total={list.data?.total} paging={paging} go={go} />
      </div>
      <div className="panel page-table">
        <DataTable
          name="Identities"
          columns={IDENTITY_COLUMNS}
          rows={list.data?.data}
          keyOf={({ uuid }) => uuid}
          error={list.error}
          retry={() => void list.refetch()}
          stale={list.isPlaceholderData}
          expected={LIMIT}
          open={({ uuid }) => navigate(identityPath(uuid))}
          marked={marked}
          empty={
            <Empty title="No identity has been formed">
              The pipeline <code>clusterer</code> forms one for each attacker that was profiled, and
              merges those that share evidence.
            </Empty>
          }
        />
      </div>
    </>
  )
}
