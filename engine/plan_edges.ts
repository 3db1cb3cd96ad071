/** What a plan says about its edges beyond listing them. */
import type { TSchema } from 'typebox'
import type { Plan, PlanEdge, PlanOperator, PlanSink } from './plan.ts'

/** `node`, or `node.port` for a named output and the error port. */
export const portKey = (node: string, port: string): string =>
  port === '' ? node : `${node}.${port}`

/** The name of an edge that holds events, unlike that of any node: `from>consumer#index`. */
export const inletOf = ({ from, port }: PlanEdge, consumer: string, index: number): string =>
  `${portKey(from, port)}>${consumer}#${index}`

/** The shape an operator or sink with this config asks of `event.data`. */
export function inputSchema({ component, config }: PlanOperator | PlanSink): TSchema | undefined {
  const { input } = component
  return typeof input === 'function' ? input(config as never) : input
}

/** Edges from every error port that no node of the plan reads. */
export function deadLetterEdges(plan: Plan): PlanEdge[] {
  const read = new Set(
    plan.nodes.flatMap((node) =>
      node.section === 'sources'
        ? []
        : node.inputs.filter(({ port }) => port === 'errors').map(({ from }) => from),
    ),
  )
  return plan.nodes
    .filter(({ id }) => !read.has(id))
    .map(({ id }) => ({ from: id, port: 'errors', policy: 'block', capacity: 0 }))
}

/** Port key → how many edges read it. */
export function countReaders(plan: Plan, extra: readonly PlanEdge[]): Map<string, number> {
  const edges = plan.nodes.flatMap((node) => (node.section === 'sources' ? [] : node.inputs))
  const readers = new Map<string, number>()
  for (const { from, port } of [...edges, ...extra]) {
    const key = portKey(from, port)
    readers.set(key, (readers.get(key) ?? 0) + 1)
  }
  return readers
}
