/** What a run has done, as numbers. */
import type { EdgeCounters, NodeCounters, StateCounters } from './counters.ts'
import type { Plan } from './plan.ts'
import type { BreakHit } from './replay_break.ts'
import type { Skipped } from './replay_window.ts'
import { DEAD_LETTERS, type Wired } from './wire.ts'

/** Counts of one node, as `summary.json` shows them. */
export interface NodeReport {
  readonly in: number
  readonly out: number
  readonly filtered: number
  readonly dead_lettered: number
  readonly errors: number
  /** events that went out beyond one for each that came in */
  readonly made?: number
  readonly evicted?: number
  readonly counted?: Readonly<Record<string, number>>
}

export interface PipelineReport {
  readonly sources: Readonly<Record<string, { readonly read: number }>>
  readonly nodes: Readonly<Record<string, NodeReport>>
  readonly edges: readonly Readonly<Pick<EdgeCounters, 'from' | 'to' | 'sent' | 'dropped'>>[]
}

export interface RunReport {
  readonly wallSeconds: number
  readonly pipelines: Readonly<Record<string, PipelineReport>>
  readonly outcome: 'completed' | 'stopped' | 'failed'
  readonly error?: unknown
  /** events of the captures that lay outside `--from` and `--until`, where one was given */
  readonly skipped?: Skipped
  /** the event that `--break` was looking for */
  readonly hit?: BreakHit
}

/** How far a run has come, for a progress bar. */
export interface Progress {
  /** events read by all sources that read from outside */
  readonly read: number
  /** what `read` counts, where it is not events */
  readonly unit?: string
  readonly bytesRead?: number
  readonly bytesTotal?: number
  readonly seconds: number
}

type Counted = ReadonlyMap<string, NodeCounters>

export function pipelineReport(plan: Plan, { counters, edges, runners }: Wired): PipelineReport {
  const sources: Record<string, { read: number }> = {}
  const nodes: Record<string, NodeReport> = {}
  for (const { id, section } of plan.nodes) {
    const counted = counters.get(id)
    if (!counted) continue
    if (section === 'sources') sources[id] = { read: counted.in }
    nodes[id] = nodeReport(counted, runners.get(id)?.state)
  }
  // The edges into the dead letter queue are the engine's own; `dead_lettered` counts them.
  const drawn = edges.filter(({ to }) => to !== DEAD_LETTERS)
  const counted = drawn.map(({ from, to, sent, dropped }) => ({ from, to, sent, dropped }))
  return { sources, nodes, edges: counted }
}

function nodeReport(counted: NodeCounters, state: StateCounters | undefined): NodeReport {
  const { in: read, out, filtered, deadLettered, errors, made, reasons } = counted
  const evicted = state ? state.evictedByAge + state.evictedByCount : 0
  return {
    in: read,
    out,
    filtered,
    dead_lettered: deadLettered,
    errors,
    ...(made > 0 && { made }),
    ...(evicted > 0 && { evicted }),
    ...(reasons.size > 0 && { counted: Object.fromEntries([...reasons].sort()) }),
  }
}

/** Events all sources of a plan have read from outside the process. */
export function readCount(plan: Plan, counters: Counted): number {
  return plan.nodes
    .filter((node) => node.section === 'sources' && !node.component.internal)
    .reduce((sum, { id }) => sum + (counters.get(id)?.in ?? 0), 0)
}
