/** Warns where what the outside answers is not written down. */
import type { GraphNode } from './graph.ts'
import { nameOf } from './graph_check.ts'
import { listOf } from './near_miss.ts'
import { isAsking } from './node_shape.ts'
import type { Problems } from './source_text.ts'

/** An answer on record needs its event on record: every source that reaches the node is looked at. */
export function warnOfUnrecorded(nodes: ReadonlyMap<string, GraphNode>, problems: Problems): void {
  const asking = [...nodes.values()].filter(
    ({ component, read }) =>
      component &&
      isAsking(component) &&
      component.section === 'operators' &&
      !(read && component.asksLocally?.(read.config as never)),
  )
  for (const node of asking) {
    // A search each: with more of them than can be told, no more are looked for.
    if (problems.isFull) return
    const bare = upstreamOf(node, nodes).filter(isUnrecorded)
    if (bare.length === 0) continue
    const names = listOf(bare.map(({ id }) => id))
    const message = `${nameOf(node)} asks the outside about events that are in no journal (${names})`
    problems.warning('NOT_RECORDED', node.span, message, {
      help:
        `without its answers a replay sends them to ${node.id}.errors, and a crash asks again and ` +
        `may be answered otherwise: give ${names} "journal: true".`,
    })
  }
}

/** What ticks is made of time alone, in a replay too; its events are the same. */
const isUnrecorded = ({ component, read }: GraphNode): boolean =>
  component?.section === 'sources' && !component.ticks && read !== undefined && !read.journal

/** The node and all that its input may come from. */
export function upstreamOf(node: GraphNode, nodes: ReadonlyMap<string, GraphNode>): GraphNode[] {
  const found = new Set<GraphNode>([node])
  for (const { inputs } of found) {
    for (const { from } of inputs) {
      const other = nodes.get(from)
      if (other) found.add(other)
    }
  }
  return [...found]
}
