/** The nodes of a pipeline file as they were read, wrong ones included. */
import type { Component, Section } from '../define.ts'
import type { EdgePolicy } from '../plan.ts'
import type { Span } from '../problem.ts'
import { DEFAULT_CAPACITY, type NodeConfig } from './node_shape.ts'
import type { Tree } from './tree.ts'

/** One entry of `inputs:`. */
export interface Input {
  /** `node` or `node.port`, as messages may show it. */
  readonly shown: string
  readonly from: string
  readonly port: string
  readonly policy: EdgePolicy
  readonly capacity: number
  readonly span: Span
}

export interface GraphNode {
  readonly id: string
  readonly section: Section
  /** Where its id stands. */
  readonly span: Span
  /** undefined: of an unknown type */
  readonly component: Component | undefined
  /** undefined: of an unknown type, or with problems */
  readonly read: NodeConfig | undefined
  /** All of its keys as they were decoded, for `show`. */
  readonly values: Readonly<Record<string, unknown>> | undefined
  readonly inputs: readonly Input[]
  /** what wakes a source */
  readonly wakes?: readonly Input[]
  /** `['']` for the only one; undefined where a wrong config leaves them open */
  readonly outputs: readonly string[] | undefined
}

/**
 * Reads what can be read of `inputs:`, right or wrong: a list that is only written wrongly must not
 * make the nodes in it look unused. What is wrong is reported where the shape is checked.
 */
export function readInputs(tree: Tree | undefined): readonly Input[] {
  if (tree === undefined) return []
  if (tree.kind === 'list') return tree.items.flatMap(readInputs)
  if (tree.kind === 'scalar') return inputOf(tree, 'block', DEFAULT_CAPACITY)
  const policy = tree.entries.get('policy')?.value
  const capacity = tree.entries.get('capacity')?.value
  return inputOf(
    tree.entries.get('from')?.value,
    policy?.kind === 'scalar' ? (policy.value as EdgePolicy) : 'block',
    capacity?.kind === 'scalar' ? Number(capacity.value) : DEFAULT_CAPACITY,
  )
}

function inputOf(tree: Tree | undefined, policy: EdgePolicy, capacity: number): readonly Input[] {
  if (tree?.kind !== 'scalar' || typeof tree.value !== 'string' || tree.value === '') return []
  const dot = tree.value.indexOf('.')
  const from = dot < 0 ? tree.value : tree.value.slice(0, dot)
  const port = dot < 0 ? '' : tree.value.slice(dot + 1)
  return [{ shown: String(tree.shown), from, port, policy, capacity, span: tree.span }]
}
