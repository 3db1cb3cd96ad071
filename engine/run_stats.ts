/** What a running pipeline has done so far, node by node and edge by edge, at one moment. */
import { stopwatch } from './clock.ts'
import { type EdgeStats, edgeStats } from './edge_stats.ts'
import type { PipelineRun } from './pipeline_run.ts'

/** Counts since the pipeline was started; see `NodeCounters`. */
export interface NodeStats {
  readonly id: string
  readonly type: string
  readonly in: number
  readonly out: number
  readonly filtered: number
  readonly errors: number
  /** those of `errors` that are in the dead letter queue, or were */
  readonly deadLettered: number
  readonly retries: number
  /** batches that wait before a sink */
  readonly queued: number
  /** events that wait before a sink or a node that asks, those being written or asked about included */
  readonly pending: number
  /** how long the oldest of them has waited, ms; missing where none does */
  readonly oldest?: number
  /** events that wait on the node's own drop edges, and those these have let go */
  readonly waiting: number
  readonly dropped: number
  /** now less the event time last seen, ms; missing before the first event */
  readonly lag?: number
  readonly state?: {
    readonly keys: number
    /** characters in the last checkpoint */
    readonly bytes: number
    readonly timers: number
    readonly evicted: number
  }
}

export interface RunStats {
  readonly pipeline: string
  /** ms of the pipeline's own stopwatch, for rates */
  readonly clock: number
  /** events not yet acknowledged */
  readonly inFlight: number
  /** events that each source may have unacknowledged */
  readonly credit: number
  readonly deadLetters: number
  readonly nodes: readonly NodeStats[]
  /** in the order of the plan's nodes and their inputs */
  readonly edges: readonly EdgeStats[]
}

export function runStats(run: PipelineRun): RunStats {
  const { plan, wired, deadLetterCount } = run
  const edges = edgeStats(run)
  return {
    pipeline: plan.name,
    clock: stopwatch(),
    inFlight: wired.flow.events,
    credit: plan.settings.credit,
    deadLetters: deadLetterCount,
    nodes: plan.nodes.map(({ id, component }) => nodeStats(run, id, component.type, edges)),
    edges,
  }
}

function nodeStats(
  run: PipelineRun,
  id: string,
  type: string,
  edges: readonly EdgeStats[],
): NodeStats {
  const { counters, runners, backlogs } = run.wired
  const counted = counters.get(id)
  if (!counted) throw new Error(`node ${id} was not wired`)
  const state = runners.get(id)?.state
  const backlog = backlogs.get(id)
  const oldest = backlog?.oldest
  const into = edges.filter(({ to }) => to === id)
  return {
    id,
    type,
    in: counted.in,
    out: counted.out,
    filtered: counted.filtered,
    errors: counted.errors,
    deadLettered: counted.deadLettered,
    retries: counted.retries,
    queued: counted.queued,
    pending: backlog?.events ?? 0,
    ...(oldest !== undefined && { oldest: Math.round(oldest) }),
    waiting: into.reduce((sum, { waiting }) => sum + waiting, 0),
    dropped: into.reduce((sum, { dropped }) => sum + dropped, 0),
    ...(counted.lastTime > 0 && { lag: run.now() - counted.lastTime }),
    ...(state && {
      state: {
        keys: state.keys,
        bytes: state.bytes,
        timers: state.timers,
        evicted: state.evictedByAge + state.evictedByCount,
      },
    }),
  }
}
