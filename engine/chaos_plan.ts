/** A pipeline with its surroundings replaced, so that it can be killed and nobody else notices. */
import { closeSync, existsSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { eventLines } from '../protocols/event_json.ts'
import type { CaptureTarget } from './capture_target.ts'
import type { CaptureFeeds } from './chaos_feed.ts'
import { mayResume, pathPromises } from './compile/promises.ts'
import { type AnySink, type AnySource, defineSink, defineSource } from './define.ts'
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
    targets: readonly CaptureTarget[]
    feeds: CaptureFeeds
    sinkDir: string
    batchSize: number
  },
): Rigged {
  const { targets, feeds, sinkDir, batchSize } = rig
  const nodes = plan.nodes.map((node): PlanNode => {
    if (node.section === 'sources') {
      const feed = targets.findIndex(({ source }) => source.id === node.id)
      if (feed < 0) return node.component.internal ? node : { ...node, component: silent(node) }
      const component = feeds.source(node.component, feed)
      // A journal reads ahead, which would leave the order of several sources to chance.
      const { journal, ...rest } = node
      return { ...rest, component, ...(journal && targets.length === 1 && { journal }) }
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

/** One that is made of time alone has nothing that could be read again. */
const silent = ({ component }: PlanSource): AnySource =>
  defineSource({ ...component, replayable: true, async *read() {} })

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
