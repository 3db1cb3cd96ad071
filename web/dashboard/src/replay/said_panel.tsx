/** What sinks had been given by some moment, by topic: what was found so far. */
import { useMemo } from 'react'
import type { Timeline, TimelineTopic } from '../api/replay_types.ts'
import { Panel } from '../components/panel.tsx'
import { Empty } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { grouped } from '../format/number.ts'
import { sums } from './moment.ts'

interface SaidPanelProps {
  readonly timeline: Timeline
  readonly bucket: number
  readonly choose: (place: number) => void
}

export function SaidPanel({ timeline, bucket, choose }: SaidPanelProps) {
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
