/** The pipelines of this host: their YAML made visible, with what passes. */
import { useQuery } from '@tanstack/react-query'
import { pipelinesQuery } from '../api/queries.ts'
import { Figures } from '../components/facts.tsx'
import { PageHead } from '../components/page_head.tsx'
import { useParam } from '../components/pager.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty, Failure, Skeleton } from '../components/state.tsx'
import { grouped, rate } from '../format/number.ts'
import { duration } from '../format/time.ts'
import { greatestLag } from '../graph/edge_state.ts'
import { PipelineGraph, useRates } from '../graph/pipeline_graph.tsx'
import { chosenOf, PipelineLegend, PipelinePicker, Standing } from '../graph/pipeline_picker.tsx'
import { inflow, NO_RATES, totalOf } from '../graph/pipeline_rates.ts'
import { EdgeTable, NodeTable } from '../graph/pipeline_tables.tsx'

export function PipelinesPage() {
  const query = useQuery(pipelinesQuery())
  const pipelines = query.data?.pipelines
  const rates = useRates(pipelines)
  const [asked, setAsked] = useParam('name')
  const chosen = pipelines && chosenOf(pipelines, asked)
  const own = (chosen && rates.get(chosen.name)) ?? NO_RATES
  const lag = chosen && greatestLag(chosen)
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
            <Standing pipeline={chosen} />
            <PipelineGraph pipeline={chosen} rates={own} tall />
          </Panel>
          <Figures
            figures={[
              ['Comes in', rate(inflow(chosen, own))],
              ['In flight', chosen.in_flight === null ? '–' : grouped(chosen.in_flight)],
              ['Greatest lag', lag === undefined ? '–' : duration(lag)],
              ['Errors', grouped(totalOf(chosen, 'errors'))],
              ['Dropped', grouped(totalOf(chosen, 'dropped'))],
              ['Dead letters', chosen.dead_letters === null ? '–' : grouped(chosen.dead_letters)],
            ]}
          />
          <Panel title="Edges" flush>
            <EdgeTable pipeline={chosen} rates={own} />
          </Panel>
          <Panel title="Nodes" flush>
            <NodeTable pipeline={chosen} rates={own} />
          </Panel>
        </div>
      )}
    </>
  )
}
