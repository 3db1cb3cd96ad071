/** The time line of a replay: how much was said when, and the moment that is looked at. */
import { Pause, Play, SkipBack, SkipForward } from 'lucide-react'
import { useEffect, useEffectEvent, useState } from 'react'
import type { Timeline } from '../api/replay_types.ts'
import { grouped } from '../format/number.ts'
import { absolute } from '../format/time.ts'
import { shownEnd } from './moment.ts'

interface ScrubberProps {
  readonly timeline: Timeline
  /** events of each bucket, of what is looked at */
  readonly counts: readonly number[]
  /** what that is */
  readonly name: string
  readonly bucket: number
  readonly go: (bucket: number) => void
}

/** ms of one bucket while it plays: half a minute for all of it */
const PACE = 125
const MARKS = 5

export function Scrubber({ timeline, counts, name, bucket, go }: ScrubberProps) {
  const [playing, setPlaying] = useState(false)
  const last = timeline.buckets - 1
  const next = useEffectEvent(() => {
    if (bucket >= last) setPlaying(false)
    else go(bucket + 1)
  })
  useEffect(() => {
    if (!playing) return undefined
    const timer = setInterval(() => next(), PACE)
    return () => clearInterval(timer)
  }, [playing])
  const moment = absolute(shownEnd(bucket, timeline))
  const said = counts.slice(0, bucket + 1).reduce((sum, count) => sum + count, 0)
  const stop = (to: number) => {
    setPlaying(false)
    go(to)
  }
  return (
    <div className="scrubber">
      <div className="scrubber-line">
        <Bars counts={counts} bucket={bucket} />
        <input
          type="range"
          min={0}
          max={last}
          step={1}
          value={bucket}
          aria-label="Moment"
          aria-valuetext={`${moment} UTC, ${grouped(said)} events`}
          onChange={(event) => stop(Number(event.target.value))}
        />
        <Marks timeline={timeline} />
      </div>
      <div className="scrubber-bar">
        <button
          type="button"
          className="icon-button"
          aria-label="To the beginning"
          onClick={() => stop(0)}
        >
          <SkipBack size={16} aria-hidden />
        </button>
        <button
          type="button"
          className="button"
          onClick={() => {
            if (!playing && bucket >= last) go(0)
            setPlaying(!playing)
          }}
        >
          {playing ? <Pause size={14} aria-hidden /> : <Play size={14} aria-hidden />}
          {playing ? 'Pause' : 'Play'}
        </button>
        <button
          type="button"
          className="icon-button"
          aria-label="To the end"
          onClick={() => stop(last)}
        >
          <SkipForward size={16} aria-hidden />
        </button>
        <output className="scrubber-moment">
          {moment} <span className="faint">UTC</span>
        </output>
        <span className="soft">
          {grouped(said)} of {grouped(counts.reduce((sum, count) => sum + count, 0))} {name}
        </span>
      </div>
    </div>
  )
}

/** The slider says the same in words. */
function Bars({ counts, bucket }: { counts: readonly number[]; bucket: number }) {
  const most = counts.reduce((a, b) => Math.max(a, b), 1)
  // Few events have to be seen beside many.
  const height = (count: number) => (count === 0 ? 0 : 4 + 96 * Math.sqrt(count / most))
  const path = (from: number, until: number) =>
    counts
      .slice(from, until)
      .map((count, index) => (count > 0 ? `M${from + index} 100v-${height(count)}h.86V100z` : ''))
      .join('')
  return (
    <svg
      className="scrubber-bars"
      viewBox={`0 0 ${counts.length} 100`}
      preserveAspectRatio="none"
      aria-hidden
    >
      <path className="said" d={path(0, bucket + 1)} />
      <path className="unsaid" d={path(bucket + 1, counts.length)} />
    </svg>
  )
}

const DAY = 86_400_000

function Marks({ timeline: { from, step, buckets } }: { timeline: Timeline }) {
  const span = step * buckets
  const shown = (ms: number) =>
    span > 3 * DAY ? absolute(ms).slice(0, 10) : absolute(ms).slice(11, span > DAY / 24 ? 16 : 19)
  return (
    <div className="scrubber-marks" aria-hidden>
      {Array.from({ length: MARKS }, (_, mark) => {
        const at = from + (span * mark) / (MARKS - 1)
        return <span key={at}>{shown(at)}</span>
      })}
    </div>
  )
}
