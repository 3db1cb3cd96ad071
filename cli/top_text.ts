/** What `pipeline top` shows of one pipeline. */
import type { EdgeStats } from '../engine/edge_stats.ts'
import type { NodeStats, RunStats } from '../engine/run_stats.ts'
import { grouped, textTable } from './text_table.ts'
import { durationText, sizeText } from './units_text.ts'

const HEADER = [
  ...['NODE', 'TYPE', 'IN/s', 'OUT/s', 'IN', 'OUT', 'FILTERED', 'ERRORS', 'QUEUE', 'DROPPED'],
  ...['OLDEST', 'LAG', 'KEYS', 'STATE', 'EVICTED'],
]
const EDGE_HEADER = [
  ...['FROM', 'TO', 'EVENTS/s', 'EVENTS', 'DROPPED', 'WAITING', 'OLDEST', 'BEHIND', 'IDLE'],
]
const alignOf = (header: readonly string[]) =>
  header.map((_, index) => (index < 2 ? 'left' : 'right'))

/**
 * @param before an earlier look at the same run, for rates; without it they are left out
 * @returns a title, a table of the nodes and one of the edges, each line ending in a newline
 */
export function topText(now: RunStats, before: RunStats | undefined): string {
  const { pipeline, inFlight, credit, deadLetters, nodes, edges } = now
  // A pipeline that was started anew in between counts from nothing again.
  const earlier = before && before.clock < now.clock ? before : undefined
  const seconds = earlier ? (now.clock - earlier.clock) / 1000 : 0
  const rows = nodes.map((node) => {
    const old = earlier?.nodes.find(({ id }) => id === node.id)
    return row(node, old, seconds)
  })
  const edgeRows = edges.map((edge, index) => edgeRow(edge, earlier?.edges[index], seconds))
  const flying = `${grouped(inFlight)} in flight (credit ${grouped(credit)} a source)`
  const title = `${pipeline}: ${flying}, ${grouped(deadLetters)} dead letters\n`
  return (
    title + table(HEADER, rows) + (edgeRows.length > 0 ? `\n${table(EDGE_HEADER, edgeRows)}` : '')
  )
}

const table = (header: readonly string[], rows: readonly (readonly string[])[]) =>
  textTable([header, ...rows], { align: alignOf(header), indent: '  ' })

/** @returns none without an earlier look, or where counting has begun anew */
const rateText = (now: number, then: number | undefined, seconds: number): string =>
  then === undefined || now < then ? '' : grouped(Math.round((now - then) / seconds))

const waitText = (ms: number | undefined): string => (ms === undefined ? '' : durationText(ms))

function edgeRow(edge: EdgeStats, old: EdgeStats | undefined, seconds: number): string[] {
  const { from, to, sent, dropped, waiting, capacity, oldest, behind, idle } = edge
  return [
    from,
    to,
    rateText(sent, old?.sent, seconds),
    grouped(sent),
    ...(capacity === undefined
      ? ['', '']
      : [grouped(dropped), `${grouped(waiting)}/${grouped(capacity)}`]),
    waitText(oldest),
    waitText(behind),
    waitText(idle),
  ]
}

function row(node: NodeStats, old: NodeStats | undefined, seconds: number): string[] {
  const { state } = node
  return [
    node.id,
    node.type,
    rateText(node.in, old?.in, seconds),
    rateText(node.out, old?.out, seconds),
    ...[node.in, node.out, node.filtered, node.errors].map(grouped),
    grouped(node.pending + node.waiting),
    grouped(node.dropped),
    waitText(node.oldest),
    waitText(node.lag),
    ...(state ? [grouped(state.keys), sizeText(state.bytes), grouped(state.evicted)] : []),
  ]
}
