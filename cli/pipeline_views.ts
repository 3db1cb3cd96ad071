/** The pipelines of this host as a picture: how they are wired, and what they do. */
import { answerTo, connectControl } from '../engine/control_client.ts'
import { EngineError } from '../engine/errors.ts'
import type { Plan, PlanNode } from '../engine/plan.ts'
import type { RunStats } from '../engine/run_stats.ts'
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
    dead_letters: stats?.deadLetters ?? null,
    nodes: nodes.map((node) => {
      const {
        id: _id,
        type: _type,
        ...counters
      } = stats?.nodes.find((n) => n.id === node.id) ?? {
        id: '',
        type: '',
      }
      return {
        id: node.id,
        type: node.component.type,
        section: node.section,
        summary: node.component.summary,
        inputs: inputsOf(node),
        counters: stats ? counters : null,
      }
    }),
  }
}

const inputsOf = (node: PlanNode) =>
  node.section === 'sources'
    ? []
    : node.inputs.map(({ from, port }) => ({ from, port: port === '' ? null : port }))
