/** How things stand: what comes in, who does it, and whether the pipelines keep up. */
import { useQuery } from '@tanstack/react-query'
import { Siren, TriangleAlert } from 'lucide-react'
import { lazy, Suspense, useEffect } from 'react'
import { Link } from 'react-router'
import { overviewQuery, pipelinesQuery } from '../api/queries.ts'
import type { Log, Overview } from '../api/types.ts'
import { useNow } from '../app/now.ts'
import { TimeBars } from '../charts/time_bars.tsx'
import { attackerPath } from '../components/attacker_cells.tsx'
import { Badge } from '../components/badge.tsx'
import { Figures } from '../components/facts.tsx'
import { LiveStatus } from '../components/live_status.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty, Failure, Skeleton } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { counted, grouped } from '../format/number.ts'
import { filled } from '../format/series.ts'
import { hitsOf, threatOf } from '../format/threat.ts'
import { useLogFeed } from '../live/log_feed.ts'
import { useRefetch } from '../live/use_refetch.ts'

const DataflowPanel = lazy(async () => ({
  default: (await import('../graph/dataflow_panel.tsx')).DataflowPanel,
}))

const BUFFERED = 100
const SHOWN = 14
const REFRESH = 10_000

export function OverviewPage() {
  const overview = useQuery({ ...overviewQuery(), refetchInterval: REFRESH })
  const pipelines = useQuery(pipelinesQuery())
  const feed = useLogFeed({ most: BUFFERED })
  const refetch = useRefetch([overviewQuery().queryKey])
  const newest = feed.logs[0]?.id
  // biome-ignore lint/correctness/useExhaustiveDependencies: figures follow the newest event
  useEffect(() => {
    if (newest !== undefined) refetch()
  }, [newest])
  const { data } = overview
  return (
    <>
      <PageHead title="Overview" name="Overview" actions={<LiveStatus status={feed.status} />} />
      {overview.error && !data ? (
        <Failure error={overview.error} retry={() => void overview.refetch()} />
      ) : (
        <div className="stack">
          {data && <CriticalBanner data={data} />}
          <Figures figures={figuresOf(data)} />
          <div className="overview-top">
            <RatePanel data={data} />
            <ThreatPanel data={data} />
          </div>
          <Suspense fallback={<div className="panel dataflow-place" />}>
            <DataflowPanel query={pipelines} />
          </Suspense>
          <div className="main-and-side">
            <EventsPanel logs={feed.logs.slice(0, SHOWN)} />
            <div className="stack">
              <SiegePanel data={data} />
              <TopPanel data={data} />
            </div>
          </div>
        </div>
      )}
    </>
  )
}

function figuresOf(data: Overview | undefined) {
  const figure = (name: string, value: number | undefined, to: string) =>
    [
      name,
      value === undefined ? (
        <span key={name} className="skeleton" />
      ) : (
        <Link key={name} to={to} className="figure-link">
          {grouped(value)}
        </Link>
      ),
    ] as const
  const deckies = data && `${grouped(data.active_deckies)} / ${grouped(data.deployed_deckies)}`
  return [
    figure('Events', data?.total_logs, '/live-logs'),
    figure('Attackers', data?.unique_attackers, '/attackers'),
    figure('Identities', data?.identities, '/identities'),
    figure('Campaigns', data?.campaigns, '/campaigns'),
    figure('Credentials', data?.credentials, '/credentials'),
    figure('Reused secrets', data?.credential_reuse, '/credentials/reuse'),
    ['Bounties', data ? grouped(data.bounties) : <span key="b" className="skeleton" />] as const,
    ['Active deckies', deckies ?? <span key="d" className="skeleton" />] as const,
  ]
}

function CriticalBanner({ data }: { data: Overview }) {
  const now = useNow()
  const hits = hitsOf(data.events_per_minute, now)
  if (threatOf(hits) !== 'critical') return null
  return (
    <p className="banner banner-bad" role="alert">
      <Siren size={16} aria-hidden />
      <strong>Critical:</strong> {counted(hits, 'event')} in the last five minutes.
    </p>
  )
}

