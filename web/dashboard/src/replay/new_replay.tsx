/** What can be replayed, and through which pipelines. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Play } from 'lucide-react'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { ask } from '../api/client.ts'
import { pipelinesQuery } from '../api/queries.ts'
import { capturesQuery, replaysQuery } from '../api/replay_queries.ts'
import type { Capture, Replay } from '../api/replay_types.ts'
import { useMe } from '../app/session.tsx'
import { toast } from '../app/toasts.tsx'
import { Badge } from '../components/badge.tsx'
import { type Column, DataTable } from '../components/data_table.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { bytes } from '../format/number.ts'

const COLUMNS: readonly Column<Capture>[] = [
  {
    id: 'name',
    head: 'Capture',
    cell: ({ name, sample }) => (
      <>
        <Untrusted text={name} most={120} /> {sample && <Badge>sample</Badge>}
      </>
    ),
  },
  { id: 'kind', head: 'Holds', width: '6rem', cell: ({ kind }) => kind },
  {
    id: 'size',
    head: 'Size',
    width: '6rem',
    align: 'end',
    cell: ({ size_bytes }) => bytes(size_bytes),
  },
  {
    id: 'age',
    head: 'Written',
    width: '9.5rem',
    cell: ({ modified_at }) => <When at={modified_at} />,
  },
]

export function NewReplay({ isRunning }: { isRunning: boolean }) {
  const me = useMe()
  const query = useQuery(capturesQuery())
  const [name, setName] = useState<string>()
  const captures = query.data?.captures
  const chosen = captures?.find((one) => one.name === name)
  const isAdmin = me.role === 'admin'
  return (
    <Panel
      title="Captures"
      flush
      aside={query.data && <span className="mono">{query.data.folder}</span>}
    >
      <div className="replay-table">
        <DataTable
          name="Captures"
          columns={COLUMNS}
          rows={captures}
          keyOf={(one) => one.name}
          error={query.error}
          retry={() => void query.refetch()}
          expected={3}
          {...(isAdmin && { open: (one: Capture) => setName(one.name) })}
          marked={(one) => (one.name === name ? 'chosen' : undefined)}
          empty={
            <Empty title="There is nothing to replay yet">
              Put logs, journals or pcaps into <code>{query.data?.folder}</code> on the host of the
              API.
            </Empty>
          }
        />
      </div>
      {isAdmin ? (
        <StartBar key={name} capture={chosen} isRunning={isRunning} />
      ) : (
        <p className="start-bar soft">Replays are started by admins.</p>
      )}
    </Panel>
  )
}

function StartBar({ capture, isRunning }: { capture: Capture | undefined; isRunning: boolean }) {
  const client = useQueryClient()
  const navigate = useNavigate()
  const pipelines = useQuery(pipelinesQuery()).data?.pipelines ?? []
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set(capture?.pipelines))
  const start = useMutation({
    mutationFn: () =>
      ask<Replay>('/replays', {
        method: 'POST',
        body: { capture: capture?.name, pipelines: [...picked] },
      }),
    onSuccess: ({ id }) => navigate(`/replay/${id}`),
    onError: (error) => toast(error.message, 'bad'),
    onSettled: () => void client.invalidateQueries({ queryKey: replaysQuery().queryKey }),
  })
  if (!capture) return <p className="start-bar soft">Choose a capture to replay it.</p>
  const toggle = (name: string, isOn: boolean) => {
    const next = new Set(picked)
    if (isOn) next.add(name)
    else next.delete(name)
    setPicked(next)
  }
  return (
    <form
      className="start-bar"
      onSubmit={(event) => {
        event.preventDefault()
        start.mutate()
      }}
    >
      <fieldset className="plain">
        <legend className="visually-hidden">Pipelines of the replay</legend>
        {pipelines.map(({ name, description }) => (
          <label key={name} className="check" title={description}>
            <input
              type="checkbox"
              checked={picked.has(name)}
              onChange={(event) => toggle(name, event.target.checked)}
            />
            {name}
          </label>
        ))}
      </fieldset>
      <button
        type="submit"
        className="button button-main"
        disabled={picked.size === 0 || isRunning || start.isPending}
      >
        <Play size={14} aria-hidden /> {isRunning ? 'One is running' : 'Start'}
      </button>
    </form>
  )
}
