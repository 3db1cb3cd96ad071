/** Runs the `tests:` block of a pipeline: what goes in, and what must come out where. */
import { isDeepStrictEqual } from 'node:util'
import type { Batch } from './batch.ts'
import type { ResourceUse } from './context.ts'
import { silentLog } from './context.ts'
import type { Reject } from './define.ts'
import { EngineError } from './errors.ts'
import type { Draft, Event } from './event.ts'
import type { Plan, PlanSource, PlanTest } from './plan.ts'
import { ReplayGraph } from './replay_graph.ts'
import { mutedWriter } from './replay_outputs.ts'

export interface TestResult {
  readonly name: string
  /** line of the case in the pipeline file */
  readonly line: number
  /** what differs, a sentence each; none: passed */
  readonly differences: readonly string[]
}

/** Time of a test's first event where it tells none: 2026-03-01T09:00:00Z, ms. */
const START = 1_772_355_600_000

const noResource: ResourceUse = ({ name }) =>
  Promise.reject(new EngineError('NO_RESOURCE', `tests run without ${name}`))

/** Runs every case of the plan, each on a fresh graph with muted sinks. */
export async function runPipelineTests(plan: Plan): Promise<TestResult[]> {
  const results: TestResult[] = []
  for (const test of plan.tests) results.push(await runTest(plan, test))
  return results
}

async function runTest(plan: Plan, test: PlanTest): Promise<TestResult> {
  const seen = new Map<string, Event[]>(Object.keys(test.expect).map((port) => [port, []]))
  // A sink has no output of its own: what is expected of it is what reaches it.
  const sinks = new Set(plan.nodes.flatMap(({ id, section }) => (section === 'sinks' ? [id] : [])))
  const graph = new ReplayGraph({
    plan,
    startTime: START,
    batchSize: plan.settings.batchSize,
    use: noResource,
    log: silentLog,
    openSink: async ({ id }) => ({
      async write(events) {
        if (sinks.has(id)) seen.get(id)?.push(...events)
        return undefined
      },
    }),
    deadLetters: mutedWriter,
    taps: new Map(
      [...seen].map(([port, events]) => [
        port,
        (batch: Batch) => void events.push(...batch.events),
      ]),
    ),
  })
  for (const [source, items] of Object.entries(test.send)) {
    const node = plan.nodes.find(({ id }) => id === source) as PlanSource
    graph.wired.inlets.get(source)?.send(items.map((item) => asDraft(item, node)))
    await graph.wired.flow.quiet()
    graph.check()
  }
  await graph.close()
  const differences = Object.entries(test.expect).flatMap(([port, expected]) =>
    compare(port, expected, seen.get(port) ?? []),
  )
  return { name: test.name, line: test.line, differences }
}

function asDraft(item: unknown, { component, config }: PlanSource): Draft | Reject {
  if (typeof item === 'string') return component.fromLine(item, START, config as never)
  const { topic = 'test', time = START, data = {} } = item as Partial<Draft>
  return { topic, time, data }
}

function compare(
  port: string,
  expected: readonly Record<string, unknown>[],
  actual: readonly Event[],
): string[] {
  const differences: string[] = []
  if (expected.length !== actual.length) {
    differences.push(`${port}: expected ${expected.length} events, got ${actual.length}`)
  }
  expected.forEach((pattern, index) => {
    const event = actual[index]
    const where = `${port}[${index}]`
    if (!event) differences.push(`${where}: expected ${JSON.stringify(pattern)}, got nothing`)
    else differences.push(...mismatches(pattern, event, where))
  })
  return differences
}

/** Objects match when every key that is asked for does; everything else must be equal. */
export function mismatches(pattern: unknown, actual: unknown, where: string): string[] {
  if (isObject(pattern) && isObject(actual)) {
    return Object.entries(pattern).flatMap(([key, value]) =>
      mismatches(value, actual[key], `${where}.${key}`),
    )
  }
  if (isDeepStrictEqual(pattern, actual)) return []
  return [`${where}: expected ${JSON.stringify(pattern)}, got ${JSON.stringify(actual)}`]
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
