/** What passes the nodes and edges of a pipeline per second, from two looks at its counters. */
import type { NodeCounters, Pipeline, PipelineNode } from '../api/types.ts'

/** Per second. */
export interface NodeRates {
  readonly in: number
  readonly out: number
  readonly errors: number
  readonly dropped: number
}

export type Rates = ReadonlyMap<string, NodeRates>

/** @returns none where the pipeline was started anew in between, or does not run */
export function ratesOf(before: Pipeline | undefined, now: Pipeline): Rates {
  const found = new Map<string, NodeRates>()
  if (!before || before.clock === null || now.clock === null) return found
  const seconds = (now.clock - before.clock) / 1000
  if (seconds <= 0) return found
  const old = new Map(before.nodes.map((node) => [node.id, node.counters]))
  for (const { id, counters } of now.nodes) {
    const then = old.get(id)
    if (!counters || !then) continue
    const per = (name: 'in' | 'out' | 'errors' | 'dropped') =>
      Math.max(counters[name] - then[name], 0) / seconds
    found.set(id, {
      in: per('in'),
      out: per('out'),
      errors: per('errors'),
      dropped: per('dropped'),
    })
  }
  return found
}

/**
 * What passes one edge. Counters are those of nodes: a node with one input has its edge's; of several,
 * each carries what its node sends out.
 * @returns undefined where it cannot be known
 */
export function edgeRate(
  to: PipelineNode,
  { from, port }: { readonly from: string; readonly port: string | null },
  rates: Rates,
): number | undefined {
  if (to.inputs.length === 1) {
    const target = rates.get(to.id)
    return target && target.in + target.dropped
  }
  const source = rates.get(from)
  if (port === 'errors') return source?.errors
  return port === null ? source?.out : undefined
}

/** What comes in at the sources of a pipeline. */
export const inflow = ({ nodes }: Pipeline, rates: Rates): number | undefined => {
  const known = nodes.flatMap(({ id, section }) =>
    section === 'sources' ? (rates.get(id)?.out ?? []) : [],
  )
  return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0)
}

type Summed = 'errors' | 'dropped' | 'queued' | 'waiting'

export const totalOf = ({ nodes }: Pipeline, name: Summed): number =>
  nodes.reduce((sum, { counters }) => sum + (counters?.[name] ?? 0), 0)

/** @returns ms; undefined where no node has seen an event */
export function greatestLag({ nodes }: Pipeline): number | undefined {
  const lags = nodes.flatMap(({ counters }: { counters: NodeCounters | null }) =>
    counters?.lag === undefined ? [] : [counters.lag],
  )
  return lags.length === 0 ? undefined : Math.max(...lags)
}
