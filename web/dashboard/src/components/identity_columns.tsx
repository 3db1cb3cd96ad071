/** Columns that every table of identities has. */
import type { Identity } from '../api/types.ts'
import { grouped } from '../format/number.ts'
import { campaignPath, identityPath } from './attacker_cells.tsx'
import { CLUSTER_TIMES, CONFIDENCE, clusterCounts } from './cluster_parts.tsx'
import { Hash } from './copy.tsx'
import type { Column } from './data_table.tsx'

export const IDENTITY_COLUMNS: readonly Column<Identity>[] = [
  {
    id: 'uuid',
    head: 'Identity',
    width: '7.5rem',
    cell: ({ uuid }) => <Hash text={uuid} name="identity" to={identityPath(uuid)} />,
  },
  {
    id: 'observations',
    head: 'Addresses',
    width: '6rem',
    align: 'end',
    cell: ({ observation_count }) => grouped(observation_count),
  },
  CONFIDENCE,
  { id: 'known', head: 'Known by', cell: clusterCounts },
  {
    id: 'campaign',
    head: 'Campaign',
    width: '6.5rem',
    cell: ({ campaign_id }) =>
      campaign_id === null ? (
        <span className="faint">—</span>
      ) : (
        <Hash text={campaign_id} name="campaign" to={campaignPath(campaign_id)} copy={false} />
      ),
  },
  ...CLUSTER_TIMES,
]
