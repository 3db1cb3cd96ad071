/** Identities: addresses that are taken for one pair of hands. */
import { identitiesQuery } from '../api/queries.ts'
import { identityPath } from '../components/attacker_cells.tsx'
import { ClusterList } from '../components/cluster_list.tsx'
import { IDENTITY_COLUMNS } from '../components/identity_columns.tsx'
import { Empty } from '../components/state.tsx'

export function IdentitiesPage() {
  return (
    <ClusterList
      title="Identities"
      name="identities"
      note="Addresses that share tools, payloads or endpoints are one pair of hands."
      query={identitiesQuery}
      columns={IDENTITY_COLUMNS}
      pathOf={identityPath}
      empty={
        <Empty title="No identity has been formed">
          The pipeline <code>clusterer</code> forms one for each attacker that was profiled, and
          merges those that share evidence.
        </Empty>
      }
    />
  )
}
