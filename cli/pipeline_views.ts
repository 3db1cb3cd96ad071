/** The pipelines of this host as a picture: how they are wired, and what they do. */
import { answerTo, connectControl } from '../engine/control_client.ts'
import type { EdgeStats } from '../engine/edge_stats.ts'
import { EngineError } from '../engine/errors.ts'
import type { Plan, PlanNode } from '../engine/plan.ts'
import { portKey } from '../engine/plan_edges.ts'
import type { NodeStats, RunStats } from '../engine/run_stats.ts'
import type { PipelineView } from '../web/api/services.ts'
import { checkFile } from './load_plans.ts'
import { allPipelines } from './pipeline_files.ts'

/** Pipelines that are shown. */
const MOST = 64

/** Files are read anew, for they change; those with errors are left out. */
export async function pipelineViews(stateDir: string): Promise<readonly PipelineView[]> {
  const files = [...allPipelines().values()].slice(0, MOST)
  const plans = files.flatMap((file) => checkFile(file).plan ?? [])
  return Promise.all(plans.map(async (plan) => viewOf(plan, await statsOf(stateDir, plan.name))))
}

async function statsOf(stateDir: string, pipeline: string): Promise<RunStats | undefined> {
  try {
    const client = await connectControl(stateDir, pipeline)
    if (!client) return undefined
    try {
      const answer = await answerTo(client, { op: 'stats' })
      return 'stats' in answer ? answer.stats : undefined
    } finally {
      client.close()
    }
  } catch (error) {
    // It ended while it was asked, or belongs to somebody else: as good as not running.
    if (error instanceof EngineError) return undefined
    throw error
  }
}

function viewOf({ name, description, nodes }: Plan, stats: RunStats | undefined): PipelineView {
  return {
    name,
    description,
    running: stats !== undefined,
    clock: stats?.clock ?? null,
    in_flight: stats?.inFlight ?? null,
    credit: stats?.credit ?? null,
    dead_letters: stats?.deadLetters ?? null,
    nodes: nodes.map((node) => ({
      id: node.id,
      type: node.component.type,
      section: node.section,
      summary: node.component.summary,
      inputs: inputsOf(node, stats?.edges ?? []),
      counters: nodeCounters(stats?.nodes.find(({ id }) => id === node.id)),
    })),
  }
}

type NodeView = PipelineView['nodes'][number]

/** @returns null for a node that the running pipeline has not: its file was edited since */
function nodeCounters(stats: NodeStats | undefined): NodeView['counters'] {
  if (!stats) return null
  const { id: _id, type: _type, deadLettered, ...counters } = stats
  return { ...counters, dead_lettered: deadLettered }
}

function inputsOf(node: PlanNode, edges: readonly EdgeStats[]): NodeView['inputs'] {
  if (node.section === 'sources') return []
  const into = edges.filter(({ to }) => to === node.id)
  return node.inputs.map((edge) => {
    const { from, port, policy, capacity } = edge
    // Two edges between the same ports are told apart by their order.
    const at = into.findIndex((one) => one.from === portKey(from, port))
    const [stats] = at < 0 ? [] : into.splice(at, 1)
    return {
      from,
      port: port === '' ? null : port,
      policy,
      capacity: policy === 'block' ? null : capacity,
      counters: edgeCounters(stats),
    }
  })
}

function edgeCounters(stats: EdgeStats | undefined): NodeView['inputs'][number]['counters'] {
  if (!stats) return null
  const { from: _from, to: _to, policy: _policy, capacity: _capacity, ...counters } = stats
  return counters
}
