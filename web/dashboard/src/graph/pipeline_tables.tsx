/** The figures of a pipeline's graph as tables, for those who cannot see it, or want to know exactly. */
import type { EdgeCounters, NodeCounters, Pipeline, PipelineNode } from '../api/types.ts'
import { type Column, DataTable } from '../components/data_table.tsx'
import { compact, grouped, rate } from '../format/number.ts'
import { duration } from '../format/time.ts'
import { type DrawnEdge, edgesOf, portOf, type Rates } from './pipeline_rates.ts'

interface PipelineTableProps {
  readonly pipeline: Pipeline
  readonly rates: Rates
}

const UNKNOWN = '–'

const perSecond = (value: number | undefined): string => rate(value).replace('/s', '')
const wait = (ms: number | undefined): string =>
  ms === undefined ? UNKNOWN : duration(Math.max(ms, 0))

function figure<T>(id: string, head: string, cell: (row: T) => string, width = '4.75rem') {
  return { id, head, width, align: 'end', cell } satisfies Column<T>
}

export function EdgeTable({ pipeline, rates }: PipelineTableProps) {
  const told = (head: string, cell: (counters: EdgeCounters) => string, width?: string) =>
    figure<DrawnEdge>(
      head,
      head,
      ({ edge: { counters } }) => (counters ? cell(counters) : UNKNOWN),
      width,
    )
  const columns: readonly Column<DrawnEdge>[] = [
    { id: 'from', head: 'From', cell: ({ edge }) => <strong>{portOf(edge)}</strong> },
    { id: 'to', head: 'To', cell: ({ to }) => <strong>{to}</strong> },
    figure('rate', 'Events/s', ({ key }) => perSecond(rates.edges.get(key)?.sent)),
    told('Events', ({ sent }) => grouped(sent)),
    figure(
      'policy',
      'When full',
      ({ edge: { policy, capacity } }) =>
        capacity === null ? 'waits' : `${policy.replace('_', ' ')} at ${grouped(capacity)}`,
      '10.5rem',
    ),
    told('Held', ({ waiting }) => grouped(waiting)),
    told('Dropped', ({ dropped }) => grouped(dropped)),
    told('Oldest', ({ oldest }) => wait(oldest)),
    told('Behind', ({ behind }) => wait(behind)),
    told('Last', ({ idle }) => (idle === undefined ? UNKNOWN : `${wait(idle)} ago`), '6rem'),
  ]
  return (
    <DataTable
      name={`Edges of ${pipeline.name}`}
      columns={columns}
      rows={edgesOf(pipeline)}
      keyOf={({ key }) => key}
      empty={null}
    />
  )
}

export function NodeTable({ pipeline, rates }: PipelineTableProps) {
  const told = (head: string, cell: (counters: NodeCounters) => string) =>
    figure<PipelineNode>(head, head, ({ counters }) => (counters ? cell(counters) : UNKNOWN))
  const columns: readonly Column<PipelineNode>[] = [
    { id: 'id', head: 'Node', width: '9rem', cell: ({ id }) => <strong>{id}</strong> },
    { id: 'type', head: 'Type', cell: ({ type, summary }) => <span title={summary}>{type}</span> },
    figure('in/s', 'In/s', ({ id }) => perSecond(rates.nodes.get(id)?.in)),
    figure('out/s', 'Out/s', ({ id }) => perSecond(rates.nodes.get(id)?.out)),
    told('In', (counters) => grouped(counters.in)),
    told('Out', ({ out }) => grouped(out)),
    told('Filtered', ({ filtered }) => grouped(filtered)),
    told('Errors', ({ errors }) => grouped(errors)),
    told('Dead', ({ dead_lettered }) => grouped(dead_lettered)),
    told('Waiting', ({ pending, waiting }) => grouped(pending + waiting)),
    told('Oldest', ({ oldest }) => wait(oldest)),
    told('Keys', ({ state }) => (state ? grouped(state.keys) : UNKNOWN)),
    told('State', ({ state }) => (state ? `${compact(state.bytes)}B` : UNKNOWN)),
  ]
  return (
    <DataTable
      name={`Nodes of ${pipeline.name}`}
      columns={columns}
      rows={pipeline.nodes}
      keyOf={({ id }) => id}
      empty={null}
    />
  )
}
