/** Which ports of the pipelines in a replay a name means. */
import { EngineError } from './errors.ts'
import type { Plan } from './plan.ts'

/** A port as somebody named it. */
export interface PortRequest {
  /** undefined: the one pipeline that has such a node */
  readonly pipeline?: string | undefined
  readonly node: string
  /** undefined: all of its ports but the error port */
  readonly port?: string | undefined
}

/** A graph that has been wired, as far as its ports are concerned. */
export interface Ports {
  readonly plan: Plan
  readonly wired: { readonly listeners: { readonly ports: readonly string[] } }
}

export interface FoundPorts<G extends Ports> {
  readonly graph: G
  /** `node` or `node.port`, in the order of the graph */
  readonly keys: readonly string[]
}

/**
 * The ports by which events leave a node; for a sink, those by which they reach it.
 * @throws {EngineError} `NO_SUCH_PORT`
 */
export function findPorts<G extends Ports>(
  { pipeline, node: id, port }: PortRequest,
  graphs: readonly G[],
): FoundPorts<G> {
  const having = graphs.filter(
    ({ plan }) =>
      (pipeline === undefined || plan.name === pipeline) &&
      plan.nodes.some((node) => node.id === id),
  )
  const [graph, other] = having
  const name = [pipeline, id, port].filter((part) => part !== undefined).join('.')
  if (!graph) throw unknown(`there is no node ${name}`, graphs)
  if (other) throw unknown(`several pipelines have a node ${id}`, graphs)
  const keys = graph.wired.listeners.ports.filter((key) => isMeant(key, id, port, graph.plan))
  if (keys.length === 0) throw unknown(`nothing leaves or reaches ${name}`, graphs)
  return { graph, keys }
}

function isMeant(key: string, id: string, port: string | undefined, plan: Plan): boolean {
  const node = plan.nodes.find((one) => one.id === id)
  if (port !== undefined) return key === `${id}.${port}`
  if (node?.section === 'sinks') {
    return node.inputs.some((edge) => key === (edge.port ? `${edge.from}.${edge.port}` : edge.from))
  }
  return key === id || (key.startsWith(`${id}.`) && key !== `${id}.errors`)
}

function unknown(message: string, graphs: readonly Ports[]): EngineError {
  const names = graphs.flatMap(({ plan }) => plan.nodes.map(({ id }) => `${plan.name}.${id}`))
  return new EngineError('NO_SUCH_PORT', `${message}; the nodes are ${names.join(', ')}`)
}
