/** The shipped pipelines from log lines to campaigns, replayed in this process. */
import { readFileSync } from 'node:fs'
import { busResource } from '../../bus/bus.ts'
import { memoryBus } from '../../bus/memory_bus.ts'
import { registry } from '../../cli/registry.ts'
import type { CaptureRequest } from '../../engine/capture_target.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { type ResourceUse, silentLog } from '../../engine/context.ts'
import type { Plan } from '../../engine/plan.ts'
import { replay } from '../../engine/replay.ts'
import { type Database, database } from '../../store/database.ts'

const root = new URL('../../', import.meta.url)
export const sample = new URL('samples/decnet.log.gz', root).pathname
export const CHAIN = ['ingest', 'reuse-correlator', 'profiler', 'clusterer', 'campaign-clusterer']

function planOf(name: string): Plan {
  const text = readFileSync(new URL(`pipelines/${name}.yaml`, root), 'utf8')
  const { plan } = compilePipeline(text, `${name}.yaml`, { registry, env: {} })
  if (!plan) throw new Error(`${name} does not compile`)
  return plan
}

interface ReplayOptions {
  readonly batchSize?: number
  readonly open?: Database
  readonly captures?: readonly CaptureRequest[]
}

export async function replayed(
  names: readonly string[],
  sinkDir: string | undefined,
  { batchSize = 512, open, captures = [{ file: sample }] }: ReplayOptions,
) {
  const bus = memoryBus()
  const use: ResourceUse = async ({ name }) => {
    if (name === busResource.name) return bus as never
    if (name === database.name && open) return open as never
    throw new Error(`no ${name}`)
  }
  const plans = names.map(planOf)
  const rest = { sinkDir, writeDatabase: open !== undefined, use, log: silentLog, batchSize }
  return replay({ plans, captures, ...rest })
}
