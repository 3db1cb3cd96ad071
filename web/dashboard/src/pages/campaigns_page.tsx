/** Campaigns: identities that work together. */
import { useQuery } from '@tanstack/react-query'
import { useNavigate } from 'react-router'
import { campaignsQuery } from '../api/queries.ts'
import type { Campaign } from '../api/types.ts'
import { campaignPath } from '../components/attacker_cells.tsx'
import {
  CLUSTER_TIMES,
  CONFIDENCE,
  clusterCounts,
  useChanged,
} from '../components/cluster_parts.tsx'
import { Hash } from '../components/copy.tsx'
import { type Column, DataTable } from '../components/data_table.tsx'
import { LiveStatus } from '../components/live_status.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Pager, usePaging } from '../components/pager.tsx'
import { Empty } from '../components/state.tsx'
import { grouped } from '../format/number.ts'
import { useStream } from '../live/streams.ts'
import { useRefetch } from '../live/use_refetch.ts'

const LIMIT = 50
const COLUMNS: readonly Column<Campaign>[] = [
  {
    id: 'uuid',
    head: 'Campaign',
    width: '7.5rem',
    cell: ({ uuid }) => <Hash text={uuid} name="campaign" to={campaignPath(uuid)} />,
  },
  {
    id: 'identities',
    head: 'Identities',
    width: '6rem',
    align: 'end',
    cell: ({ identity_count }) => grouped(identity_count),
  },
  CONFIDENCE,
  { id: 'known', head: 'Known by', cell: clusterCounts },
  ...CLUSTER_TIMES,
]

export function CampaignsPage() {
  const navigate = useNavigate()
  const { go, ...paging } = usePaging(LIMIT)
  const { limit, offset } = paging
  const list = useQuery(campaignsQuery({ limit, offset }))
  const refetch = useRefetch([['list', '/campaigns']])
  const status = useStream('campaigns', refetch)
  const marked = useChanged(
    list.data?.data,
    ({ uuid }) => uuid,
    ({ updated_at }) => updated_at,
  )
  return (
    <>
      <PageHead title="Campaigns" name="Campaigns" actions={<LiveStatus status={status} />} />
      <div className="toolbar">
        <p className="soft">Identities that hand deckies on or share infrastructure.</p>
        <Pager name="campaigns" total={list.data?.total} paging={paging} go={go} />
      </div>
      <div className="panel page-table">
        <DataTable
          name="Campaigns"
          columns={COLUMNS}
          rows={list.data?.data}
          keyOf={({ uuid }) => uuid}
          error={list.error}
          retry={() => void list.refetch()}
          stale={list.isPlaceholderData}
          expected={LIMIT}
          open={({ uuid }) => navigate(campaignPath(uuid))}
          marked={marked}
          empty={
            <Empty title="No campaign has been formed">
              The pipeline <code>campaign-clusterer</code> forms one where identities work together.
            </Empty>
          }
        />
      </div>
    </>
  )
}
