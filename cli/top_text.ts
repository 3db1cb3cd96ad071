/** What `pipeline top` shows of one pipeline. */
import type { NodeStats, RunStats } from '../engine/run_stats.ts'
import { grouped, textTable } from './text_table.ts'
import { durationText, sizeText } from './units_text.ts'

const HEADER = [
  ...['NODE', 'TYPE', 'IN/s', 'OUT/s', 'IN', 'OUT', 'FILTERED', 'ERRORS', 'QUEUE', 'DROPPED'],
  ...['LAG', 'KEYS', 'STATE', 'EVICTED'],
]
const ALIGN = HEADER.map((_, index) => (index < 2 ? 'left' : 'right'))

/**
 * @param before an earlier look at the same run, for rates; without it they are left out
 * @returns a title and a table, each line ending in a newline
 */
export function topText(now: RunStats, before: RunStats | undefined): string {
  const { pipeline, inFlight, deadLetters, nodes } = now
  // A pipeline that was started anew in between counts from nothing again.
  const earlier = before && before.clock < now.clock ? before : undefined
  const seconds = earlier ? (now.clock - earlier.clock) / 1000 : 0
  const rows = nodes.map((node) => {
    const old = earlier?.nodes.find(({ id }) => id === node.id)
    return row(node, old, seconds)
  })
  const title = `${pipeline}: ${grouped(inFlight)} in flight, ${grouped(deadLetters)} dead letters\n`
  return title + textTable([HEADER, ...rows], { align: ALIGN, indent: '  ' })
}

function row(node: NodeStats, old: NodeStats | undefined, seconds: number): string[] {
  const rate = (now: number, then: number | undefined) =>
    then === undefined || now < then ? '' : grouped(Math.round((now - then) / seconds))
  const { state } = node
  return [
    node.id,
    node.type,
    rate(node.in, old?.in),
    rate(node.out, old?.out),
    ...[node.in, node.out, node.filtered, node.errors].map(grouped),
    grouped(node.queued + node.waiting),
    grouped(node.dropped),
    node.lag === undefined ? '' : durationText(node.lag),
    ...(state ? [grouped(state.keys), sizeText(state.bytes), grouped(state.evicted)] : []),
  ]
}
