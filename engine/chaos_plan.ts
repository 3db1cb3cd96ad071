/** A pipeline with its surroundings replaced, so that it can be killed and nobody else notices. */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { eventLines } from '../protocols/event_json.ts'
import type { CaptureFeeds } from './chaos_feed.ts'
import { mayResume, pathPromises } from './compile/promises.ts'
import { type AnySink, defineSink, defineSource } from './define.ts'
import type { Plan, PlanNode, PlanSink, PlanSource } from './plan.ts'

/** Batches in flight at once: more than one, so that a kill finds some unfinished. */
const BATCHES_IN_FLIGHT = 4
/** Checkpoints come by number of batches, not by time; this one never comes, ms. */
const NEVER = 2 ** 31 - 1

export interface Rigged {
  readonly plan: Plan
  /** sinks that may get an event again after a crash, and say so */
  readonly repeating: readonly string[]
}

/**
 * @param sinkDir gets `<sink>.ndjson` for every sink but those that write to the database; those
 *   that write files of their own are given that name, the others are stood in for
 */
export function rigPlan(
  plan: Plan,
  rig: {
    /** sources in the order of their feeds */
    fed: readonly PlanSource[]
    feeds: CaptureFeeds
    sinkDir: string
    batchSize: number
  },
): Rigged {
  const { fed, feeds, sinkDir, batchSize } = rig
  // After a crash nothing tells what came between two entries of a journal: one order holds for all
  // sources only where all are in it.
  const journal = fed.some((source) => source.journal) && { journal: true as const }
  const nodes = plan.nodes.map((node): PlanNode => {
    if (node.section === 'sources') {
      const feed = fed.findIndex(({ id }) => id === node.id)
      if (feed < 0) return node.component.follows ? silenced(node) : node
      return { ...node, component: feeds.source(node.component, feed), ...journal }
    }
    // What an edge drops depends on how fast the machine is: here it waits.
    const inputs = node.inputs.map((edge) => ({ ...edge, policy: 'block' as const }))
    if (node.section === 'operators') return { ...node, inputs }
    return rigSink({ ...node, inputs }, join(sinkDir, `${node.id}.ndjson`))
  })
  const rigged: Plan = {
    ...plan,
    nodes,
    promises: pathPromises(nodes),
    settings: {
      ...plan.settings,
      batchSize,
      credit: BATCHES_IN_FLIGHT * batchSize,
      checkpointInterval: NEVER,
      metricsListen: undefined,
    },
  }
  const repeating = nodes.filter(
    (node) =>
      node.section === 'sinks' &&
      node.component.effect !== 'exactly_once' &&
      !mayResume(rigged, node.id),
  )
  return { plan: rigged, repeating: repeating.map(({ id }) => id) }
}

/** Without a capture, a source that follows others' rows has none here. */
const silenced = (node: PlanSource): PlanSource => ({
  ...node,
  component: defineSource({
    ...node.component,
    replayable: true,
    // biome-ignore lint/correctness/useYield: it ends at once
    async *read() {
      return
    },
  }),
})

function rigSink(node: PlanSink, path: string): PlanSink {
  const { component, config } = node
  if (component.writesDatabase) return node
  const { pathField } = component
  if (pathField !== undefined) return { ...node, config: { ...config, [pathField]: path } }
  return { ...node, component: recorder(component, path) }
}

/** Writes down what a sink without contents of its own was given, e.g. one that sends messages. */
function recorder(component: AnySink, path: string): AnySink {
  return defineSink({
    ...component,
    effect: 'at_least_once',
    resumes: false,
    open: () => {
      const file = openRecord(path)
      return {
        async write(events) {
          const { text, refusals } = eventLines(events)
          writeSync(file, text)
          return refusals
        },
        close: async () => closeSync(file),
      }
    },
  })
}

/** A kill in the middle of a write leaves half a line. */
function openRecord(path: string): number {
  const whole = existsSync(path) ? readFileSync(path).lastIndexOf('\n') + 1 : 0
  const file = openSync(path, 'a')
  ftruncateSync(file, whole)
  return file
}
