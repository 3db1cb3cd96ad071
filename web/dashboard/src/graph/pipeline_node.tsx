/** One node of a pipeline as it is drawn, and in words. */
import type { NodeCounters, PipelineNode } from '../api/types.ts'
import { compact, grouped, rate } from '../format/number.ts'
import { roughly } from '../format/time.ts'
import { LONG_WAIT } from './edge_state.ts'
import type { NodeRates } from './pipeline_rates.ts'

interface PipelineNodeCardProps {
  readonly node: PipelineNode
  readonly rates: NodeRates | undefined
}

export function PipelineNodeCard({ node, rates }: PipelineNodeCardProps) {
  const { id, type, section, summary, counters } = node
  const bad = (counters?.errors ?? 0) > 0
  return (
    <div
      className={`node node-${section} ${counters ? '' : 'node-idle'} ${bad ? 'node-bad' : ''}`}
      title={summary}
    >
      <div className="node-name">
        <span>{id}</span>
      </div>
      <div className="node-type">
        {type}
        {counters?.state && ` · ${compact(counters.state.keys)} keys`}
      </div>
      <div className="node-figures">
        {counters ? (
          <>
            <span>{rate(flowOf(section, rates))}</span>
            <Trouble counters={counters} />
          </>
        ) : (
          <span>not running</span>
        )}
      </div>
    </div>
  )
}

const flowOf = (section: PipelineNode['section'], rates: NodeRates | undefined) =>
  section === 'sources' ? rates?.out : rates?.in

/** There is room for one of them: the worst. The table has all. */
function Trouble({ counters }: { counters: NodeCounters }) {
  const { errors, pending, oldest = 0 } = counters
  if (errors > 0) {
    return (
      <span className="bad">
        {compact(errors)} {errors === 1 ? 'error' : 'errors'}
      </span>
    )
  }
  if (pending === 0 || oldest < LONG_WAIT) return null
  return (
    <span className="warn">
      {compact(pending)} wait {roughly(oldest)}
    </span>
  )
}

/** For those who do not see the node. */
export function nodeLabel(
  { id, type, section, counters }: PipelineNode,
  rates: NodeRates | undefined,
): string {
  const what = `${id}, ${section.slice(0, -1)} of type ${type}`
  if (!counters) return `${what}, not running`
  const { errors, pending, state } = counters
  return [
    what,
    rate(flowOf(section, rates)),
    `${grouped(errors)} errors`,
    ...(pending > 0 ? [`${grouped(pending)} events wait`] : []),
    ...(state ? [`${grouped(state.keys)} keys`] : []),
  ].join(', ')
}
