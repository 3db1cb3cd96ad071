/** Places nodes from left to right, so that edges point onwards and cross little. */
import { Graph, layout } from '@dagrejs/dagre'

interface Sized {
  readonly id: string
  readonly width: number
  readonly height: number
}

interface Joined {
  readonly from: string
  readonly to: string
}

export interface Place {
  readonly x: number
  readonly y: number
}

/** @returns the upper left corner of each node, by id; the same for the same graph */
export function placeNodes(
  nodes: readonly Sized[],
  edges: readonly Joined[],
  { rankGap = 90, nodeGap = 14 }: { rankGap?: number; nodeGap?: number } = {},
): ReadonlyMap<string, Place> {
  const graph = new Graph({ multigraph: true })
  graph.setGraph({ rankdir: 'LR', ranksep: rankGap, nodesep: nodeGap })
  graph.setDefaultEdgeLabel(() => ({}))
  for (const { id, width, height } of nodes) graph.setNode(id, { width, height })
  const known = new Set(nodes.map(({ id }) => id))
  edges.forEach(({ from, to }, index) => {
    if (known.has(from) && known.has(to)) graph.setEdge(from, to, {}, String(index))
  })
  layout(graph)
  return new Map(
    nodes.map(({ id, width, height }) => {
      const { x = 0, y = 0 } = graph.node(id) as Partial<Place>
      return [id, { x: x - width / 2, y: y - height / 2 }]
    }),
  )
}
