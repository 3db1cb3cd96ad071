/** One identity: whose addresses it has, and what holds them together. */
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from 'react-router'
import { identityExplanationQuery, identityQuery, observationsQuery } from '../api/queries.ts'
import {
  ADDRESS,
  attackerPath,
  BEHAVIOR,
  COUNTRY,
  campaignPath,
  EVENTS,
  FIRST_SEEN,
  identityPath,
  LAST_SEEN,
  SERVICES,
} from '../components/attacker_cells.tsx'
import { ClusterFacts, useChanged } from '../components/cluster_parts.tsx'
import { Hash } from '../components/copy.tsx'
import { DataTable } from '../components/data_table.tsx'
import { IdentityEvidence } from '../components/identity_evidence.tsx'
import { LiveStatus } from '../components/live_status.tsx'
import { MergedNote } from '../components/merged_note.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Pager, usePaging } from '../components/pager.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty, Failure, Skeleton } from '../components/state.tsx'
import { concerns } from '../live/refetch.ts'
import { useStream } from '../live/streams.ts'
import { useRefetch } from '../live/use_refetch.ts'

const LIMIT = 50
const COLUMNS = [ADDRESS, COUNTRY, BEHAVIOR, SERVICES, EVENTS, FIRST_SEEN, LAST_SEEN].map(
  ({ sort: _sort, ...column }) => column,
)

export function IdentityPage() {
  const { uuid: asked = '' } = useParams()
  const navigate = useNavigate()
  const { go, ...paging } = usePaging(LIMIT)
  const { limit, offset } = paging
  const identity = useQuery(identityQuery(asked))
  const observations = useQuery(observationsQuery(asked, { limit, offset }))
  const explanation = useQuery(identityExplanationQuery(asked))
  const row = identity.data
  const refetch = useRefetch([
    identityQuery(asked).queryKey,
    identityExplanationQuery(asked).queryKey,
    ['list', `/identities/${encodeURIComponent(asked)}/observations`],
  ])
  const status = useStream('identities', (event) => {
    if (concerns(event, [asked, row?.uuid])) refetch()
  })
  const marked = useChanged(
    observations.data?.data,
    ({ uuid }) => uuid,
    ({ updated_at }) => updated_at,
  )
  if (identity.error && !row) {
    return (
      <>
        <PageHead title="Identity" name="Identity" actions={<LiveStatus status={status} />} />
        <Failure error={identity.error} retry={() => void identity.refetch()} />
      </>
    )
  }
  return (
    <>
      <PageHead
        name={`Identity ${asked.slice(0, 8)}`}
        title={
          <>
            Identity <Hash text={row?.uuid ?? asked} name="identity" most={36} />
          </>
        }
        badges={
          row?.campaign_id && (
            <Link to={campaignPath(row.campaign_id)} className="badge badge-accent">
              CAMPAIGN {row.campaign_id.slice(0, 8)}
            </Link>
          )
        }
        actions={<LiveStatus status={status} />}
      />
      <div className="stack">
        {row && <MergedNote asked={asked} row={row} pathOf={identityPath} what="identity" />}
        {row ? (
          <ClusterFacts row={row} live={row.observation_count_live} of="Addresses" />
        ) : (
          <Skeleton lines={6} />
        )}
        <Panel
          title="Addresses"
          flush
          aside={
            <Pager name="addresses" total={observations.data?.total} paging={paging} go={go} />
          }
        >
          <DataTable
            name="Addresses of this identity"
            columns={COLUMNS}
            rows={observations.data?.data}
            keyOf={({ uuid }) => uuid}
            error={observations.error}
            retry={() => void observations.refetch()}
            stale={observations.isPlaceholderData}
            expected={Math.min(row?.observation_count_live ?? 3, LIMIT)}
            open={({ uuid }) => navigate(attackerPath(uuid))}
            marked={marked}
            empty={
              <Empty title="No address is bound to it now">
                They were given to another identity, or their rows were removed.
              </Empty>
            }
          />
        </Panel>
        <IdentityEvidence explanation={explanation} />
      </div>
    </>
  )
}
