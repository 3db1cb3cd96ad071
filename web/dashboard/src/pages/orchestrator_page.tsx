/** What the orchestrator does so that the deckies look alive: none of it is an attacker's. */
import { useQuery } from '@tanstack/react-query'
import { Pause, Play } from 'lucide-react'
import { useState } from 'react'
import { orchestratorQuery } from '../api/queries.ts'
import type { OrchestratorEvent } from '../api/types.ts'
import { Badge } from '../components/badge.tsx'
import { CopyButton } from '../components/copy.tsx'
import { type Column, DataTable } from '../components/data_table.tsx'
import { Drawer } from '../components/drawer.tsx'
import { Facts } from '../components/facts.tsx'
import { LiveStatus } from '../components/live_status.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Pager, usePaging, useParam, useSetParams } from '../components/pager.tsx'
import { Empty } from '../components/state.tsx'
import { Untrusted, UntrustedBlock } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { useStream } from '../live/streams.ts'
import { useRefetch } from '../live/use_refetch.ts'

const LIMIT = 50
const KINDS = ['', 'traffic', 'file'] as const

export function OrchestratorPage() {
  const { go, ...paging } = usePaging(LIMIT)
  const [kind] = useParam('kind')
  const set = useSetParams()
  const [paused, setPaused] = useState(false)
  const [opened, setOpened] = useState<OrchestratorEvent>()
  const { limit, offset } = paging
  const list = useQuery(orchestratorQuery({ limit, offset, kind }))
  const refetch = useRefetch([['list', '/orchestrator/events']])
  const status = useStream('orchestrator', refetch, { enabled: !paused })
  return (
    <>
      <PageHead
        title="Orchestrator"
        name="Orchestrator"
        actions={
          <>
            {!paused && <LiveStatus status={status} />}
            <button
              type="button"
              className="button"
              aria-pressed={paused}
              onClick={() => {
                setPaused(!paused)
                if (paused) void list.refetch()
              }}
            >
              {paused ? <Play size={14} aria-hidden /> : <Pause size={14} aria-hidden />}
              {paused ? 'Go on' : 'Pause'}
            </button>
          </>
        }
      />
      <div className="toolbar">
        <fieldset className="choice plain">
          <legend className="visually-hidden">Kind</legend>
          {KINDS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === kind}
              onClick={() => set({ kind: one })}
            >
              {one === '' ? 'all' : one}
            </button>
          ))}
        </fieldset>
        <Pager name="actions" total={list.data?.total} paging={paging} go={go} />
      </div>
      <div className="panel page-table">
        <DataTable
          name="Actions"
          columns={COLUMNS}
          rows={list.data?.data}
          keyOf={({ uuid }) => uuid}
          error={list.error}
          retry={() => void list.refetch()}
          stale={list.isPlaceholderData}
          expected={10}
          open={setOpened}
          empty={
            <Empty title="The orchestrator has done nothing">
              It makes deckies talk to each other and age a file now and then, so that they look
              alive. What it tells the bus is shown here.
            </Empty>
          }
        />
      </div>
      {opened && (
        <Drawer title={`${opened.kind}, ${outcome(opened)}`} close={() => setOpened(undefined)}>
          <Facts
            facts={[
              ['Time', <When key="time" at={opened.ts} both />],
              ['Action', <Untrusted key="action" text={opened.action} most={64} />],
              ['Protocol', <Untrusted key="protocol" text={opened.protocol} most={16} />],
              ['From', <Decky key="src" uuid={opened.src_decky_uuid} />],
              ['To', <Decky key="dst" uuid={opened.dst_decky_uuid} />],
            ]}
          />
          <section>
            <h3>
              Payload <CopyButton text={opened.payload} name="payload" />
            </h3>
            <UntrustedBlock text={opened.payload} most={2000} />
          </section>
        </Drawer>
      )}
    </>
  )
}

const outcome = ({ success }: OrchestratorEvent): string => (success ? 'done' : 'failed')

/** `<uuid>`, `local:<name>` or `<host>:<name>`. */
function Decky({ uuid }: { uuid: string | null }) {
  return uuid === null ? <span className="faint">—</span> : <Untrusted text={uuid} most={80} />
}

const COLUMNS: readonly Column<OrchestratorEvent>[] = [
  { id: 'ts', head: 'Time', width: '9rem', cell: ({ ts }) => <When at={ts} /> },
  {
    id: 'kind',
    head: 'Kind',
    width: '6rem',
    cell: ({ kind }) => (
      <Badge tone={kind === 'traffic' ? 'accent' : 'neutral'}>
        <Untrusted text={kind} most={16} />
      </Badge>
    ),
  },
  {
    id: 'outcome',
    head: 'Outcome',
    width: '6rem',
    cell: (row) => <Badge tone={row.success ? 'good' : 'bad'}>{outcome(row)}</Badge>,
  },
  { id: 'action', head: 'Action', cell: ({ action }) => <Untrusted text={action} most={64} /> },
  {
    id: 'protocol',
    head: 'Protocol',
    width: '6rem',
    cell: ({ protocol }) => <Untrusted text={protocol} most={16} />,
  },
  { id: 'src', head: 'From', cell: (row) => <Decky uuid={row.src_decky_uuid} /> },
  { id: 'dst', head: 'To', cell: (row) => <Decky uuid={row.dst_decky_uuid} /> },
]
