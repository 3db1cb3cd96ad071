/** The map of pipelines on the overview. */
import type { UseQueryResult } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useNavigate } from 'react-router'
import type { Pipeline } from '../api/types.ts'
import { Panel } from '../components/panel.tsx'
import { Empty, Failure } from '../components/state.tsx'
import { PipelineGraph, useRates } from './pipeline_graph.tsx'
import { chosenOf, PipelineLegend, PipelinePicker, Standing } from './pipeline_picker.tsx'
import { NO_RATES } from './pipeline_rates.ts'

export function DataflowPanel({
  query,
}: {
  query: UseQueryResult<{ readonly pipelines: readonly Pipeline[] }>
}) {
  const navigate = useNavigate()
  const [asked, setAsked] = useState('')
  const pipelines = query.data?.pipelines
  const rates = useRates(pipelines)
  const chosen = pipelines && chosenOf(pipelines, asked)
  return (
    <Panel
      title="Dataflow"
      flush
      className="dataflow-place"
      aside={
        <>
          <PipelineLegend />
          <Link to={`/pipelines?name=${encodeURIComponent(chosen?.name ?? '')}`}>As tables</Link>
        </>
      }
    >
      {query.error && !pipelines && (
        <Failure error={query.error} retry={() => void query.refetch()} />
      )}
      {pipelines && chosen && (
        <>
          <PipelinePicker
            pipelines={pipelines}
            rates={rates}
            chosen={chosen.name}
            choose={setAsked}
          />
          <Standing pipeline={chosen} />
          <PipelineGraph
            pipeline={chosen}
            rates={rates.get(chosen.name) ?? NO_RATES}
            onOpen={() => navigate(`/pipelines?name=${encodeURIComponent(chosen.name)}`)}
          />
        </>
      )}
      {pipelines?.length === 0 && (
        <Empty title="This host has no pipelines">
          They are the YAML files of <code>pipelines/</code>.
        </Empty>
      )}
    </Panel>
  )
}
