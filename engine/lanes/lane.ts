/** What runs in a thread beside the first: the same graph, on batches the first one hands over. */
import { liveClock } from '../clock.ts'
import { makeContext } from '../context.ts'
import type { EdgeCounters, NodeCounters } from '../counters.ts'
import type { Logger, Writer } from '../define.ts'
import { EngineError } from '../errors.ts'
import type { Event } from '../event.ts'
import type { NumberedLines } from '../inlet.ts'
import { type LineReader, readSome } from '../line_block.ts'
import type { Plan, PlanSink } from '../plan.ts'
import { type Wired, wire } from '../wire.ts'
import { GrowingBytes } from './growing_bytes.ts'
import { release } from './release.ts'

/** What became of one batch. */
export interface LaneOutput {
  /** by sink: its events as the sink writes them */
  readonly sinks: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
  /** events that no node could handle, each with its error */
  readonly deadLetters: readonly Event[]
  readonly counts: LaneCounts
  /** of the source, as far as lines that were read here tell, ms */
  readonly watermark: number
}

/** Lines to be read, or what has been made of them. */
export type LaneInput = NumberedLines | readonly Event[]

/** What the nodes and edges counted meanwhile. */
export interface LaneCounts {
  readonly nodes: Readonly<Record<string, NodeCounts>>
  /** in the order of `Wired.edges` */
  readonly edges: readonly EdgeCounts[]
}

type EdgeCounts = Pick<EdgeCounters, 'sent' | 'lastTime' | 'lastAt'>

type NodeCounts = Omit<NodeCounters, 'queued' | 'retries' | 'reasons'> & {
  readonly reasons: Readonly<Record<string, number>>
}

/** Of a long batch not all events are there at once: the collector passes over what is dead by then. */
const LINES_AT_ONCE = 64

const ADDED = ['in', 'out', 'filtered', 'deadLettered', 'errors', 'made'] as const

/** @returns what runs one batch after the other: the next may not begin before the last is done */
export function openLane(
  plan: Plan,
  log: Logger,
): (source: string, input: LaneInput) => Promise<LaneOutput> {
  const readers = lineReaders(plan)
  const made = new Map<string, GrowingBytes>()
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
    openSink: async (node) => encoder(node, made),
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
  return async (source, input) => {
    const inlet = wired.inlets.get(source)
    if (!inlet) throw new EngineError('NO_SUCH_SOURCE', `${plan.name} has no source ${source}`)
    const isRead = !('ends' in input)
    if (isRead) inlet.send(input)
    else {
      inlet.number(input)
      for (const items of readSome(input, LINES_AT_ONCE, readers.get(source) as LineReader)) {
        inlet.send(items, new Array<number>(items.length).fill(input.arrival))
        await wired.flow.quiet()
      }
      release(input.bytes)
    }
    await wired.flow.quiet()
    if (failure !== undefined || wired.flow.failed) {
      throw failure ?? new EngineError('LANE', 'a sink could not encode its events')
    }
    const sinks: Record<string, Uint8Array<ArrayBuffer>> = {}
    for (const [id, bytes] of made) sinks[id] = bytes.take()
    const deadLetters = letters
    letters = []
    const { watermark } = inlet
    return { sinks, deadLetters, counts: takeCounts(wired, isRead), watermark }
  }
}

/** By source: what makes an event of a line. */
const lineReaders = ({ nodes }: Plan): ReadonlyMap<string, LineReader> =>
  new Map(
    nodes
      .filter((node) => node.section === 'sources')
      .map(({ id, component, config }) => [
        id,
        (line, receivedAt) => component.fromLine(line, receivedAt, config as never, false),
      ]),
  )

function encoder({ id, component, config }: PlanSink, made: Map<string, GrowingBytes>): Writer {
  const encode = component.encode?.(config as never)
  if (!encode) throw new EngineError('LANE', `${component.type} does not encode`)
  const bytes = new GrowingBytes()
  made.set(id, bytes)
  return {
    async write(events) {
      const encoded = encode(events, bytes.room)
      bytes.add(encoded.bytes)
      return encoded.refusals
    },
  }
}

/**
 * Takes what has been counted, so that the next batch counts from nothing.
 * @param isRead what came in was counted where it was read, and not here
 */
function takeCounts({ counters, edges, inlets }: Wired, isRead: boolean): LaneCounts {
  const nodes: Record<string, NodeCounts> = {}
  for (const [id, counted] of counters) {
    if (!(isRead && inlets.has(id))) {
      const { lastTime, reasons } = counted
      const added = Object.fromEntries(ADDED.map((name) => [name, counted[name]]))
      nodes[id] = { ...added, lastTime, reasons: Object.fromEntries(reasons) } as NodeCounts
    }
    for (const name of ADDED) counted[name] = 0
    counted.reasons.clear()
  }
  const passed = edges.map(({ sent, lastTime, lastAt }) => ({ sent, lastTime, lastAt }))
  for (const edge of edges) edge.sent = 0
  return { nodes, edges: passed }
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
  edges.forEach(({ sent, lastTime, lastAt }, index) => {
    const edge = to.edges[index]
    if (!edge || sent === 0) return
    edge.sent += sent
    edge.lastTime = lastTime
    edge.lastAt = lastAt
  })
}
