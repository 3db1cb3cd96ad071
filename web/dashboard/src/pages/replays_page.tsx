/** Captures to replay, and the replays there were. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Square, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { ask } from '../api/client.ts'
import { replaysQuery } from '../api/replay_queries.ts'
import type { Replay } from '../api/replay_types.ts'
import { useMe } from '../app/session.tsx'
import { toast } from '../app/toasts.tsx'
import { type Column, DataTable } from '../components/data_table.tsx'
import { Drawer } from '../components/drawer.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { bytes, grouped } from '../format/number.ts'
import { duration } from '../format/time.ts'
import { NewReplay } from '../replay/new_replay.tsx'
import { RunState } from '../replay/run_state.tsx'

export function ReplaysPage() {
  const me = useMe()
  const client = useQueryClient()
  const navigate = useNavigate()
  const query = useQuery(replaysQuery())
  const runs = query.data?.data
  const [ended, setEnded] = useState<Replay>()
  const act = useMutation({
    mutationFn: ({ id, state }: Replay) =>
      state === 'running'
        ? ask(`/replays/${encodeURIComponent(id)}/cancel`, { method: 'POST' })
        : ask(`/replays/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSuccess: (_answer, { state }) => toast(state === 'running' ? 'Cancelled' : 'Deleted', 'good'),
    onError: (error) => toast(error.message, 'bad'),
    onSettled: () => void client.invalidateQueries({ queryKey: replaysQuery().queryKey }),
  })
  const columns = me.role === 'admin' ? [...COLUMNS, actions(setEnded)] : COLUMNS
  return (
    <>
      <PageHead title="Replay" name="Replay" />
      <div className="stack">
        <NewReplay isRunning={runs?.some(({ state }) => state === 'running') ?? false} />
        <Panel title="Replays" flush aside={query.data && `the newest ${query.data.kept} are kept`}>
          <DataTable
            name="Replays"
            columns={columns}
            rows={runs}
            keyOf={({ id }) => id}
            error={query.error}
            retry={() => void query.refetch()}
            expected={3}
            open={({ id }) => navigate(`/replay/${id}`)}
            empty={
              <Empty title="Nothing was replayed yet">
                A replay runs pipelines on a capture, apart from the live database, and can then be
                looked at moment by moment.
              </Empty>
            }
          />
        </Panel>
      </div>
      {ended && (
        <EndDialog
          run={ended}
          close={() => setEnded(undefined)}
          confirm={() => {
            act.mutate(ended)
            setEnded(undefined)
          }}
        />
      )}
    </>
  )
}

interface EndDialogProps {
  readonly run: Replay
  readonly close: () => void
  readonly confirm: () => void
}

function EndDialog({ run, close, confirm }: EndDialogProps) {
  const what = run.state === 'running' ? 'Cancel' : 'Delete'
  return (
    <Drawer title={`${what} this replay?`} kind="dialog" close={close}>
      <p>
        What the replay of <Untrusted text={run.capture} most={80} /> has written is removed. The
        capture stays.
      </p>
      <div className="form-buttons">
        <button type="button" className="button" onClick={close}>
          Keep it
        </button>
        <button type="button" className="button button-bad" onClick={confirm}>
          {what}
        </button>
      </div>
    </Drawer>
  )
}

const COLUMNS: readonly Column<Replay>[] = [
  { id: 'state', head: 'State', width: '8.5rem', cell: (run) => <RunState run={run} /> },
  {
    id: 'capture',
    head: 'Capture',
    width: '12rem',
    cell: ({ id, capture }) => (
      <Link to={`/replay/${id}`}>
        <Untrusted text={capture} most={80} />
      </Link>
    ),
  },
  {
    id: 'pipelines',
    head: 'Pipelines',
    cell: ({ pipelines, message }) =>
      message === null ? pipelines.join(', ') : <Untrusted text={message} most={160} />,
  },
  {
    id: 'started',
    head: 'Started',
    width: '9.5rem',
    cell: ({ started_at }) => <When at={started_at} />,
  },
  { id: 'by', head: 'By', width: '6rem', cell: ({ started_by }) => started_by },
  { id: 'read', head: 'Read', width: '6rem', align: 'end', cell: ({ read }) => grouped(read) },
  {
    id: 'took',
    head: 'Took',
    width: '5.5rem',
    align: 'end',
    cell: ({ wall_seconds }) => (wall_seconds === null ? '–' : duration(wall_seconds * 1000)),
  },
  {
    id: 'size',
    head: 'On disk',
    width: '6rem',
    align: 'end',
    cell: ({ size_bytes }) => (size_bytes === null ? '–' : bytes(size_bytes)),
  },
]

const actions = (act: (run: Replay) => void): Column<Replay> => ({
  id: 'actions',
  head: 'Actions',
  width: '5rem',
  align: 'end',
  cell: (run) => {
    const what = run.state === 'running' ? 'Cancel' : 'Delete'
    const Icon = run.state === 'running' ? Square : Trash2
    return (
      <button
        type="button"
        className="icon-button"
        aria-label={`${what} the replay of ${run.capture}`}
        title={what}
        onClick={() => act(run)}
      >
        <Icon size={15} aria-hidden />
      </button>
    )
  },
})
