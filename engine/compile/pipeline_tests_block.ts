/** The `tests:` block: what the pipeline makes of some input. */
import { type Static, Type } from 'typebox'
import { quote } from '../../protocols/quote.ts'
import { duration } from '../fields.ts'
import type { Span } from '../problem.ts'
import type { GraphNode } from './graph.ts'
import { checkPort } from './graph_check.ts'
import { listOf, suggestion } from './near_miss.ts'
import { isAsking, isKeyed } from './node_shape.ts'
import { AS_WRITTEN } from './shape.ts'
import type { Problems } from './source_text.ts'
import type { Entry, Mapping, Tree } from './tree.ts'

const data = Type.Record(Type.String(), Type.Unknown(), { description: 'Fields of the event.' })
const topic = Type.Optional(Type.String({ minLength: 1, description: 'Topic of the event.' }))
const time = Type.Optional(Type.Number({ description: 'Event time, ms since the epoch.' }))

const capturedFile = Type.String({
  minLength: 1,
  description: 'Captured file or journal, from the folder of this one.',
})
const capturedPart = {
  file: capturedFile,
  limit: Type.Optional(
    Type.Integer({ minimum: 1, description: 'Events taken, from the start of the file.' }),
  ),
}

/** What a step can hold: it acts in the order written, then it looks. */
const stepFields = {
  send: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Array(
        Type.Union([
          Type.String({ description: 'A line, as the source would read it from a capture.' }),
          Type.Object({ topic, time, data }),
        ]),
      ),
      { description: 'What each source delivers, in order, by source id.' },
    ),
  ),
  from_capture: Type.Optional(
    Type.Union([
      Type.String({
        minLength: 1,
        description:
          'Journal that feeds each source with what was its own, or captured file for the only source.',
      }),
      Type.Record(Type.String(), Type.Union([capturedFile, Type.Object(capturedPart)]), {
        description: 'Captured input, plain, gzip or zstd, or a journal, by source id.',
      }),
    ]),
  ),
  advance: Type.Optional(
    duration({ description: 'Event time that passes for all nodes; timers that are due fire.' }),
  ),
  crash_and_restore: Type.Optional(
    Type.Boolean({
      description: 'Write a checkpoint, throw the pipeline away, and restore it from there.',
    }),
  ),
  expect: Type.Optional(
    Type.Record(
      Type.String(),
      Type.Array(
        Type.Object({
          id: Type.Optional(Type.String({ description: 'Id of the event.' })),
          topic,
          time,
          data: Type.Optional(data),
        }),
      ),
      {
        description:
          'All events out of a node or a port since it was last looked at, in order, each in part.',
      },
    ),
  ),
  expect_none: Type.Optional(
    Type.Array(Type.String({ minLength: 1, description: 'A node or a port.' }), {
      description: 'Nodes and ports out of which nothing has come since they were last looked at.',
    }),
  ),
  state: Type.Optional(
    Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()), {
      description: 'Keyed state by node and key, in part; null: there is no such key.',
    }),
  ),
}

/** `${…}` under it is plain text: tests must not depend on where they run. */
export const testsSchema = Type.Array(
  Type.Object(
    {
      name: Type.String({ minLength: 1, description: 'What the case shows, as a sentence.' }),
      answers: Type.Optional(
        Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()), {
          description:
            'What nodes that ask the outside are answered, by node and key; null: nothing is known.',
        }),
      ),
      ...stepFields,
      steps: Type.Optional(
        Type.Array(Type.Object(stepFields, { [AS_WRITTEN]: true }), {
          minItems: 1,
          maxItems: 1000,
          description: 'Several steps in order, instead of the one that the other keys make.',
        }),
      ),
    },
    { [AS_WRITTEN]: true },
  ),
  { description: 'Cases that `decnet pipeline test` runs.' },
)

export type TestsBlock = Static<typeof testsSchema>
export type StepBlock = Pick<TestsBlock[number], keyof typeof stepFields>

const STEP_KEYS = Object.keys(stepFields)
const LOOKS: readonly string[] = ['expect', 'expect_none', 'state']

/** The node ids in a tests block have to exist, and what is sent has to go to a source. */
export function checkTests(
  tree: Tree | undefined,
  nodes: ReadonlyMap<string, GraphNode>,
  problems: Problems,
): void {
  if (tree?.kind !== 'list') return
  for (const item of tree.items) {
    if (item.kind !== 'map') continue
    checkForm(item, problems)
    for (const entry of entriesOf(item, 'answers')) checkAsks(entry, nodes, problems)
    for (const step of stepsOf(item)) checkStep(step, nodes, problems)
  }
}

function stepsOf(item: Mapping): readonly Mapping[] {
  const steps = item.entries.get('steps')?.value
  if (steps?.kind !== 'list') return [item]
  return [item, ...steps.items.filter((step) => step.kind === 'map')]
}

