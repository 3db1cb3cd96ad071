/** Logs: searched, spread over time, and live. */
import { useQuery } from '@tanstack/react-query'
import { Download, Pause, Play } from 'lucide-react'
import { useState } from 'react'
import { histogramQuery, logsQuery } from '../api/queries.ts'
import type { Log } from '../api/types.ts'
import { useNow } from '../app/now.ts'
import { TimeBars } from '../charts/time_bars.tsx'
import { type Column, DataTable } from '../components/data_table.tsx'
import { LiveStatus } from '../components/live_status.tsx'
import { LogDrawer } from '../components/log_drawer.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Pager, usePaging, useParam, useSetParams } from '../components/pager.tsx'
import { Panel } from '../components/panel.tsx'
import { SearchField } from '../components/search_field.tsx'
import { Empty, Failure } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { toCsv } from '../format/csv.ts'
import { filled, fromBuckets, stepFor } from '../format/series.ts'
import { readTime } from '../format/time.ts'
import { useLogFeed } from '../live/log_feed.ts'

const LIMIT = 50
const BUFFERED = 500
const RANGES = { '15m': 900, '1h': 3600, '24h': 86_400, all: undefined } as const
type Range = keyof typeof RANGES
/** What all of it is counted by. */
const DAY = 86_400

