/** What passes the nodes and edges of a pipeline per second, from two looks at its counters. */
import type { Pipeline, PipelineEdge } from '../api/types.ts'

/** Per second. */
export interface NodeRates {
  readonly in: number
  readonly out: number
  readonly errors: number
}

/** Per second. */
export interface EdgeRates {
  readonly sent: number
  readonly dropped: number
}

export interface Rates {
  readonly nodes: ReadonlyMap<string, NodeRates>
  /** by `edgeKey` */
  readonly edges: ReadonlyMap<string, EdgeRates>
}

export const NO_RATES: Rates = { nodes: new Map(), edges: new Map() }

/** Where events leave: `node` or `node.port`. */
export const portOf = ({ from, port }: Pick<PipelineEdge, 'from' | 'port'>): string =>
  port === null ? from : `${from}.${port}`

/** @param index among the inputs of `to`: two of them may come from one port */
const edgeKey = (to: string, edge: PipelineEdge, index: number): string =>
  `${index} ${portOf(edge)} ${to}`

/** One edge, with the node it leads to. */
export interface DrawnEdge {
  readonly key: string
  readonly to: string
  readonly edge: PipelineEdge
}

export const edgesOf = ({ nodes }: Pick<Pipeline, 'nodes'>): readonly DrawnEdge[] =>
  nodes.flatMap(({ id, inputs }) =>
    inputs.map((edge, index) => ({ key: edgeKey(id, edge, index), to: id, edge })),
  )

/** @returns none where the pipeline was started anew in between, or does not run */
export function ratesOf(before: Pipeline | undefined, now: Pipeline): Rates {
  if (!before || before.clock === null || now.clock === null) return NO_RATES
  const seconds = (now.clock - before.clock) / 1000
  if (seconds <= 0) return NO_RATES
  const per = <K extends string>(
    is: Readonly<Record<K, number>>,
    was: Readonly<Record<K, number>>,
    name: K,
  ) => Math.max(is[name] - was[name], 0) / seconds
  const nodes = new Map<string, NodeRates>()
  const oldNodes = new Map(before.nodes.map((node) => [node.id, node.counters]))
  for (const { id, counters: is } of now.nodes) {
    const was = oldNodes.get(id)
    if (!is || !was) continue
    nodes.set(id, {
      in: per(is, was, 'in'),
      out: per(is, was, 'out'),
      errors: per(is, was, 'errors'),
    })
  }
  const edges = new Map<string, EdgeRates>()
  const oldEdges = new Map(edgesOf(before).map(({ key, edge }) => [key, edge.counters]))
  for (const { key, edge } of edgesOf(now)) {
    const was = oldEdges.get(key)
    const is = edge.counters
    if (!is || !was) continue
    edges.set(key, { sent: per(is, was, 'sent'), dropped: per(is, was, 'dropped') })
  }
  return { nodes, edges }
}

/** What comes in at the sources of a pipeline. */
export const inflow = ({ nodes }: Pipeline, rates: Rates): number | undefined => {
  const known = nodes.flatMap(({ id, section }) =>
    section === 'sources' ? (rates.nodes.get(id)?.out ?? []) : [],
  )
  return known.length === 0 ? undefined : known.reduce((sum, one) => sum + one, 0)
}

type Summed = 'errors' | 'dropped' | 'pending' | 'waiting'

export const totalOf = ({ nodes }: Pipeline, name: Summed): number =>
  nodes.reduce((sum, { counters }) => sum + (counters?.[name] ?? 0), 0)