function RatePanel({ data }: { data: Overview | undefined }) {
  const now = useNow()
  const minute = Math.floor(now / 60_000) * 60
  const known = data?.events_per_minute.map(({ minute_ts, count }) => ({ at: minute_ts, count }))
  return (
    <Panel title="Events per minute" aside="last hour, UTC">
      <TimeBars
        name="Events per minute in the last hour"
        counts={filled(known ?? [], 60, minute - 59 * 60, minute)}
        height={132}
      />
    </Panel>
  )
}

function ThreatPanel({ data }: { data: Overview | undefined }) {
  const now = useNow()
  const hits = data && hitsOf(data.events_per_minute, now)
  const threat = hits === undefined ? undefined : threatOf(hits)
  const siege = data?.deckies_under_siege[0]
  return (
    <Panel title="Threat level">
      {threat === undefined || hits === undefined ? (
        <Skeleton lines={3} />
      ) : (
        <div className={`threat threat-${threat}`}>
          <strong>{threat[0]?.toUpperCase() + threat.slice(1)}</strong>
          <span>{counted(hits, 'event')} in five minutes</span>
          <span className="faint">Elevated above 50, critical above 100</span>
          {siege && (
            <span className="soft">
              Most on <Untrusted text={siege.decky} most={40} /> this hour
            </span>
          )}
        </div>
      )}
    </Panel>
  )
}

function EventsPanel({ logs }: { logs: readonly Log[] }) {
  return (
    <Panel title="Newest events" aside={<Link to="/live-logs">All logs</Link>} className="newest">
      {logs.length === 0 ? (
        <Empty title="Waiting for events">
          They show here as the pipeline <code>ingest</code> writes them.
        </Empty>
      ) : (
        <ul className="events">
          {logs.map((log) => (
            <li key={log.id}>
              <span className="faint">
                <When at={log.timestamp} />
              </span>
              <span className="mono">
                <Untrusted text={log.attacker_ip} most={40} />
              </span>
              <span>
                <Untrusted text={`${log.decky} · ${log.service} · ${log.event_type}`} most={120} />{' '}
                <span className="faint">
                  <Untrusted text={log.msg || log.raw_line} most={160} />
                </span>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Panel>
  )
}

const siegeTone = (count: number) => (count > 30 ? 'bad' : count > 10 ? 'warn' : 'neutral')

function SiegePanel({ data }: { data: Overview | undefined }) {
  return (
    <Panel title="Deckies under siege" aside="last hour">
      {data?.deckies_under_siege.length === 0 && <p className="faint">No decky was touched.</p>}
      {data ? (
        <ul className="ranked">
          {data.deckies_under_siege.map(({ decky, count }) => (
            <li key={decky}>
              <Link
                className="name"
                to={`/live-logs?range=1h&search=${encodeURIComponent(`decky:"${decky}"`)}`}
              >
                <Untrusted text={decky} most={60} />
              </Link>
              <Badge tone={siegeTone(count)}>
                {count > 30 && <TriangleAlert size={11} aria-label="hot" />}
                {grouped(count)}
              </Badge>
            </li>
          ))}
        </ul>
      ) : (
        <Skeleton lines={5} />
      )}
    </Panel>
  )
}

function TopPanel({ data }: { data: Overview | undefined }) {
  return (
    <Panel title="Most active attackers" aside={<Link to="/attackers?sort=active">All</Link>}>
      {data?.top_attackers.length === 0 && <p className="faint">Nobody has come yet.</p>}
      {data ? (
        <ul className="ranked">
          {data.top_attackers.slice(0, 4).map(({ uuid, ip, country_code, event_count }) => (
            <li key={uuid}>
              <span className="name">
                <Link to={attackerPath(uuid)} className="mono">
                  <Untrusted text={ip} most={40} />
                </Link>{' '}
                <span className="faint">{country_code}</span>
              </span>
              <span>{grouped(event_count)}</span>
            </li>
          ))}
        </ul>
      ) : (
        <Skeleton lines={4} />
      )}
    </Panel>
  )
}
