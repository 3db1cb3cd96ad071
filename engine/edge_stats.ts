/** What has passed the edges of a running pipeline, and what waits on them, at one moment. */
import type { PipelineRun } from './pipeline_run.ts'
import type { EdgePolicy } from './plan.ts'
import { inletOf } from './plan_edges.ts'

/** Counts since the pipeline was started; see `EdgeCounters`. */
export interface EdgeStats {
  /** `node` or `node.port` */
  readonly from: string
  readonly to: string
  readonly policy: EdgePolicy
  /** events it holds before it drops; missing where it blocks */
  readonly capacity?: number
  readonly sent: number
  readonly dropped: number
  readonly waiting: number
  /** how long the oldest event has waited on it, ms; missing where none does */
  readonly oldest?: number
  /** how old the last event was when it passed, ms of event time; missing before the first */
  readonly behind?: number
  /** how long ago that was, ms */
  readonly idle?: number
}

/** The edges into the dead letter queue are the engine's own, and not among them. */
export function edgeStats(run: PipelineRun): EdgeStats[] {
  const { plan, wired } = run
  const now = run.now()
  const queues = new Map(wired.detached.map((edge) => [edge.inlet, edge]))
  const planned = plan.nodes.flatMap((node) =>
    node.section === 'sources'
      ? []
      : node.inputs.map((edge, index) => ({ edge, inlet: inletOf(edge, node.id, index) })),
  )
  // The graph was wired in this order.
  return planned.map(({ edge, inlet }, index) => {
    const counters = wired.edges[index]
    if (!counters) throw new Error(`edge ${inlet} was not wired`)
    const { from, to, sent, dropped, waiting, lastTime, lastAt } = counters
    const { policy, capacity } = edge
    const oldest = queues.get(inlet)?.oldest
    return {
      ...{ from, to, policy, sent, dropped, waiting },
      ...(policy !== 'block' && { capacity }),
      ...(oldest !== undefined && { oldest: Math.round(oldest) }),
      ...(lastAt > 0 && { behind: lastAt - lastTime, idle: now - lastAt }),
    }
  })
}
