/** The events of one place up to some moment, the newest first. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { eventsQuery } from '../api/replay_queries.ts'
import type { ReplayEvent, Timeline } from '../api/replay_types.ts'
import { type Column, DataTable } from '../components/data_table.tsx'
import { Pager, usePaging } from '../components/pager.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { grouped } from '../format/number.ts'
import { absolute } from '../format/time.ts'
import { EventDrawer } from './event_drawer.tsx'
import { placeName } from './places.ts'

const LIMIT = 50
const COLUMNS: readonly Column<ReplayEvent>[] = [
  {
    id: 'time',
    head: 'Event time (UTC)',
    width: '11rem',
    cell: ({ time }) => <span className="mono">{precise(time)}</span>,
  },
  {
    id: 'topic',
    head: 'Topic',
    width: '11rem',
    cell: ({ topic }) =>
      topic === null ? <span className="faint">—</span> : <Untrusted text={topic} most={60} />,
  },
  {
    id: 'data',
    head: 'Event',
    cell: ({ data }) =>
      data === null ? (
        <span className="faint">not written down in this form</span>
      ) : (
        <span className="mono">
          <Untrusted text={data} most={240} />
        </span>
      ),
  },
]

/** `03-01 09:00:00.123` */
const precise = (ms: number): string => {
  const whole = Math.floor(ms)
  const rest = String(((whole % 1000) + 1000) % 1000).padStart(3, '0')
  return `${absolute(whole).slice(5)}.${rest}`
}

interface EventsPanelProps {
  readonly replay: string
  readonly timeline: Timeline
  readonly index: number
  readonly choose: (place: number) => void
  readonly until: number | undefined
  readonly moment: string
}

export function EventsPanel(props: EventsPanelProps) {
  const { replay, timeline, index, choose, until, moment } = props
  const { go, ...paging } = usePaging(LIMIT)
  const [opened, setOpened] = useState<ReplayEvent>()
  const { limit, offset } = paging
  const query = useQuery(eventsQuery(replay, { place: index, until, limit, offset }))
  return (
    <Panel
      title={`Newest events before ${moment}`}
      flush
      className="replay-events"
      aside={
        <>
          <select
            className="select"
            aria-label="Place"
            value={index}
            onChange={(event) => choose(Number(event.target.value))}
          >
            {timeline.pipelines.map(({ name }) => (
              <optgroup key={name} label={name}>
                {timeline.places.map((place, at) =>
                  place.pipeline === name ? (
                    // biome-ignore lint/suspicious/noArrayIndexKey: places are named by it
                    <option key={at} value={at}>
                      {`${placeName(place)} (${place.kind === 'port' ? 'out' : 'in'}, ${grouped(place.count)})`}
                    </option>
                  ) : null,
                )}
              </optgroup>
            ))}
          </select>
          <Pager name="events" total={query.data?.total} paging={paging} go={go} />
        </>
      }
    >
      {timeline.cut && (
        <p className="banner banner-warn">
          There are more events than can be listed; all of them are counted.
        </p>
      )}
      <DataTable
        name="Events up to this moment"
        columns={COLUMNS}
        rows={query.data?.data}
        keyOf={({ id, time }) => `${id} ${time}`}
        error={query.error}
        retry={() => void query.refetch()}
        expected={12}
        stale={query.isPlaceholderData}
        open={setOpened}
        empty={<Empty title="Nothing had been said here by then" />}
      />
      {opened && <EventDrawer replay={replay} event={opened} close={() => setOpened(undefined)} />}
    </Panel>
  )
}
