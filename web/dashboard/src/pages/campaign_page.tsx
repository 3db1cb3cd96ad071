/** One campaign: the identities behind it, and what holds them together. */
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams } from 'react-router'
import { campaignExplanationQuery, campaignIdentitiesQuery, campaignQuery } from '../api/queries.ts'
import { campaignPath, identityPath } from '../components/attacker_cells.tsx'
import { CampaignEvidence } from '../components/campaign_evidence.tsx'
import { ClusterFacts, useChanged } from '../components/cluster_parts.tsx'
import { Hash } from '../components/copy.tsx'
import { DataTable } from '../components/data_table.tsx'
import { IDENTITY_COLUMNS } from '../components/identity_columns.tsx'
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
const COLUMNS = IDENTITY_COLUMNS.filter(({ id }) => id !== 'campaign')

export function CampaignPage() {
  const { uuid: asked = '' } = useParams()
  const navigate = useNavigate()
  const { go, ...paging } = usePaging(LIMIT)
  const { limit, offset } = paging
  const campaign = useQuery(campaignQuery(asked))
  const identities = useQuery(campaignIdentitiesQuery(asked, { limit, offset }))
  const explanation = useQuery(campaignExplanationQuery(asked))
  const row = campaign.data
  const refetch = useRefetch([
    campaignQuery(asked).queryKey,
    campaignExplanationQuery(asked).queryKey,
    ['list', `/campaigns/${encodeURIComponent(asked)}/identities`],
  ])
  const status = useStream('campaigns', (event) => {
    if (concerns(event, [asked, row?.uuid])) refetch()
  })
  const marked = useChanged(
    identities.data?.data,
    ({ uuid }) => uuid,
    ({ updated_at }) => updated_at,
  )
  if (campaign.error && !row) {
    return (
      <>
        <PageHead title="Campaign" name="Campaign" actions={<LiveStatus status={status} />} />
        <Failure error={campaign.error} retry={() => void campaign.refetch()} />
      </>
    )
  }
  return (
    <>
      <PageHead
        name={`Campaign ${asked.slice(0, 8)}`}
        title={
          <>
            Campaign <Hash text={row?.uuid ?? asked} name="campaign" most={36} />
          </>
        }
        actions={<LiveStatus status={status} />}
      />
      <div className="stack">
        {row && <MergedNote asked={asked} row={row} pathOf={campaignPath} what="campaign" />}
        {row ? (
          <ClusterFacts row={row} live={row.identity_count_live} of="Identities" />
        ) : (
          <Skeleton lines={6} />
        )}
        <Panel
          title="Identities"
          flush
          aside={<Pager name="identities" total={identities.data?.total} paging={paging} go={go} />}
        >
          <DataTable
            name="Identities of this campaign"
            columns={COLUMNS}
            rows={identities.data?.data}
            keyOf={({ uuid }) => uuid}
            error={identities.error}
            retry={() => void identities.refetch()}
            stale={identities.isPlaceholderData}
            expected={Math.min(row?.identity_count_live ?? 3, LIMIT)}
            open={({ uuid }) => navigate(identityPath(uuid))}
            marked={marked}
            empty={<Empty title="No identity works for it now" />}
          />
        </Panel>
        <CampaignEvidence explanation={explanation} />
      </div>
    </>
  )
}
