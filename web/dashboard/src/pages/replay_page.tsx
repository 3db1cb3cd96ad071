/** One replay: what had been said, and where, by any moment of it. */
import { useQuery } from '@tanstack/react-query'
import { useId } from 'react'
import { Link, useNavigate, useParams } from 'react-router'
import { replayQuery, replaysQuery } from '../api/replay_queries.ts'
import type { Replay } from '../api/replay_types.ts'
import { Facts } from '../components/facts.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty, Failure, Skeleton } from '../components/state.tsx'
import { Untrusted, UntrustedBlock } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { bytes, grouped } from '../format/number.ts'
import { absolute, duration } from '../format/time.ts'
import { RunState } from '../replay/run_state.tsx'
import { TimelineView } from '../replay/timeline_view.tsx'

export function ReplayPage() {
  const { id = '' } = useParams()
  const query = useQuery(replayQuery(id))
  const run = query.data
  return (
    <>
      <PageHead
        title={run ? <Untrusted text={run.capture} most={80} /> : 'Replay'}
        name="Replay"
        badges={run && <RunState run={run} />}
        actions={
          <>
            {run?.state === 'done' && <CompareWith run={run} />}
            <Link className="button" to="/replay">
              All replays
            </Link>
          </>
        }
      />
      {query.error && !run && <Failure error={query.error} retry={() => void query.refetch()} />}
      {!run && !query.error && <Skeleton lines={16} />}
      {run && (
        <div className="stack">
          <Panel title="Replay">
            <Facts
              facts={[
                ['Pipelines', run.pipelines.join(', ')],
                ['Started', <When key="started" at={run.started_at} />],
                ['By', run.started_by],
                ['Events read', grouped(run.read)],
                ['Took', run.wall_seconds === null ? null : duration(run.wall_seconds * 1000)],
                ['On disk', run.size_bytes === null ? null : bytes(run.size_bytes)],
              ]}
            />
          </Panel>
          {run.state === 'running' && <Running run={run} />}
          {run.state === 'done' && <TimelineView key={run.id} replay={run.id} />}
          {run.state !== 'running' && run.state !== 'done' && (
            <Empty title={`This replay was ${WORDS[run.state]}`}>
              {run.message !== null && <UntrustedBlock text={run.message} />}
            </Empty>
          )}
        </div>
      )}
    </>
  )
}

const WORDS = {
  failed: 'not brought to its end',
  cancelled: 'cancelled',
  interrupted: 'interrupted',
} as const

function Running({ run: { progress, read } }: { run: Replay }) {
  const share = Math.floor(progress * 100)
  return (
    <Panel title="Under way">
      <progress className="progress" max={100} value={share} aria-label="Read of the capture" />
      <p className="soft">
        {share >= 100
          ? 'All of it is read; what it left is made ready to be looked at.'
          : `${share}% of the capture, ${grouped(read)} events`}
      </p>
    </Panel>
  )
}

/** Replays of one capture, or of two: what an edit of a pipeline, or another night, has changed. */
function CompareWith({ run }: { run: Replay }) {
  const id = useId()
  const navigate = useNavigate()
  const { data } = useQuery(replaysQuery())
  const others = (data?.data ?? []).filter((one) => one.state === 'done' && one.id !== run.id)
  return (
    <>
      <label htmlFor={id} className="soft">
        Compare with
      </label>
      <select
        id={id}
        className="select"
        value=""
        disabled={others.length === 0}
        onChange={(event) => navigate(`/replay/${run.id}/diff/${event.target.value}`)}
      >
        <option value="">{others.length === 0 ? 'no other replay' : 'another replay'}</option>
        {others.map((one) => (
          <option key={one.id} value={one.id}>
            {`${one.capture.slice(0, 40)}, ${absolute(Date.parse(one.started_at))}`}
          </option>
        ))}
      </select>
    </>
  )
}
