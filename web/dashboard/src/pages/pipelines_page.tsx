/** The pipelines of this host: their YAML made visible, with what passes. */
import { useQuery } from '@tanstack/react-query'
import { pipelinesQuery } from '../api/queries.ts'
import type { PipelineNode } from '../api/types.ts'
import { type Column, DataTable } from '../components/data_table.tsx'
import { Figures } from '../components/facts.tsx'
import { PageHead } from '../components/page_head.tsx'
import { useParam } from '../components/pager.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty, Failure, Skeleton } from '../components/state.tsx'
import { compact, grouped, rate } from '../format/number.ts'
import { duration } from '../format/time.ts'
import { PipelineGraph, useRates } from '../graph/pipeline_graph.tsx'
import { chosenOf, PipelineLegend, PipelinePicker } from '../graph/pipeline_picker.tsx'
import { greatestLag, inflow, type Rates, totalOf } from '../graph/pipeline_rates.ts'

const NO_RATES: Rates = new Map()

export function PipelinesPage() {
  const query = useQuery(pipelinesQuery())
  const pipelines = query.data?.pipelines
  const rates = useRates(pipelines)
  const [asked, setAsked] = useParam('name')
  const chosen = pipelines && chosenOf(pipelines, asked)
  const own = (chosen && rates.get(chosen.name)) ?? NO_RATES
  const running = pipelines?.filter((one) => one.running).length ?? 0
  return (
    <>
      <PageHead
        title="Pipelines"
        name="Pipelines"
        actions={
          <span className="soft">
            {pipelines ? `${running} of ${pipelines.length} run on this host` : ''}
          </span>
        }
      />
      {query.error && !pipelines && (
        <Failure error={query.error} retry={() => void query.refetch()} />
      )}
      {!pipelines && !query.error && <Skeleton lines={14} />}
      {pipelines?.length === 0 && (
        <Empty title="This host has no pipelines">
          They are the YAML files of <code>pipelines/</code>.
        </Empty>
      )}
      {pipelines && chosen && (
        <div className="stack">
          <Panel title={chosen.name} flush aside={<PipelineLegend />}>
            <PipelinePicker
              pipelines={pipelines}
              rates={rates}
              chosen={chosen.name}
              choose={setAsked}
            />
            <PipelineGraph pipeline={chosen} rates={own} tall />
          </Panel>
          <Figures
            figures={[
              ['Comes in', rate(inflow(chosen, own))],
              ['In flight', chosen.in_flight === null ? '–' : grouped(chosen.in_flight)],
              ['Greatest lag', lagText(greatestLag(chosen))],
              ['Errors', grouped(totalOf(chosen, 'errors'))],
              ['Dropped', grouped(totalOf(chosen, 'dropped'))],
              ['Dead letters', chosen.dead_letters === null ? '–' : grouped(chosen.dead_letters)],
            ]}
          />
          <Panel title="Nodes" flush>
            <DataTable
              name={`Nodes of ${chosen.name}`}
              columns={columnsFor(own)}
              rows={chosen.nodes}
              keyOf={({ id }) => id}
              empty={null}
            />
          </Panel>
        </div>
      )}
    </>
  )
}

const lagText = (lag: number | undefined): string =>
  lag === undefined ? '–' : duration(Math.max(lag, 0))

function columnsFor(rates: Rates): readonly Column<PipelineNode>[] {
  const figure = (
    id: string,
    head: string,
    value: (node: PipelineNode) => string,
  ): Column<PipelineNode> => ({ id, head, width: '5.75rem', align: 'end', cell: value })
  const counter = (
    id: string,
    head: string,
    of: 'in' | 'out' | 'filtered' | 'errors' | 'dropped',
  ) => figure(id, head, ({ counters }) => (counters ? grouped(counters[of]) : '–'))
  return [
    { id: 'id', head: 'Node', width: '9rem', cell: ({ id }) => <strong>{id}</strong> },
    { id: 'type', head: 'Type', cell: ({ type, summary }) => <span title={summary}>{type}</span> },
    figure('in/s', 'In/s', ({ id }) => rate(rates.get(id)?.in).replace('/s', '')),
    figure('out/s', 'Out/s', ({ id }) => rate(rates.get(id)?.out).replace('/s', '')),
    counter('in', 'In', 'in'),
    counter('out', 'Out', 'out'),
    counter('filtered', 'Filtered', 'filtered'),
    counter('errors', 'Errors', 'errors'),
    counter('dropped', 'Dropped', 'dropped'),
    figure('lag', 'Lag', ({ counters }) => lagText(counters?.lag)),
    figure('keys', 'Keys', ({ counters }) =>
      counters?.state ? compact(counters.state.keys) : '–',
    ),
  ]
}
