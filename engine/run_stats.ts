/** What a running pipeline has done so far, node by node, at one moment. */
import { stopwatch } from './clock.ts'
import type { PipelineRun } from './pipeline_run.ts'

/** Counts since the pipeline was started; see `NodeCounters`. */
export interface NodeStats {
  readonly id: string
  readonly type: string
  readonly in: number
  readonly out: number
  readonly filtered: number
  readonly errors: number
  readonly retries: number
  /** batches that wait before a sink */
  readonly queued: number
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
  readonly deadLetters: number
  readonly nodes: readonly NodeStats[]
}

export function runStats(run: PipelineRun): RunStats {
  const { plan, wired, deadLetterCount } = run
  return {
    pipeline: plan.name,
    clock: stopwatch(),
    inFlight: wired.flow.events,
    deadLetters: deadLetterCount,
    nodes: plan.nodes.map(({ id, component }) => nodeStats(run, id, component.type)),
  }
}

function nodeStats(run: PipelineRun, id: string, type: string): NodeStats {
  const { counters, edges, runners } = run.wired
  const counted = counters.get(id)
  if (!counted) throw new Error(`node ${id} was not wired`)
  const state = runners.get(id)?.state
  const into = edges.filter(({ to }) => to === id)
  return {
    id,
    type,
    in: counted.in,
    out: counted.out,
    filtered: counted.filtered,
    errors: counted.errors,
    retries: counted.retries,
    queued: counted.queued,
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
