/** Finds circles in the wiring, and the order in which nodes can be set up where there is none. */
import { quote } from '../../protocols/quote.ts'
import type { GraphNode, Input } from './graph.ts'
import type { Problems } from './source_text.ts'

/** Of a longer circle, only this many nodes are named. */
const MOST_NAMED = 12

/** One input on a way through the graph, with the node that reads it. */
interface Step {
  readonly reader: GraphNode
  readonly input: Input
}

/** Reports every circle once; an error port counts like any other output. */
export function reportCycles(nodes: ReadonlyMap<string, GraphNode>, problems: Problems): void {
  const order = new Map([...nodes.keys()].map((id, index) => [id, index]))
  const done = new Set<string>()
  const way: Step[] = []
  const visit = (reader: GraphNode): void => {
    for (const input of reader.inputs) {
      const from = nodes.get(input.from)
      if (from === undefined || done.has(from.id) || isDeadEnd(from, input)) continue
      way.push({ reader, input })
      const start = way.findIndex((step) => step.reader === from)
      if (start < 0) visit(from)
      else reportCycle(way.slice(start), order, problems)
      way.pop()
    }
    done.add(reader.id)
  }
  for (const node of nodes.values()) if (!done.has(node.id)) visit(node)
}

/** Nothing comes out of a sink but errors, so an input that says otherwise closes no circle. */
const isDeadEnd = (from: GraphNode, { port }: Input): boolean =>
  from.section === 'sinks' && port !== 'errors'

/** The input that is probably wrong is the one that reads a node further down in the file. */
function reportCycle(
  circle: readonly Step[],
  order: ReadonlyMap<string, number>,
  problems: Problems,
): void {
  const rank = (id: string) => order.get(id) ?? 0
  const ahead = circle.filter((step) => rank(step.input.from) >= rank(step.reader.id))
  const { input, reader } = ahead.reduce((one, other) =>
    rank(one.reader.id) <= rank(other.reader.id) ? one : other,
  )
  if (circle.length === 1) {
    const message = `node ${quote(reader.id)} reads itself`
    problems.error('CYCLE', input.span, message, { help: 'remove this input.' })
    return
  }
  // Steps go from reader to read; events go the other way, here from the reader at fault.
  const ids = circle.map((step) => step.reader.id)
  const at = ids.indexOf(reader.id)
  const flow = [...ids.slice(at + 1), ...ids.slice(0, at + 1)].reverse()
  const named = flow.length > MOST_NAMED ? [...flow.slice(0, MOST_NAMED), '…'] : flow
  const message = `these nodes feed each other: ${[...named, reader.id].map(plainId).join(' -> ')}`
  problems.error('CYCLE', input.span, message, {
    help: 'events flow from sources to sinks only: remove one of these inputs.',
  })
}

const plainId = (id: string): string => (/^[a-z0-9_…]+$/.test(id) ? id : quote(id))

/**
 * @param nodes without a circle, in file order
 * @returns sources first, every node after those it reads; ties in file order
 */
export function inFlowOrder(nodes: readonly GraphNode[]): readonly GraphNode[] {
  const rank = (node: GraphNode) => (node.section === 'sources' ? 0 : 1)
  const waiting = [...nodes].sort((one, other) => rank(one) - rank(other))
  const placed = new Set<string>()
  const order: GraphNode[] = []
  while (waiting.length > 0) {
    const next = waiting.findIndex((node) => node.inputs.every(({ from }) => placed.has(from)))
    const [node] = waiting.splice(next, 1)
    if (next < 0 || node === undefined)
      throw new Error('the nodes of a plan must not form a circle')
    placed.add(node.id)
    order.push(node)
  }
  return order
}
