/** The `tests:` block: what the pipeline makes of some input. */
import { type Static, Type } from 'typebox'
import { quote } from '../../protocols/quote.ts'
import type { PlanTest } from '../plan.ts'
import type { GraphNode } from './graph.ts'
import { checkPort } from './graph_check.ts'
import { listOf, suggestion } from './near_miss.ts'
import type { Problems } from './source_text.ts'
import type { Entry, Tree } from './tree.ts'

const data = Type.Record(Type.String(), Type.Unknown(), { description: 'Fields of the event.' })
const topic = Type.Optional(Type.String({ minLength: 1, description: 'Topic of the event.' }))
const time = Type.Optional(Type.Number({ description: 'Event time, ms since the epoch.' }))

/** `${…}` under it is plain text: tests must not depend on where they run. */
export const testsSchema = Type.Array(
  Type.Object({
    name: Type.String({ minLength: 1, description: 'What the case shows, as a sentence.' }),
    send: Type.Record(
      Type.String(),
      Type.Array(
        Type.Union([
          Type.String({ description: 'A line, as the source would read it from a capture.' }),
          Type.Object({ topic, time, data }),
        ]),
      ),
      { description: 'What each source delivers, in order, by source id.' },
    ),
    expect: Type.Record(
      Type.String(),
      Type.Array(
        Type.Object({
          id: Type.Optional(Type.String({ description: 'Id of the event.' })),
          topic,
          time,
          data: Type.Optional(data),
        }),
      ),
      { description: 'All events out of a node or a port, in order, each in part.' },
    ),
  }),
  { description: 'Cases that `decnet pipeline test` runs.' },
)

/** The node ids in a tests block have to exist, and what is sent has to go to a source. */
export function checkTests(
  tree: Tree | undefined,
  nodes: ReadonlyMap<string, GraphNode>,
  problems: Problems,
): void {
  if (tree?.kind !== 'list') return
  for (const item of tree.items) {
    for (const entry of entriesOf(item, 'send')) checkSend(entry, nodes, problems)
    for (const entry of entriesOf(item, 'expect')) checkExpect(entry, nodes, problems)
  }
}

function entriesOf(item: Tree, key: string): readonly Entry[] {
  const block = item.kind === 'map' ? item.entries.get(key)?.value : undefined
  return block?.kind === 'map' ? [...block.entries.values()] : []
}

function checkSend(
  { key, keySpan }: Entry,
  nodes: ReadonlyMap<string, GraphNode>,
  problems: Problems,
): void {
  const node = nodes.get(key)
  if (node?.section === 'sources') return
  const sources = [...nodes.values()].filter((other) => other.section === 'sources')
  const ids = sources.map((source) => source.id)
  const message =
    node === undefined
      ? `a test sends to ${quote(key)}, which is no node`
      : `a test sends to ${quote(key)}, which is no source`
  problems.error('UNKNOWN_NODE', keySpan, message, {
    help: `${suggestion(key, ids)}the sources are ${listOf(ids)}.`,
  })
}

function checkExpect(
  { key, keySpan }: Entry,
  nodes: ReadonlyMap<string, GraphNode>,
  problems: Problems,
): void {
  const [id = '', ...port] = key.split('.')
  const node = nodes.get(id)
  if (node === undefined) {
    problems.error(
      'UNKNOWN_NODE',
      keySpan,
      `a test expects events of ${quote(id)}, which is no node`,
      {
        help: `${suggestion(id, nodes.keys())}the nodes are ${listOf([...nodes.keys()])}.`,
      },
    )
    return
  }
  // Without a port a test looks at all of them together.
  if (port.length > 0) checkPort(node, port.join('.'), keySpan, problems)
}

/** @param tree the block that `tests` were read from, for their lines */
export function toPlanTests(
  tests: Static<typeof testsSchema>,
  tree: Tree | undefined,
  problems: Problems,
): PlanTest[] {
  return tests.map(({ name, send, expect }, index) => {
    const item = tree?.kind === 'list' ? tree.items[index] : undefined
    return { name, send, expect, line: problems.positionAt(item?.span.start ?? 0).line }
  })
}
