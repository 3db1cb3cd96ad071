/** A replay that has come to its end: its time line, and all that hangs on the moment. */
import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, useRef, useState } from 'react'
import { timelineQuery } from '../api/replay_queries.ts'
import type { Timeline } from '../api/replay_types.ts'
import { useParam, useSetParams } from '../components/pager.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty, Failure, Skeleton } from '../components/state.tsx'
import { counted } from '../format/number.ts'
import { absolute } from '../format/time.ts'
import { PipelineLegend } from '../graph/pipeline_picker.tsx'
import { ReplayGraph } from '../graph/replay_graph.tsx'
import { EventsPanel } from './events_panel.tsx'
import { FindingsPanel } from './findings_panel.tsx'
import { bucketAt, endOf, shownEnd, sums } from './moment.ts'
import { placeAt, placeText } from './places.ts'
import { SaidPanel } from './said_panel.tsx'
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
  const [placeParam] = useParam('place')
  const set = useSetParams()
  const [bucket, setBucket] = useState(() => bucketAt(at, timeline))
  const slow = useSlowly(bucket, FOLLOWS_AFTER)
  const index = placeAt(placeParam, timeline)
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
