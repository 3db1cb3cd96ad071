/** What each way from a source to a sink guarantees. */
import type { PathPromise, Plan, PlanEdge, PlanNode, PlanSink, PlanSource } from '../plan.ts'
import type { GraphNode } from './graph.ts'
import { nameOf } from './graph_check.ts'
import type { Problems } from './source_text.ts'

/** `replayable` may depend on the config, e.g. on whether a file is followed. */
function isReplayable({
  component,
  config,
  journal,
}: Pick<PlanSource, 'component' | 'config' | 'journal'>): boolean {
  const { replayable } = component
  if (journal) return true
  return typeof replayable === 'function' ? replayable(config) : replayable
}

/**
 * One promise for every pair of a source and a sink it reaches; of several ways between the two the
 * worst counts. In the order of the sources, then of the sinks.
 * @param nodes in flow order
 */
export function pathPromises(nodes: readonly PlanNode[]): PathPromise[] {
  const sources = nodes.filter((node) => node.section === 'sources')
  const promises = sources.flatMap((source) => {
    const reached = reachedFrom(source, nodes)
    const sinks = nodes.filter((node) => node.section === 'sinks' && reached.has(node.id))
    return sinks.map((sink) => promiseOf(source, sink as PlanSink, reached.get(sink.id)))
  })
  return withResuming(promises, nodes)
}

/** A sink that takes back what a checkpoint does not cover needs every way into it to be safe. */
function withResuming(promises: readonly PathPromise[], nodes: readonly PlanNode[]): PathPromise[] {
  return promises.map((path) => {
    const sink = nodes.find(({ id }) => id === path.sink) as PlanSink
    const ways = promises.filter((other) => other.sink === path.sink)
    if (!sink.component.resumes) return path
    if (path.promise === 'at_most_once') return path
    const lossy = ways.find(({ promise }) => promise === 'at_most_once')
    if (lossy !== undefined) {
      const why = `${path.why}; what comes from ${lossy.source} forbids to take it back`
      return { ...path, why }
    }
    const why = `after a crash ${sink.component.type} is cut back to the checkpoint, and what followed is read again`
    return { ...path, promise: 'exactly_once', why }
  })
}

/** Whether the sink may be given back a position: see `SinkDefinition.resumes`. */
export function mayResume({ nodes, promises }: Pick<Plan, 'nodes' | 'promises'>, id: string) {
  const sink = nodes.find((node) => node.id === id)
  if (sink?.section !== 'sinks' || !sink.component.resumes) return false
  const ways = promises.filter((path) => path.sink === id)
  return ways.length > 0 && ways.every(({ promise }) => promise === 'exactly_once')
}

/** An edge that may drop, and who reads it. */
interface Drop {
  readonly edge: PlanEdge
  readonly reader: string
}

/** The nodes events of `source` can get to, each with an edge on the way that may drop them. */
function reachedFrom(
  source: PlanSource,
  nodes: readonly PlanNode[],
): ReadonlyMap<string, Drop | undefined> {
  const reached = new Map<string, Drop | undefined>([[source.id, undefined]])
  for (const node of nodes) {
    if (node.section === 'sources') continue
    const edges = node.inputs.filter((edge) => reached.has(edge.from))
    if (edges.length === 0) continue
    const drops = edges.map((edge) =>
      edge.policy === 'block' ? reached.get(edge.from) : { edge, reader: node.id },
    )
    reached.set(
      node.id,
      drops.find((drop) => drop !== undefined),
    )
  }
  return reached
}

function promiseOf(source: PlanSource, sink: PlanSink, drop: Drop | undefined): PathPromise {
  const ends = { source: source.id, sink: sink.id }
  if (!isReplayable(source)) {
    const why = `${source.component.type} cannot be read again: a crash loses what is in flight`
    return { ...ends, promise: 'at_most_once', why }
  }
  if (drop !== undefined) {
    const { edge, reader } = drop
    const which = edge.policy === 'drop_oldest' ? 'oldest' : 'newest'
    const why = `the edge ${edge.from} -> ${reader} drops the ${which} events when it is full`
    return { ...ends, promise: 'at_most_once', why }
  }
  const { type } = sink.component
  const effect = sink.component.effectHere?.() ?? sink.component.effect
  const again = source.journal ? 'is read again from the journal' : 'is read again'
  const why = {
    exactly_once: `${source.component.type} ${again} after a crash, and a repeat changes nothing in ${type}`,
    at_least_once: `${source.component.type} ${again} after a crash, which can repeat events in ${type}`,
    at_most_once: `${type} does not wait for its events to be safe`,
  }[effect]
  return { ...ends, promise: effect, why }
}

/**
 * Warns where a crash loses what was in flight. What only wakes others carries nothing that could be
 * lost: they look again when they start. What is only shown live is told of as missing.
 */
export function warnOfLoss(node: GraphNode, nodes: readonly GraphNode[], problems: Problems): void {
  if (node.component?.section !== 'sources' || node.read === undefined) return
  const readers = nodes.filter(({ inputs }) => inputs.some(({ from }) => from === node.id))
  const isShownLive = ({ component }: GraphNode) =>
    component?.section === 'sinks' && component.showsLive === true
  if (readers.length > 0 && readers.every(isShownLive)) return
  const wakes = nodes.some((other) => other.wakes?.some(({ from }) => from === node.id))
  if (wakes && readers.length === 0) return
  const { config, journal } = node.read
  if (isReplayable({ component: node.component, config, ...(journal && { journal }) })) return
  const message = `${nameOf(node)} cannot be read again: a crash loses what is in flight`
  problems.warning('NOT_REPLAYABLE', node.span, message, {
    help: 'where that matters, give it "journal: true": then it is safe once it has been read.',
  })
}
