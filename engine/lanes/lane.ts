/** What runs in a thread beside the first: the same graph, on batches the first one hands over. */
import { liveClock } from '../clock.ts'
import { makeContext } from '../context.ts'
import type { NodeCounters } from '../counters.ts'
import type { Logger, Writer } from '../define.ts'
import { EngineError } from '../errors.ts'
import type { Event } from '../event.ts'
import type { Plan, PlanSink } from '../plan.ts'
import { type Wired, wire } from '../wire.ts'

/** What became of one batch. */
export interface LaneOutput {
  /** by sink: its events as the sink writes them */
  readonly sinks: Readonly<Record<string, Uint8Array>>
  /** events that no node could handle, each with its error */
  readonly deadLetters: readonly Event[]
  readonly counts: LaneCounts
}

/** What the nodes and edges counted meanwhile. */
export interface LaneCounts {
  readonly nodes: Readonly<Record<string, NodeCounts>>
  /** events sent, in the order of `Wired.edges` */
  readonly edges: readonly number[]
}

type NodeCounts = Omit<NodeCounters, 'queued' | 'retries' | 'reasons'> & {
  readonly reasons: Readonly<Record<string, number>>
}

const ADDED = ['in', 'out', 'filtered', 'deadLettered', 'errors', 'made'] as const

/** @returns what runs one batch after the other: the next may not begin before the last is done */
export function openLane(
  plan: Plan,
  log: Logger,
): (source: string, events: readonly Event[]) => Promise<LaneOutput> {
  const parts = new Map<string, Uint8Array[]>()
  let letters: Event[] = []
  let failure: unknown
  const wired = wire({
    plan,
    clock: liveClock,
    epoch: '',
    contextFor: (node, clock, counters) =>
      makeContext({
        pipeline: plan.name,
        node: node.id,
        clock,
        signal: new AbortController().signal,
        log,
        use: ({ name }) => Promise.reject(new EngineError('NO_RESOURCE', `${name} in a lane`)),
        counters,
      }),
    openSink: async (node) => encoder(node, parts),
    openDeadLetters: async () => ({
      write: async (events) => {
        letters.push(...events)
        return undefined
      },
    }),
    batchSize: plan.settings.batchSize,
    attempts: 1,
    pause: async () => undefined,
    log,
    giveUp: new AbortController().signal,
    onFatal: (error) => {
      failure ??= error
    },
  })
  return async (source, events) => {
    const inlet = wired.inlets.get(source)
    if (!inlet) throw new EngineError('NO_SUCH_SOURCE', `${plan.name} has no source ${source}`)
    inlet.send(events)
    await wired.flow.quiet()
    if (failure !== undefined || wired.flow.failed) {
      throw failure ?? new EngineError('LANE', 'a sink could not encode its events')
    }
    const sinks = Object.fromEntries([...parts].map(([id, all]) => [id, joined(all)]))
    parts.clear()
    const deadLetters = letters
    letters = []
    return { sinks, deadLetters, counts: takeCounts(wired) }
  }
}

function encoder({ id, component, config }: PlanSink, parts: Map<string, Uint8Array[]>): Writer {
  const encode = component.encode?.(config as never)
  if (!encode) throw new EngineError('LANE', `${component.type} does not encode`)
  return {
    async write(events) {
      const { bytes, refusals } = encode(events)
      parts.set(id, [...(parts.get(id) ?? []), bytes])
      return refusals
    },
  }
}

/** In a buffer of its own, which can be handed over. */
function joined(all: readonly Uint8Array[]): Uint8Array {
  const length = all.reduce((sum, { length }) => sum + length, 0)
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of all) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Takes what has been counted, so that the next batch counts from nothing. */
function takeCounts({ counters, edges, inlets }: Wired): LaneCounts {
  const nodes: Record<string, NodeCounts> = {}
  for (const [id, counted] of counters) {
    if (!inlets.has(id)) {
      const { lastTime, reasons } = counted
      const added = Object.fromEntries(ADDED.map((name) => [name, counted[name]]))
      nodes[id] = { ...added, lastTime, reasons: Object.fromEntries(reasons) } as NodeCounts
    }
    for (const name of ADDED) counted[name] = 0
    counted.reasons.clear()
  }
  const sent = edges.map((edge) => edge.sent)
  for (const edge of edges) edge.sent = 0
  return { nodes, edges: sent }
}

/** Adds what a lane has counted to the counters of the first thread. */
export function addCounts(
  { nodes, edges }: LaneCounts,
  to: Pick<Wired, 'counters' | 'edges'>,
): void {
  for (const [id, counted] of Object.entries(nodes)) {
    const counters = to.counters.get(id)
    if (!counters) continue
    for (const name of ADDED) counters[name] += counted[name]
    if (counted.lastTime > 0) counters.lastTime = counted.lastTime
    for (const [reason, by] of Object.entries(counted.reasons)) {
      counters.reasons.set(reason, (counters.reasons.get(reason) ?? 0) + by)
    }
  }
  edges.forEach((sent, index) => {
    const edge = to.edges[index]
    if (edge) edge.sent += sent
  })
}