/** A case is one step or a list of them, and looks at something: otherwise it cannot fail. */
function checkForm(item: Mapping, problems: Problems): void {
  const start = [...item.entries.values()][0]?.keySpan ?? item.span
  const steps = item.entries.get('steps')
  const own = STEP_KEYS.filter((key) => item.entries.has(key))
  if (steps !== undefined && own.length > 0) {
    const message = `a test has either "steps" or the keys of one step, not both`
    const help = `move ${own.join(', ')} into the first of the steps.`
    problems.error('TEST_FORM', steps.keySpan, message, { help })
    return
  }
  const looks = stepsOf(item).some((step) => LOOKS.some((key) => step.entries.has(key)))
  if (looks) return
  const span = { start: item.span.start, end: Math.max(start.end, item.span.start) }
  problems.error('MISSING_KEY', span, 'a test that expects nothing cannot fail', {
    help: 'add expect, expect_none or state.',
  })
}

function checkStep(step: Mapping, nodes: ReadonlyMap<string, GraphNode>, problems: Problems): void {
  for (const entry of entriesOf(step, 'send')) checkSource(entry, 'sends to', nodes, problems)
  for (const entry of entriesOf(step, 'from_capture')) {
    checkSource(entry, 'feeds a capture to', nodes, problems)
  }
  for (const { key, keySpan } of entriesOf(step, 'expect')) {
    checkOutput(key, keySpan, 'expects events of', nodes, problems)
  }
  const none = step.entries.get('expect_none')?.value
  for (const item of none?.kind === 'list' ? none.items : []) {
    if (item.kind !== 'scalar' || typeof item.value !== 'string') continue
    checkOutput(item.value, item.span, 'expects nothing of', nodes, problems)
  }
  for (const entry of entriesOf(step, 'state')) checkKeyed(entry, nodes, problems)
}

function entriesOf(item: Mapping, key: string): readonly Entry[] {
  const block = item.entries.get(key)?.value
  return block?.kind === 'map' ? [...block.entries.values()] : []
}

function checkSource(
  { key, keySpan }: Entry,
  does: string,
  nodes: ReadonlyMap<string, GraphNode>,
  problems: Problems,
): void {
  const node = nodes.get(key)
  if (node?.section === 'sources') return
  const sources = [...nodes.values()].filter((other) => other.section === 'sources')
  const ids = sources.map((source) => source.id)
  const what = node === undefined ? 'node' : 'source'
  problems.error('UNKNOWN_NODE', keySpan, `a test ${does} ${quote(key)}, which is no ${what}`, {
    help: `${suggestion(key, ids)}the sources are ${listOf(ids)}.`,
  })
}

function checkOutput(
  key: string,
  span: Span,
  does: string,
  nodes: ReadonlyMap<string, GraphNode>,
  problems: Problems,
): void {
  const [id = '', ...port] = key.split('.')
  const node = nodes.get(id)
  if (node === undefined) {
    problems.error('UNKNOWN_NODE', span, `a test ${does} ${quote(id)}, which is no node`, {
      help: `${suggestion(id, nodes.keys())}the nodes are ${listOf([...nodes.keys()])}.`,
    })
    return
  }
  // Without a port a test looks at all of them together.
  if (port.length > 0) checkPort(node, port.join('.'), span, problems)
}

function checkAsks(
  { key, keySpan }: Entry,
  nodes: ReadonlyMap<string, GraphNode>,
  problems: Problems,
): void {
  const node = nodes.get(key)
  if (node !== undefined && (node.component === undefined || isAsking(node.component))) return
  const asking = [...nodes.values()].filter(({ component }) => component && isAsking(component))
  const ids = asking.map(({ id }) => id)
  const what = node === undefined ? 'is no node' : 'asks nothing'
  problems.error('UNKNOWN_NODE', keySpan, `a test answers ${quote(key)}, which ${what}`, {
    help: `${suggestion(key, ids)}nodes that ask: ${listOf(ids) || 'none'}.`,
  })
}

function checkKeyed(
  { key, keySpan }: Entry,
  nodes: ReadonlyMap<string, GraphNode>,
  problems: Problems,
): void {
  const node = nodes.get(key)
  if (node !== undefined && (node.component === undefined || isKeyed(node.component))) return
  const keyed = [...nodes.values()].filter(({ component }) => component && isKeyed(component))
  const ids = keyed.map(({ id }) => id)
  const what = node === undefined ? 'is no node' : 'keeps none'
  problems.error(
    'UNKNOWN_NODE',
    keySpan,
    `a test looks at the state of ${quote(key)}, which ${what}`,
    { help: `${suggestion(key, ids)}nodes with keyed state: ${listOf(ids) || 'none'}.` },
  )
}
