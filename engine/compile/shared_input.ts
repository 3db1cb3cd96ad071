/** Warns where state is kept of input that other processes have a share of. */
import type { GraphNode } from './graph.ts'
import { nameOf } from './graph_check.ts'
import { listOf } from './near_miss.ts'
import { isKeyed } from './node_shape.ts'
import type { Problems } from './source_text.ts'
import { upstreamOf } from './unrecorded.ts'

/** State does not move with its input: a process that takes a part over begins with none. */
export function warnOfSharedInput(nodes: ReadonlyMap<string, GraphNode>, problems: Problems): void {
  const keyed = [...nodes.values()].filter(({ component }) => component && isKeyed(component))
  for (const node of keyed) {
    // A search each: with more of them than can be told, no more are looked for.
    if (problems.isFull) return
    const shared = upstreamOf(node, nodes).filter(isShared)
    if (shared.length === 0) continue
    const names = listOf(shared.map(({ id }) => id))
    const message = `${nameOf(node)} keeps state of input that processes share (${names})`
    problems.warning('LOCAL_STATE', node.span, message, {
      help:
        'state is local to a process: keys are whole only where they are those the input is spread ' +
        'by, and a process that takes a share over begins without what the last one knew of it.',
    })
  }
}

const isShared = ({ component, read }: GraphNode): boolean =>
  component?.section === 'sources' &&
  read !== undefined &&
  component.shared?.(read.config as never) === true
