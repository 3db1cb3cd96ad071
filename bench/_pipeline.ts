/** Runs a pipeline of YAML inside a benchmark's own process, with a source that costs nothing. */
import { Type } from 'typebox'
import { registry } from '../cli/registry.ts'
import { compilePipeline } from '../engine/compile.ts'
import { defineSource, makeRegistry, type Resource } from '../engine/define.ts'
import type { Draft } from '../engine/index.ts'
import { startPipelines } from '../engine/run.ts'

const CHUNK = 512
let held: readonly Draft[] = []

/** Hands out what `runPipeline` was given: like a journal that is in memory already. */
const memory = defineSource({
  type: 'memory',
  summary: 'Events that are in memory already.',
  promise: 'Replayable: the position is the index of the next event.',
  config: Type.Object({}),
  examples: [],
  replayable: true,
  async *read(_config, position: { next: number } = { next: 0 }) {
    for (let next = position.next; next < held.length; next += CHUNK) {
      yield { events: held.slice(next, next + CHUNK), position: { next: next + CHUNK } }
    }
  },
  fromLine: (line, time) => ({ topic: 'line', time, data: { line } }),
})

const components = makeRegistry([...registry.values(), memory])

const silent = () => undefined
const log = { debug: silent, info: silent, warn: silent, error: silent }

interface BenchRun {
  readonly yaml: string
  readonly stateDir: string
  /** what the source `memory` gives */
  readonly events?: readonly Draft[]
  readonly resources?: Readonly<Record<string, unknown>>
}

/** Runs until all sources have ended. @returns ms from start to the last checkpoint, and counts */
export async function runPipeline({ yaml, stateDir, events = [], resources = {} }: BenchRun) {
  const { plan, problems } = compilePipeline(yaml, 'bench.yaml', { registry: components, env: {} })
  if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'))
  held = events
  const use = async <T>({ name }: Resource<T>) => resources[name] as T
  const started = performance.now()
  const running = await startPipelines({ plans: [plan], stateDir, use, log })
  const { outcome, error, pipelines } = await running.done
  const elapsed = performance.now() - started
  if (outcome !== 'completed') throw error
  held = []
  return { elapsed, nodes: pipelines[plan.name]?.nodes ?? {} }
}
