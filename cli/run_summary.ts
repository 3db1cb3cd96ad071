/** The tables at the end of a run. */
import type { Plan } from '../engine/plan.ts'
import type { RunReport } from '../engine/report.ts'
import { grouped, textTable } from './text_table.ts'

const HEADER = ['NODE', 'TYPE', 'IN', 'OUT', 'FILTERED', 'DEAD-LETTERED', 'ERRORS']
const ALIGN = ['left', 'left', 'right', 'right', 'right', 'right', 'right'] as const

/** @returns one table a pipeline: what every node took, made, filtered and could not handle */
export function runSummary(report: RunReport, plans: readonly Plan[]): string {
  return plans.map((plan) => pipelineSummary(report, plan)).join('\n')
}

function pipelineSummary(report: RunReport, plan: Plan): string {
  const counts = report.pipelines[plan.name]
  if (!counts) return `${plan.name}: did not run\n`
  const read = Object.values(counts.sources).reduce((sum, source) => sum + source.read, 0)
  const seconds = report.wallSeconds
  const rate = seconds > 0 ? `, ${grouped(Math.round(read / seconds))}/s` : ''
  const types = new Map(plan.nodes.map((node) => [node.id, node.component.type]))
  const rows = [...new Set([...types.keys(), ...Object.keys(counts.nodes)])].map((id) => {
    const node = counts.nodes[id]
    const numbers = node
      ? [node.in, node.out, node.filtered, node.dead_lettered, node.errors].map(grouped)
      : ['', grouped(counts.sources[id]?.read ?? 0), '', '', '']
    return [id, types.get(id) ?? '', ...numbers]
  })
  const title = `${plan.name}: ${grouped(read)} read in ${seconds.toFixed(1)} s${rate}\n`
  return title + textTable([HEADER, ...rows], { align: ALIGN, indent: '  ' })
}
