/** Compares what two replays left in their directories: where they part, and what came of it. */
import type { Event } from '../event.ts'
import { type LoggedRun, loggedRuns } from './edge_log_head.ts'
import { type FieldChange, fieldChanges } from './field_changes.ts'
import { findEvent } from './find_event.ts'
import { joinTwins } from './pairs.ts'
import { type Fate, type PartedEvent, partedEvent } from './parted_event.ts'
import { areDifferent, type ComparedNode, compareNodes, firstParting } from './parting.ts'
import { deadLetterFile, runFiles, sinkFile } from './run_files.ts'
import { type SinkChanges, type SinkFiles, sinkChanges } from './sink_changes.ts'

/** The event at which two runs part, as far as it can be shown. */
export interface ShownParting extends PartedEvent {
  /** The node itself, or the next after it, where only one run has the node. */
  readonly node: string
  /** What changed, where the node handed it on in both and both can be read back. */
  readonly fields: readonly FieldChange[]
  /** `CODE: message` where it left by the error port of that run and can be read back. */
  readonly errorA?: string
  readonly errorB?: string
}

/** One pipeline of run A beside the one of run B that stands for it. */
export interface PipelineDiff {
  readonly pipeline: string
  /** its name in run B, where that is another */
  readonly pipelineB: string | undefined
  readonly different: boolean
  /** the first node at which they part */
  readonly parting: (ComparedNode & { readonly event: ShownParting | undefined }) | undefined
  /** every node that is not the same, in topological order */
  readonly nodes: readonly ComparedNode[]
  readonly sinks: readonly SinkChanges[]
}

export interface RunDiff {
  readonly a: string
  readonly b: string
  readonly different: boolean
  readonly pipelines: readonly PipelineDiff[]
  /** pipelines the other run does not have */
  readonly onlyA: readonly string[]
  readonly onlyB: readonly string[]
}

/**
 * @param a directory of a finished replay @param b another
 * @param most events shown of each kind and sink
 * @throws {EngineError} `NOT_A_REPLAY`, `EDGE_LOG` or `SINK_FILE` when one cannot be compared
 */
export async function diffRuns(a: string, b: string, most: number): Promise<RunDiff> {
  const { pairs, onlyA, onlyB } = joinTwins(loggedRuns(a), loggedRuns(b))
  const pipelines: PipelineDiff[] = []
  for (const [one, other] of pairs) pipelines.push(await diffPipelines(one, other, most))
  const different = pipelines.some((pipeline) => pipeline.different)
  return {
    a,
    b,
    different: different || onlyA.length + onlyB.length > 0,
    pipelines,
    onlyA,
    onlyB,
  }
}

async function diffPipelines(a: LoggedRun, b: LoggedRun, most: number): Promise<PipelineDiff> {
  const compared = compareNodes(a, b)
  const sinks: SinkChanges[] = []
  for (const files of sinksOf(compared, a, b)) {
    const changes = await sinkChanges(files, most)
    if (changes) sinks.push(changes)
  }
  const different = areDifferent(compared) || sinks.length > 0
  const first = different ? firstParting(compared) : undefined
  const [pipeline, pipelineB] = [a.head.pipeline, b.head.pipeline]
  return {
    pipeline,
    pipelineB: pipelineB === pipeline ? undefined : pipelineB,
    different,
    parting: first && { ...first, event: await shownParting(compared, first, a, b) },
    nodes: compared.filter(({ verdict }) => verdict !== 'same'),
    sinks,
  }
}

function sinksOf(nodes: readonly ComparedNode[], a: LoggedRun, b: LoggedRun): SinkFiles[] {
  const sinks = nodes.filter(({ node }) => node.section === 'sinks').map(({ node }) => node.id)
  return [
    ...sinks.map((sink) => ({ sink, a: sinkFile(a, sink), b: sinkFile(b, sink) })),
    { sink: 'dead_letters', a: deadLetterFile(a), b: deadLetterFile(b) },
  ]
}

async function shownParting(
  nodes: readonly ComparedNode[],
  first: ComparedNode,
  a: LoggedRun,
  b: LoggedRun,
): Promise<ShownParting | undefined> {
  // A node of one run alone has nothing to compare; what reads it has.
  const compared = nodes
    .slice(nodes.indexOf(first))
    .find(({ verdict, ports }) => ports.length > 0 && !verdict.startsWith('only_'))
  const event = compared && (await partedEvent(compared, a, b))
  if (!event) return undefined
  const before = await handedOn(a, event.a)
  const after = await handedOn(b, event.b)
  const [errorA, errorB] = [await errorOf(a, event.a), await errorOf(b, event.b)]
  return {
    ...event,
    node: compared.node.id,
    id: (before ?? after)?.id ?? event.id,
    fields: before && after ? fieldChanges(before, after) : [],
    ...(errorA !== undefined && { errorA }),
    ...(errorB !== undefined && { errorB }),
  }
}

async function handedOn(run: LoggedRun, fates: readonly Fate[]): Promise<Event | undefined> {
  const fate = fates.find(({ port }) => port !== 'errors')
  return fate && (await findEvent(runFiles(run), fate.digest))
}

async function errorOf(run: LoggedRun, fates: readonly Fate[]): Promise<string | undefined> {
  const fate = fates.find(({ port }) => port === 'errors')
  const event = fate && (await findEvent(runFiles(run), fate.digest))
  return event && `${event.data.code}: ${event.data.message}`
}
