/** Which workers are well, and what starts and stops them. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Play, RefreshCw, Square } from 'lucide-react'
import { ask } from '../api/client.ts'
import { configQuery, healthQuery, workersQuery } from '../api/queries.ts'
import type { StartedWorkers, Worker } from '../api/types.ts'
import { useMe } from '../app/session.tsx'
import { toast } from '../app/toasts.tsx'
import { Badge, Status } from '../components/badge.tsx'
import { type Column, DataTable } from '../components/data_table.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Panel } from '../components/panel.tsx'
import { Failure, Skeleton } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { asText } from '../format/json_texts.ts'

/** A worker takes a moment to do what it is told, ms. */
const AFTER = 1200
const TONES = { ok: 'good', stale: 'bad', unknown: 'neutral' } as const
const HEALTH = { healthy: 'good', degraded: 'warn', unhealthy: 'bad' } as const

export function WorkersPage() {
  const me = useMe()
  const client = useQueryClient()
  const query = useQuery(workersQuery())
  const { data } = query
  const later = () =>
    setTimeout(() => void client.invalidateQueries({ queryKey: workersQuery().queryKey }), AFTER)
  const act = useMutation({
    mutationFn: ({ name, action }: { name: string; action: 'start' | 'stop' }) =>
      ask(`/workers/${encodeURIComponent(name)}/${action}`, { method: 'POST' }),
    onSuccess: (_answer, { name, action }) => toast(`Told ${name} to ${action}`, 'good'),
    onError: (error, { name }) => toast(`${name}: ${error.message}`, 'bad'),
    onSettled: later,
  })
  const startAll = useMutation({
    mutationFn: () => ask<StartedWorkers>('/workers/start-all', { method: 'POST' }),
    onSuccess({ started, already_running, failed }) {
      toast(`Started ${started.length}, ${already_running.length} ran already`, 'good')
      for (const { name, reason } of failed) toast(`${name}: ${reason}`, 'bad')
    },
    onError: (error) => toast(error.message, 'bad'),
    onSettled: later,
  })
  const isAdmin = me.role === 'admin'
  const columns = columnsFor({
    isAdmin,
    isBusUp: data?.bus_connected === true,
    act: (name, action) => act.mutate({ name, action }),
  })
  return (
    <>
      <PageHead
        title="Workers"
        name="Workers"
        actions={
          <>
            <button
              type="button"
              className="button"
              disabled={query.isFetching}
              onClick={() => void query.refetch()}
            >
              <RefreshCw size={14} aria-hidden /> Refresh
            </button>
            {isAdmin && (
              <button
                type="button"
                className="button button-main"
                disabled={startAll.isPending}
                onClick={() => startAll.mutate()}
              >
                <Play size={14} aria-hidden /> Start all
              </button>
            )}
          </>
        }
      />
      <div className="stack">
        {data && !data.bus_connected && (
          <p className="banner banner-warn" role="status">
            <strong>The bus is down.</strong> No heartbeat can be heard, so nothing is known of the
            workers, and none can be told to stop.
          </p>
        )}
        <div className="main-and-side">
          <div className="panel">
            <DataTable
              name="Workers"
              columns={columns}
              rows={data?.workers}
              keyOf={({ name }) => name}
              error={query.error}
              retry={() => void query.refetch()}
              expected={17}
              empty={null}
            />
          </div>
          <div className="stack">
            <HealthPanel />
            <ConfigPanel />
          </div>
        </div>
      </div>
    </>
  )
}

interface Acting {
  readonly isAdmin: boolean
  readonly isBusUp: boolean
  readonly act: (name: string, action: 'start' | 'stop') => void
}

function columnsFor({ isAdmin, isBusUp, act }: Acting): readonly Column<Worker>[] {
  const columns: Column<Worker>[] = [
    {
      id: 'status',
      head: 'Status',
      width: '7rem',
      cell: ({ status }) => <Status tone={TONES[status]}>{status.toUpperCase()}</Status>,
    },
    { id: 'name', head: 'Worker', width: '11rem', cell: ({ name }) => <strong>{name}</strong> },
    {
      id: 'seen',
      head: 'Last seen',
      width: '9.5rem',
      cell: ({ last_heartbeat_ts }) => (
        <When at={last_heartbeat_ts === null ? null : last_heartbeat_ts * 1000} />
      ),
    },
    {
      id: 'extra',
      head: 'Says',
      cell: ({ extra }) => (
        <span className="faint">
          <Untrusted
            text={Object.entries(extra)
              .map(([name, value]) => `${name} ${asText(value)}`)
              .join(' · ')}
            most={160}
          />
        </span>
      ),
    },
    {
      id: 'installed',
      head: 'Unit',
      width: '6.5rem',
      cell: ({ installed }) =>
        installed ? <Badge>installed</Badge> : <span className="faint">none</span>,
    },
  ]
  if (!isAdmin) return columns
  return [
    ...columns,
    {
      id: 'actions',
      head: 'Actions',
      width: '6rem',
      align: 'end',
      cell: ({ name, status, installed }) => (
        <span className="row-buttons">
          <button
            type="button"
            className="icon-button"
            aria-label={`Start ${name}`}
            title={installed ? `Start ${name}` : 'unit not installed'}
            disabled={!installed || status === 'ok'}
            onClick={() => act(name, 'start')}
          >
            <Play size={14} aria-hidden />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={`Stop ${name}`}
            title={`Stop ${name}`}
            disabled={status !== 'ok' || !isBusUp || name === 'bus'}
            onClick={() => act(name, 'stop')}
          >
            <Square size={13} aria-hidden />
          </button>
        </span>
      ),
    },
  ]
}

function HealthPanel() {
  const { data, error, refetch } = useQuery(healthQuery())
  return (
    <Panel
      title="Health"
      aside={data && <Status tone={HEALTH[data.status]}>{data.status.toUpperCase()}</Status>}
    >
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton lines={4} />}
      {data && (
        <ul className="ranked">
          {Object.entries(data.components).map(([name, { status, detail }]) => (
            <li key={name}>
              <span className="name">
                {name.replaceAll('_', ' ')} <span className="faint">{detail}</span>
              </span>
              <Status tone={status === 'ok' ? 'good' : 'bad'}>{status}</Status>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

function ConfigPanel() {
  const { data } = useQuery(configQuery())
  if (!data?.users) return null
  return (
    <Panel title="Users">
      <ul className="ranked">
        {data.users.map(({ uuid, username, role, must_change_password }) => (
          <li key={uuid}>
            <span className="name">
              <Untrusted text={username} most={64} />{' '}
              {must_change_password && <span className="faint">has to change the password</span>}
            </span>
            <Badge tone={role === 'admin' ? 'accent' : 'neutral'}>{role}</Badge>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
