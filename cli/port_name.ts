/** Names of nodes and ports on the command line. */
import type { Plan } from '../engine/plan.ts'
import type { PortRequest } from '../engine/replay_ports.ts'

/**
 * Reads `NODE`, `NODE.PORT`, `PIPELINE.NODE` or `PIPELINE.NODE.PORT`. What stands before the first
 * point is a pipeline only where one of them is called so and no node is.
 */
export function portName(text: string, plans: readonly Plan[]): PortRequest {
  const [first = '', second, third] = text.split('.')
  const isNode = plans.some(({ nodes }) => nodes.some(({ id }) => id === first))
  const isPipeline = plans.some(({ name }) => name === first)
  if (second === undefined || isNode || !isPipeline) return { node: first, port: second }
  return { pipeline: first, node: second, port: third }
}
