/** Runs the `tests:` block of a pipeline: what goes in, and what must come out where. */
import { isDeepStrictEqual } from 'node:util'
import { stopwatch } from './clock.ts'
import { toFailure } from './errors.ts'
import type { Event } from './event.ts'
import type { Plan, PlanTest, PlanTestStep, TestAct } from './plan.ts'
import { TestGraph } from './test_graph.ts'

/** Keys and indices from the root of the pipeline file. */
export type FilePath = readonly (string | number)[]

/** One thing that did not come out as expected. */
export interface Difference {
  /** `parsed[0].data.decky: expected "web-01", got "web-02"` */
  readonly message: string
  /** What stands in the file in its place. */
  readonly path: FilePath
}

/** What one `expect:` of a node or port got. */
export interface Observed {
  /** of the list of patterns */
  readonly path: FilePath
  readonly events: readonly Event[]
}

export interface TestResult {
  readonly name: string
  /** line of the case in the pipeline file */
  readonly line: number
  /** none: passed */
  readonly differences: readonly Difference[]
  readonly observed: readonly Observed[]
  /** host time it took, ms */
  readonly took: number
}

/**
 * Runs the cases of the plan, each on a fresh graph with muted sinks.
 * @param wanted those to run; default: all
 */
export async function runPipelineTests(
  plan: Plan,
  wanted: (test: PlanTest) => boolean = () => true,
): Promise<TestResult[]> {
  const results: TestResult[] = []
  for (const test of plan.tests.filter(wanted)) results.push(await runTest(plan, test))
  return results
}

async function runTest(plan: Plan, test: PlanTest): Promise<TestResult> {
  const started = stopwatch()
  const differences: Difference[] = []
  const observed: Observed[] = []
  const looked = test.steps.flatMap(({ expect, expectNone }) => [
    ...Object.keys(expect),
    ...expectNone,
  ])
  const graph = new TestGraph(plan, looked, test.answers)
  let path: FilePath = []
  try {
    for (const step of test.steps) {
      path = step.path
      for (const one of step.acts) await act(graph, one)
      differences.push(...(await look(graph, step, observed)))
    }
  } catch (error) {
    const { code, message } = toFailure(error)
    differences.push({ message: `the pipeline failed: ${code}: ${message}`, path })
  } finally {
    await graph.close()
  }
  const { name, line } = test
  return { name, line, differences, observed, took: stopwatch() - started }
}

async function act(graph: TestGraph, act: TestAct): Promise<void> {
  switch (act.does) {
    case 'send':
      return graph.send(act.source, act.items)
    case 'send_capture':
      return graph.sendCapture(act.source, act.file, act.limit)
    case 'advance':
      return graph.advance(act.by)
    case 'crash_and_restore':
      return graph.crashAndRestore()
  }
}

async function look(
  graph: TestGraph,
  { path, expect, expectNone, state }: PlanTestStep,
  observed: Observed[],
): Promise<Difference[]> {
  const differences: Difference[] = []
  for (const [port, patterns] of Object.entries(expect)) {
    const events = graph.take(port)
    const place = [...path, 'expect', port]
    observed.push({ path: place, events })
    differences.push(...compareEvents(port, patterns, events, place))
  }
  expectNone.forEach((port, index) => {
    const events = graph.take(port)
    if (events.length === 0) return
    const message = `${port}: expected no events, got ${events.length}, first ${shown(events[0])}`
    differences.push({ message, path: [...path, 'expect_none', index] })
  })
  for (const [node, keys] of Object.entries(state)) {
    const kept = await graph.state(node)
    for (const [key, pattern] of Object.entries(keys)) {
      const where = `${node}{${key}}`
      const actual = kept.has(key) ? kept.get(key) : null
      differences.push(...compare(pattern, actual, where, [...path, 'state', node, key]))
    }
  }
  return differences
}

function compareEvents(
  port: string,
  expected: readonly Record<string, unknown>[],
  actual: readonly Event[],
  path: FilePath,
): Difference[] {
  const differences: Difference[] = []
  if (expected.length !== actual.length) {
    const extra = actual[expected.length]
    const first = extra ? `; the first one more is ${shown(extra)}` : ''
    const message = `${port}: expected ${count(expected.length)}, got ${actual.length}${first}`
    differences.push({ message, path })
  }
  expected.forEach((pattern, index) => {
    const event = actual[index]
    const where = `${port}[${index}]`
    const place = [...path, index]
    if (event) differences.push(...compare(pattern, event, where, place))
    else
      differences.push({
        message: `${where}: expected ${shown(pattern)}, got nothing`,
        path: place,
      })
  })
  return differences
}

const count = (events: number): string => `${events} event${events === 1 ? '' : 's'}`

/** Objects match when every key that is asked for does; everything else must be equal. */
function compare(pattern: unknown, actual: unknown, where: string, path: FilePath): Difference[] {
  if (isObject(pattern) && isObject(actual)) {
    return Object.entries(pattern).flatMap(([key, value]) =>
      compare(value, actual[key], `${where}.${key}`, [...path, key]),
    )
  }
  if (isDeepStrictEqual(pattern, actual)) return []
  return [{ message: `${where}: expected ${shown(pattern)}, got ${shown(actual)}`, path }]
}

/** Characters of a value that a message shows: the part that differs is named before it. */
const MOST_SHOWN = 400

function shown(value: unknown): string {
  const json = value === undefined ? 'nothing' : JSON.stringify(value)
  // What an event holds is from outside, and JSON escapes only some of what a terminal obeys.
  const text = json.replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text
}

/** @returns a sentence for each part of `actual` that does not match */
export const mismatches = (pattern: unknown, actual: unknown, where: string): string[] =>
  compare(pattern, actual, where, []).map(({ message }) => message)

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