const COLUMNS: readonly Column<Log>[] = [
  { id: 'time', head: 'Time', width: '9.5rem', cell: ({ timestamp }) => <When at={timestamp} /> },
  text('decky', 'Decky', '8rem'),
  text('service', 'Service', '6rem'),
  text('event_type', 'Event', '9rem'),
  text('attacker_ip', 'Attacker', '10rem'),
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

function text(
  id: 'decky' | 'service' | 'event_type' | 'attacker_ip',
  head: string,
  width: string,
): Column<Log> {
  return { id, head, width, cell: (log) => <Untrusted text={log[id]} most={60} /> }
}

export function LogsPage() {
  const { go, ...paging } = usePaging(LIMIT)
  const [search, setSearch] = useParam('search')
  const [rangeText] = useParam('range')
  const [from] = useParam('from')
  const [until] = useParam('until')
  const set = useSetParams()
  const [isLive, setLive] = useState(false)
  const [opened, setOpened] = useState<Log>()
  const now = useNow()
  const range: Range = rangeText in RANGES ? (rangeText as Range) : '24h'
  const seconds = RANGES[range]
  const picked = readTime(from) !== undefined && readTime(until) !== undefined
  // A minute for a step, so that the same question is asked until there is another.
  const minute = Math.floor(now / 60_000) * 60_000
  const start = picked
    ? from
    : seconds === undefined
      ? undefined
      : new Date(minute - seconds * 1000).toISOString()
  const times = {
    ...(start !== undefined && { start_time: start }),
    ...(picked && { end_time: until }),
  }
  const list = useQuery({
    ...logsQuery({ limit: paging.limit, offset: paging.offset, search, ...times }),
    enabled: !isLive,
  })
  // How far back all of it goes is known once it was counted by days.
  const isAll = !picked && seconds === undefined
  const days = useQuery({
    ...histogramQuery({ search, interval_minutes: DAY / 60 }),
    enabled: isAll,
  })
  const first = isAll ? fromBuckets(days.data ?? [])[0]?.at : undefined
  const span = picked
    ? ((readTime(until) ?? 0) - (readTime(from) ?? 0)) / 1000
    : (seconds ?? (first === undefined ? 60 * DAY : minute / 1000 - first))
  const interval_minutes = stepFor(span)
  const histogram = useQuery({
    ...histogramQuery({ search, ...times, interval_minutes }),
    enabled: !isAll || days.data !== undefined,
  })
  const feed = useLogFeed({ most: BUFFERED, search, enabled: isLive })
  const rows = isLive ? feed.logs : list.data?.data
  const startMs = readTime(start)
  const counts = filled(
    fromBuckets(histogram.data ?? []),
    interval_minutes * 60,
    startMs === undefined ? undefined : startMs / 1000,
    picked ? (readTime(until) ?? 0) / 1000 : minute / 1000,
  )
  return (
    <>
      <PageHead
        title="Logs"
        name="Logs"
        actions={
          <>
            {isLive && <LiveStatus status={feed.status} />}
            <button
              type="button"
              className="button"
              aria-pressed={isLive}
              onClick={() => setLive(!isLive)}
            >
              {isLive ? <Pause size={14} aria-hidden /> : <Play size={14} aria-hidden />}
              {isLive ? 'Stop live' : 'Go live'}
            </button>
            <button
              type="button"
              className="button"
              disabled={!rows || rows.length === 0}
              onClick={() => saveCsv(rows ?? [])}
            >
              <Download size={14} aria-hidden /> CSV
            </button>
          </>
        }
      />
      <div className="toolbar">
        <SearchField
          wide
          label="Search logs"
          placeholder='decky:web-01 service:ssh attacker:198.51.100.7 key:value "some words"'
          value={search}
          onChange={setSearch}
          maxLength={512}
        />
        <fieldset className="choice plain">
          <legend className="visually-hidden">How far back</legend>
          {(Object.keys(RANGES) as Range[]).map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={!picked && one === range}
              onClick={() => set({ from: '', until: '', range: one === '24h' ? '' : one })}
            >
              {one}
            </button>
          ))}
        </fieldset>
      </div>
      <div className="stack">
        <Panel
          title="Over time"
          aside={
            picked ? (
              <button
                type="button"
                className="link-button"
                onClick={() => set({ from: '', until: '' })}
              >
                Show all of {range}
              </button>
            ) : (
              'drag to look closer'
            )
          }
        >
          {histogram.error && !histogram.data ? (
            <Failure error={histogram.error} retry={() => void histogram.refetch()} />
          ) : (
            <TimeBars
              name="Logs over time"
              counts={counts}
              height={96}
              onPick={(first, last) =>
                set({
                  from: new Date(first * 1000).toISOString(),
                  until: new Date(last * 1000).toISOString(),
                })
              }
            />
          )}
        </Panel>
        <Panel
          title={isLive ? `Live, the newest ${BUFFERED}` : 'Logs'}
          flush
          className="log-table"
          aside={
            isLive ? (
              `${rows?.length ?? 0} shown`
            ) : (
              <Pager name="logs" total={list.data?.total} paging={paging} go={go} />
            )
          }
        >
          {feed.gap && isLive && (
            <p className="banner banner-warn">Some logs were missed while the stream was away.</p>
          )}
          <DataTable
            name="Logs"
            columns={COLUMNS}
            rows={rows}
            keyOf={({ id }) => String(id)}
            error={isLive ? undefined : list.error}
            retry={() => void list.refetch()}
            stale={!isLive && list.isPlaceholderData}
            expected={LIMIT}
            open={setOpened}
            empty={
              isLive ? (
                <Empty title="Waiting for logs">They show here as they are written.</Empty>
              ) : (
                <Empty title="No log matches">
                  Look further back, or with fewer words. Words in quotes are looked for as they
                  stand; <code>key:value</code> looks into the fields.
                </Empty>
              )
            }
          />
        </Panel>
      </div>
      {opened && <LogDrawer log={opened} close={() => setOpened(undefined)} />}
    </>
  )
}

function saveCsv(logs: readonly Log[]): void {
  const names = ['id', 'timestamp', 'decky', 'service', 'event_type', 'attacker_ip', 'msg'] as const
  const lines = toCsv(
    names,
    logs.map((log) => names.map((name) => String(log[name] ?? ''))),
  )
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([lines], { type: 'text/csv' }))
  link.download = 'decnet-logs.csv'
  link.click()
  URL.revokeObjectURL(link.href)
}
