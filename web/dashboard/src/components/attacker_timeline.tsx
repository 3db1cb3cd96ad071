/** When an address was at work, and what it did last. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link } from 'react-router'
import { histogramQuery, logsQuery } from '../api/queries.ts'
import type { Log } from '../api/types.ts'
import { TimeBars } from '../charts/time_bars.tsx'
import { filled, fromBuckets, stepFor } from '../format/series.ts'
import { readTime } from '../format/time.ts'
import { type Column, DataTable } from './data_table.tsx'
import { LogDrawer } from './log_drawer.tsx'
import { Panel } from './panel.tsx'
import { Empty } from './state.tsx'
import { Untrusted } from './untrusted.tsx'
import { When } from './when.tsx'

const LIMIT = 8
const COLUMNS: readonly Column<Log>[] = [
  { id: 'time', head: 'Time', width: '9.5rem', cell: ({ timestamp }) => <When at={timestamp} /> },
  {
    id: 'decky',
    head: 'Decky',
    width: '8rem',
    cell: (log) => <Untrusted text={log.decky} most={60} />,
  },
  {
    id: 'service',
    head: 'Service',
    width: '6rem',
    cell: (log) => <Untrusted text={log.service} most={60} />,
  },
  {
    id: 'event',
    head: 'Event',
    width: '9rem',
    cell: (log) => <Untrusted text={log.event_type} most={60} />,
  },
  {
    id: 'message',
    head: 'Message',
    cell: ({ msg, raw_line }) => (
      <span className="mono">
        <Untrusted text={msg || raw_line} most={200} />
      </span>
    ),
  },
]

interface AttackerTimelineProps {
  readonly ip: string
  readonly first: string
  readonly last: string
}

export function AttackerTimeline({ ip, first, last }: AttackerTimelineProps) {
  const [opened, setOpened] = useState<Log>()
  const search = `attacker:"${ip}"`
  const from = Math.floor((readTime(first) ?? 0) / 1000)
  const profiled = Math.floor((readTime(last) ?? 0) / 1000)
  const interval_minutes = stepFor(Math.max(profiled - from, 60))
  const histogram = useQuery(histogramQuery({ search, interval_minutes }))
  const logs = useQuery(logsQuery({ limit: LIMIT, offset: 0, search }))
  const step = interval_minutes * 60
  const buckets = fromBuckets(histogram.data ?? [])
  // Logs may be newer than the profile.
  const until = Math.max(profiled, buckets.at(-1)?.at ?? 0)
  // A lone bar is as wide as the chart: some empty time around it gives it a scale.
  const around = Math.max(step * 12, until - from)
  const counts = filled(
    buckets,
    step,
    from - Math.round(around * 0.05) - step,
    until + Math.round(around * 0.05),
  )
  return (
    <Panel
      title="Timeline"
      flush
      aside={
        <Link to={`/live-logs?range=all&search=${encodeURIComponent(search)}`}>All its logs</Link>
      }
    >
      <div className="panel-body">
        <TimeBars name="Events of this attacker over time" counts={counts} height={88} />
      </div>
      <DataTable
        name="Newest events of this attacker"
        columns={COLUMNS}
        rows={logs.data?.data}
        keyOf={({ id }) => String(id)}
        error={logs.error}
        retry={() => void logs.refetch()}
        expected={LIMIT}
        open={setOpened}
        empty={<Empty title="Its logs are gone" />}
      />
      {opened && <LogDrawer log={opened} close={() => setOpened(undefined)} />}
    </Panel>
  )
}
