/** Finds conditions that say the same of every event. */
import { Environment } from '@marcbachmann/cel-js'
import { compileCel } from '../cel.ts'
import { EngineError } from '../errors.ts'

interface Node {
  readonly op: string
  readonly args: unknown
  readonly start: number
  readonly end: number
}

/** What an expression can know about an event. */
const VARIABLES: readonly unknown[] = ['id', 'topic', 'time', 'data']

/** It looks at none of this; a constant condition never does. */
const NO_EVENT = { id: '', topic: '', time: 0, data: {} }

let shared: Environment | undefined

/**
 * @param text a condition that compiles
 * @returns what it gives for every event, or undefined where that depends on the event
 */
export function constantValue(text: string): boolean | undefined {
  shared ??= new Environment({ unlistedVariablesAreDyn: true, enableOptionalTypes: true })
  return constantOf(shared.parse(text).ast as unknown as Node, text)
}

function constantOf(node: Node, text: string): boolean | undefined {
  const parts = node.op === '||' || node.op === '&&' ? (node.args as Node[]) : []
  const values = parts.map((part) => constantOf(part, text))
  if (node.op === '||' && values.includes(true)) return true
  if (node.op === '&&' && values.includes(false)) return false
  return dependsOnEvent(node) ? undefined : evaluated(text.slice(node.start, node.end))
}

function evaluated(text: string): boolean | undefined {
  try {
    const value = compileCel(text, 'any').evaluate(NO_EVENT)
    return typeof value === 'boolean' ? value : undefined
  } catch (error) {
    // A part that fails by itself, such as a name bound further out, says nothing about the whole.
    if (error instanceof EngineError) return undefined
    throw error
  }
}

function dependsOnEvent(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(dependsOnEvent)
  if (typeof node !== 'object' || node === null || !('op' in node)) return false
  const { op, args } = node as Node
  return op === 'id' ? VARIABLES.includes(args) : dependsOnEvent(args)
}
