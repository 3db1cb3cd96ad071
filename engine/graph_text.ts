/** Draws a plan: for a README (mermaid), for Graphviz (dot), for a terminal (ascii). */
import { edgeLabel, graphTree, inputsOf } from './graph_tree.ts'
import type { Plan } from './plan.ts'

export const GRAPH_FORMATS = ['mermaid', 'dot', 'ascii'] as const
export type GraphFormat = (typeof GRAPH_FORMATS)[number]

/** @returns the whole drawing, ending in a newline; the same plan always gives the same text */
export function graphText(plan: Plan, format: GraphFormat): string {
  if (format === 'mermaid') return mermaid(plan)
  if (format === 'dot') return dot(plan)
  return graphTree(plan)
}

// Mermaid takes these for its own words even where an id is due. Ids are lower case, so an upper
// case letter in front keeps every two ids apart.
const MERMAID_WORDS =
  /^(end|graph|flowchart|subgraph|class|classdef|click|style|linkstyle|default)$/
const mermaidId = (id: string): string => (MERMAID_WORDS.test(id) ? `N_${id}` : id)

const MERMAID_SHAPES = {
  sources: ['([', '])'],
  operators: ['[', ']'],
  sinks: ['[(', ')]'],
} as const

// Ids and types are lower_snake_case words, so nothing in a drawing needs escaping.
function mermaid(plan: Plan): string {
  const lines = ['flowchart LR']
  for (const node of plan.nodes) {
    const [open, close] = MERMAID_SHAPES[node.section]
    const label = `"${node.id}<br/><small>${node.component.type}</small>"`
    lines.push(`  ${mermaidId(node.id)}${open}${label}${close}`)
  }
  for (const node of plan.nodes) {
    for (const edge of inputsOf(node)) {
      const label = edgeLabel(edge)
      const arrow = edge.port === 'errors' ? '-.->' : '-->'
      const text = label === '' ? '' : `|"${label}"|`
      lines.push(`  ${mermaidId(edge.from)} ${arrow}${text} ${mermaidId(node.id)}`)
    }
  }
  return `${lines.join('\n')}\n`
}

const DOT_SHAPES = { sources: 'cds', operators: 'box', sinks: 'cylinder' } as const

function dot(plan: Plan): string {
  const lines = [`digraph "${plan.name}" {`, '  rankdir=LR', '  node [fontname="sans-serif"]']
  for (const node of plan.nodes) {
    const label = `${node.id}\\n${node.component.type}`
    lines.push(`  "${node.id}" [label="${label}", shape=${DOT_SHAPES[node.section]}]`)
  }
  for (const node of plan.nodes) {
    for (const edge of inputsOf(node)) {
      const label = edgeLabel(edge)
      const attributes = [
        ...(label === '' ? [] : [`label="${label}"`]),
        ...(edge.port === 'errors' ? ['style=dashed'] : []),
      ].join(', ')
      lines.push(`  "${edge.from}" -> "${node.id}"${attributes && ` [${attributes}]`}`)
    }
  }
  return `${lines.join('\n')}\n}\n`
}
