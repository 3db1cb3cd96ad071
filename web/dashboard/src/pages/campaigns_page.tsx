/** Campaigns: identities that work together. */
import { campaignsQuery } from '../api/queries.ts'
import type { Campaign } from '../api/types.ts'
import { campaignPath } from '../components/attacker_cells.tsx'
import { ClusterList } from '../components/cluster_list.tsx'
import { CLUSTER_TIMES, CONFIDENCE, clusterCounts } from '../components/cluster_parts.tsx'
import { Hash } from '../components/copy.tsx'
import type { Column } from '../components/data_table.tsx'
import { Empty } from '../components/state.tsx'
import { grouped } from '../format/number.ts'

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
  return (
    <ClusterList
      title="Campaigns"
      name="campaigns"
      note="Identities that hand deckies on or share infrastructure."
      query={campaignsQuery}
      columns={COLUMNS}
      pathOf={campaignPath}
      empty={
        <Empty title="No campaign has been formed">
          The pipeline <code>campaign-clusterer</code> forms one where identities work together.
        </Empty>
      }
    />
  )
}
