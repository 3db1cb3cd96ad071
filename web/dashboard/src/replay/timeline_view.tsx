/** A replay that has come to its end: its time line, and all that hangs on the moment. */
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { eventsQuery, timelineQuery } from '../api/replay_queries.ts'
import type { ReplayEvent, Timeline, TimelineTopic } from '../api/replay_types.ts'
import { type Column, DataTable } from '../components/data_table.tsx'
import { Pager, usePaging, useParam, useSetParams } from '../components/pager.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty, Failure, Skeleton } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { counted, grouped } from '../format/number.ts'
import { absolute } from '../format/time.ts'
import { PipelineLegend } from '../graph/pipeline_picker.tsx'
import { ReplayGraph } from '../graph/replay_graph.tsx'
import { EventDrawer } from './event_drawer.tsx'
import { FindingsPanel } from './findings_panel.tsx'
import { bucketAt, endOf, shownEnd, sums } from './moment.ts'
import { placeAt, placeName, placeText } from './places.ts'
import { Scrubber } from './scrubber.tsx'

export function TimelineView({ replay }: { replay: string }) {
  const query = useQuery(timelineQuery(replay))
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />
  if (!query.data) return <Skeleton lines={20} />
  if (query.data.places.length === 0) {
    return <Empty title="Nothing was said">No event of the capture was for these pipelines.</Empty>
  }
  return <Moments replay={replay} timeline={query.data} />
}

/** The address, and the list of events, follow the hand no faster than this, ms. */
const FOLLOWS_AFTER = 300

/** @returns `value` as it was a moment ago, while it changes */
function useSlowly<T>(value: T, ms: number): T {
  const [shown, setShown] = useState(value)
  const last = useRef(0)
  useEffect(() => {
    const wait = Math.max(last.current + ms - Date.now(), 0)
    const timer = setTimeout(() => {
      last.current = Date.now()
      setShown(value)
    }, wait)
    return () => clearTimeout(timer)
  }, [value, ms])
  return shown
}

function Moments({ replay, timeline }: { replay: string; timeline: Timeline }) {
  const [at] = useParam('at')
  const [placeText_] = useParam('place')
  const set = useSetParams()
  const [bucket, setBucket] = useState(() => bucketAt(at, timeline))
  const slow = useSlowly(bucket, FOLLOWS_AFTER)
  const index = placeAt(placeText_, timeline)
  const place = timeline.places[index]
  const totals = useMemo(() => timeline.places.map(({ counts }) => sums(counts)), [timeline])
  const written = useRef(slow)
  useEffect(() => {
    if (written.current === slow) return
    written.current = slow
    const end = endOf(slow, timeline)
    set({ at: end === undefined ? '' : String(end) })
  })
  if (!place) return null
  const wired = timeline.pipelines.find(({ name }) => name === place.pipeline)
  const choose = (next: number) => set({ place: String(next) })
  const firstOf = (pipeline: string) =>
    timeline.places.findIndex((one) => one.pipeline === pipeline)
  return (
    <>
      <Panel
        title={placeText(place)}
        aside={
          timeline.outside > 0 && (
            <span title="Clocks that were far off">
              {counted(timeline.outside, 'event')} before or after
            </span>
          )
        }
      >
        <Scrubber
          timeline={timeline}
          counts={place.counts}
          name="events"
          bucket={bucket}
          go={setBucket}
        />
      </Panel>
      <div className="main-and-side">
        <Panel title="Dataflow up to this moment" flush aside={<PipelineLegend />}>
          <fieldset className="pipeline-tabs plain">
            <legend className="visually-hidden">Pipelines</legend>
            {timeline.pipelines.map(({ name }) => (
              <button
                key={name}
                type="button"
                className="pipeline-tab"
                aria-pressed={name === place.pipeline}
                disabled={firstOf(name) < 0}
                onClick={() => choose(firstOf(name))}
              >
                {name}
              </button>
            ))}
          </fieldset>
          {wired && (
            <ReplayGraph
              timeline={timeline}
              pipeline={wired.name}
              nodes={wired.nodes}
              passed={(one) => totals[one]?.[bucket] ?? 0}
              onOpen={choose}
            />
          )}
        </Panel>
        <SaidPanel timeline={timeline} bucket={bucket} choose={choose} />
      </div>
      <EventsPanel
        replay={replay}
        timeline={timeline}
        index={index}
        choose={choose}
        until={endOf(slow, timeline)}
        moment={absolute(shownEnd(slow, timeline))}
      />
      <FindingsPanel replay={replay} />
    </>
  )
}

interface SaidPanelProps {
  readonly timeline: Timeline
  readonly bucket: number
  readonly choose: (place: number) => void
}

function SaidPanel({ timeline, bucket, choose }: SaidPanelProps) {
  const totals = useMemo(() => timeline.topics.map(({ counts }) => sums(counts)), [timeline])
  const placeOf = ({ pipeline, node }: TimelineTopic) =>
    timeline.places.findIndex(
      (one) => one.kind === 'sink' && one.pipeline === pipeline && one.node === node,
    )
  return (
    <Panel title="What sinks were given by then" flush>
      {/* biome-ignore lint/a11y/useSemanticElements: it is no set of fields */}
      <div
        className="said-list"
        role="group"
        aria-label="What sinks were given by then"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
        tabIndex={0}
      >
        <ul className="ranked">
          {timeline.topics.map((topic, index) => (
            <li key={`${topic.pipeline} ${topic.node} ${topic.topic}`}>
              <button
                type="button"
                className="link-button name"
                onClick={() => choose(placeOf(topic))}
              >
                <Untrusted text={topic.topic} most={60} />{' '}
                <span className="faint">
                  {topic.pipeline} · {topic.node}
                </span>
              </button>
              <span>{grouped(totals[index]?.[bucket] ?? 0)}</span>
            </li>
          ))}
        </ul>
        {timeline.topics.length === 0 && <Empty title="No sink was given anything" />}
      </div>
    </Panel>
  )
}

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

function EventsPanel(props: EventsPanelProps) {
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
