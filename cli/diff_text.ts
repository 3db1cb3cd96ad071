/** A comparison of two runs, for people. */
import type { FieldChange } from '../engine/diff/field_changes.ts'
import type { Fate } from '../engine/diff/parted_event.ts'
import type { ComparedNode, NodeVerdict } from '../engine/diff/parting.ts'
import type { PipelineDiff, RunDiff, ShownParting } from '../engine/diff/run_diff.ts'
import type { NamedEvent, SinkChanges } from '../engine/diff/sink_changes.ts'
import { eventTime } from '../protocols/iso_time.ts'
import { quote } from '../protocols/quote.ts'
import { shownValue } from './shown_value.ts'
import { grouped, textTable } from './text_table.ts'

/** @returns where the runs part and what came of it, or that they are the same */
export function diffText(diff: RunDiff): string {
  const parts = diff.pipelines.map(pipelineText)
  for (const name of diff.onlyA) parts.push(`${name}: only in ${diff.a}\n`)
  for (const name of diff.onlyB) parts.push(`${name}: only in ${diff.b}\n`)
  return parts.join('\n')
}

function pipelineText(diff: PipelineDiff): string {
  const { pipeline, pipelineB, different, parting, nodes, sinks } = diff
  const name = pipelineB === undefined ? pipeline : `${pipeline} (A), ${pipelineB} (B)`
  if (!different) return `${name}: same\n`
  return [
    `${name}: different\n`,
    parting ? partingText(parting) : '',
    nodesText(nodes),
    ...sinks.map(sinkText),
  ]
    .filter((text) => text !== '')
    .join('\n')
}

const VERDICTS: Readonly<Record<NodeVerdict, string>> = {
  same: 'same',
  parts: 'same input, other output',
  follows: 'other input, other output',
  rewired: 'reads other ports',
  only_a: 'only in A',
  only_b: 'only in B',
}

function partingText(parting: NonNullable<PipelineDiff['parting']>): string {
  const { node, verdict, event, typeB } = parting
  const type = typeB === undefined ? node.type : `${node.type} in A, ${typeB} in B`
  const first = `  first at ${node.section.slice(0, -1)} ${node.id} (${type}): ${VERDICTS[verdict]}\n`
  if (!event) return first
  const where = event.node === node.id ? '' : ` at ${event.node}`
  const lines = [
    `event ${safe(event.id)}, ${eventTime(event.time)}`,
    `${whatHappened(event)}${where}`,
  ]
  if (event.errorA !== undefined) lines.push(`A: ${quote(event.errorA, 300)}`)
  if (event.errorB !== undefined) lines.push(`B: ${quote(event.errorB, 300)}`)
  return first + [...lines, ...event.fields.map(fieldText)].map((line) => `    ${line}\n`).join('')
}

function whatHappened({ a, b, wasRead }: ShownParting): string {
  if (a.length === b.length && a.every(({ port }, index) => port === b[index]?.port)) {
    return 'changed'
  }
  return `${oneFate(a, wasRead)} in A, ${oneFate(b, wasRead)} in B`
}

function oneFate(fates: readonly Fate[], wasRead: boolean): string {
  if (fates.length === 0) return wasRead ? 'filtered' : 'not made'
  if (fates.some(({ port }) => port === 'errors')) return 'failed'
  const ports = fates.map(({ port }) => port).filter((port) => port !== '')
  const word = wasRead ? 'passed' : 'made'
  return ports.length === 0 ? word : `${word} by ${ports.join(', ')}`
}

function nodesText(nodes: readonly ComparedNode[]): string {
  const rows = nodes.flatMap(({ node, verdict, ports }) => {
    if (ports.length === 0) return [[node.id, '', '', VERDICTS[verdict]]]
    return ports.map(({ port, a, b }) => {
      return [port, grouped(a?.count ?? 0), grouped(b?.count ?? 0), VERDICTS[verdict]]
    })
  })
  if (rows.length === 0) return ''
  const header = ['OUTPUT', 'EVENTS A', 'EVENTS B', '']
  return textTable([header, ...rows], { align: ['left', 'right', 'right', 'left'], indent: '  ' })
}

/** Field paths shown for a sink. */
const MOST_PATHS = 20

function sinkText({ sink, added, removed, changed, fields, events, reordered }: SinkChanges) {
  const counts = reordered
    ? 'the same events in another order'
    : `${grouped(removed)} removed, ${grouped(added)} added, ${grouped(changed)} changed`
  const lines = [`  ${sink}: ${counts}`]
  const paths = Object.entries(fields)
  for (const [path, count] of paths.slice(0, MOST_PATHS)) {
    lines.push(`    ${path}: changed in ${grouped(count)}`)
  }
  if (paths.length > MOST_PATHS) lines.push(`    … and ${paths.length - MOST_PATHS} more fields`)
  lines.push(...events.removed.map((event) => `    - ${eventText(event)}`))
  lines.push(...events.added.map((event) => `    + ${eventText(event)}`))
  for (const event of events.changed) {
    lines.push(`    ~ ${eventText(event)}`)
    lines.push(...event.fields.slice(0, MOST_PATHS).map((field) => `      ${fieldText(field)}`))
  }
  const shown = events.added.length + events.removed.length + events.changed.length
  const rest = added + removed + changed - shown
  if (rest > 0) lines.push(`    … and ${grouped(rest)} more events (--most N shows more)`)
  return lines.map((line) => `${line}\n`).join('')
}

const eventText = ({ id, topic, time }: NamedEvent): string =>
  `${safe(id)} ${safe(topic)} ${eventTime(time)}`

/** @example `data.outcome: "success" → "failure"` */
export function fieldText(change: FieldChange): string {
  const { path, before, after } = change
  if (!('before' in change)) return `${path}: + ${shownValue(after)}`
  if (!('after' in change)) return `${path}: - ${shownValue(before)}`
  return `${path}: ${shownValue(before)} → ${shownValue(after)}`
}

/** Ids and topics are plain words; one that is not came from outside. */
export const safe = (text: string): string => (/^[\w.:*>-]{1,200}$/.test(text) ? text : quote(text))
