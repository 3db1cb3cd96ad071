/** Draws a plan as an indented tree of plain ASCII: every source, and what its events reach. */
import type { Plan, PlanEdge, PlanNode } from './plan.ts'

/** The node's inputs; a source has none. */
export const inputsOf = (node: PlanNode): readonly PlanEdge[] =>
  node.section === 'sources' ? [] : node.inputs

/** What an edge says about itself: its port and, unless it blocks, its policy. */
export function edgeLabel(edge: PlanEdge): string {
  const policy = edge.policy === 'block' ? '' : `${edge.policy} at ${edge.capacity}`
  return [edge.port, policy].filter(Boolean).join(', ')
}

interface Row {
  readonly tree: string
  readonly kind: string
  readonly note: string
}

/** A place in the tree that is still to be drawn. */
interface Branch {
  readonly node: PlanNode
  readonly edge: PlanEdge | undefined
  /** what stands in front of this row, and of the rows below it */
  readonly lead: string
  readonly indent: string
}

const KINDS = { sources: 'source', operators: 'operator', sinks: 'sink' } as const

/**
 * A node that several edges lead to is drawn in full under the first of them; the others name it
 * and say so, which keeps the drawing as long as the pipeline has edges.
 */
export function graphTree(plan: Plan): string {
  const readers = readersOf(plan)
  const drawn = new Set<string>()
  const rows: Row[] = []
  const left: Branch[] = plan.nodes
    .filter((node) => node.section === 'sources')
    .map((node) => ({ node, edge: undefined, lead: '', indent: '' }))
    .reverse()
  for (let branch = left.pop(); branch !== undefined; branch = left.pop()) {
    const { node, edge, lead, indent } = branch
    const again = drawn.has(node.id)
    drawn.add(node.id)
    rows.push({
      tree: `${lead}${node.id}`,
      kind: `${node.component.type} ${KINDS[node.section]}`,
      note: noteOf(node, edge, again),
    })
    if (!again) left.push(...branchesOf(readers.get(node.id) ?? [], indent).reverse())
  }
  return render(plan.name, rows)
}

interface Reader {
  readonly node: PlanNode
  readonly edge: PlanEdge
}

function readersOf(plan: Plan): Map<string, Reader[]> {
  const readers = new Map<string, Reader[]>()
  for (const node of plan.nodes) {
    for (const edge of inputsOf(node)) {
      const known = readers.get(edge.from)
      if (known) known.push({ node, edge })
      else readers.set(edge.from, [{ node, edge }])
    }
  }
  return readers
}

function branchesOf(readers: readonly Reader[], indent: string): Branch[] {
  return readers.map(({ node, edge }, index) => {
    const last = index === readers.length - 1
    return {
      node,
      edge,
      lead: `${indent}${last ? '`-- ' : '|-- '}`,
      indent: `${indent}${last ? '    ' : '|   '}`,
    }
  })
}

function noteOf(node: PlanNode, edge: PlanEdge | undefined, again: boolean): string {
  const label = edge === undefined ? '' : edgeLabel(edge)
  const inputs = inputsOf(node).length
  const joins = inputs > 1 ? `${inputs} inputs` : ''
  return [label && `via ${label}`, again ? 'drawn above' : joins].filter(Boolean).join('; ')
}

function render(name: string, rows: readonly Row[]): string {
  const tree = Math.max(...rows.map((row) => row.tree.length))
  const kind = Math.max(...rows.map((row) => row.kind.length))
  const lines = rows.map((row) =>
    `${row.tree.padEnd(tree)}  ${row.kind.padEnd(kind)}${row.note && `  (${row.note})`}`.trimEnd(),
  )
  return `${[name, ...lines].join('\n')}\n`
}
