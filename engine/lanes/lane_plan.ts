/** Whether threads can share the work of a pipeline. */
import type { Plan, PlanNode } from '../plan.ts'

/**
 * Between threads go bytes: the lines that come in and the lines that go out. So every operator has
 * to be pure, with nothing to keep from one event to the next, and every sink has to take its events
 * as bytes.
 * @returns what is in the way, as the end of a sentence, or undefined where nothing is
 */
export function obstacleToLanes({ nodes }: Pick<Plan, 'nodes'>): string | undefined {
  const reasons = nodes.map(obstacleOf)
  return reasons.find((reason) => reason !== undefined)
}

function obstacleOf(node: PlanNode): string | undefined {
  const { id, component } = node
  if (component.section === 'sources') {
    return component.internal ? `"${id}" reads from a pipeline of this process` : undefined
  }
  if (component.section === 'operators' && !component.pure) {
    return `"${id}" (${component.type}) keeps state or asks for more than its event`
  }
  if (component.section === 'sinks' && !component.encode) {
    return `"${id}" (${component.type}) does not take its events as bytes`
  }
  if (node.section === 'sources') return undefined
  const edge = node.inputs.find(({ policy, port }) => policy !== 'block' || port === 'errors')
  if (edge === undefined) return undefined
  return edge.port === 'errors'
    ? `"${id}" reads the error port of "${edge.from}"`
    : `the edge ${edge.from} -> ${id} drops events`
}
