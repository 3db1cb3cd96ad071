/** Why a cluster is taken for one: the graph, the list of what it rests on, and what is doubtful. */
import type { UseQueryResult } from '@tanstack/react-query'
import { lazy, type ReactNode, Suspense } from 'react'
import type { CampaignExplanation, IdentityExplanation } from '../api/explanation_types.ts'
import { counted } from '../format/number.ts'
import type { EvidenceGraph as Graph } from '../graph/evidence.ts'
import { Doubts, EvidenceLegend, MergedList, recordsText } from './explained.tsx'
import { Panel } from './panel.tsx'
import { Failure, Skeleton } from './state.tsx'

const EvidenceGraph = lazy(async () => ({
  default: (await import('../graph/evidence_graph.tsx')).EvidenceGraph,
}))

/** What is said where the rows no longer join what is one cluster. */
export const GONE = 'What once joined them is no longer in their rows.'

export interface EvidenceShown {
  readonly graph: Graph
  /** instead of the graph and the list, where there is nothing to show */
  readonly empty: ReactNode | false
  readonly list: ReactNode
  /** below the list */
  readonly more?: ReactNode
}

interface EvidencePanelProps<T> {
  /** what the graph is called */
  readonly name: string
  readonly explanation: UseQueryResult<T | null>
  readonly show: (data: T) => EvidenceShown
  readonly pathOf: (uuid: string) => string
}

export function EvidencePanel<T extends CampaignExplanation | IdentityExplanation>(
  props: EvidencePanelProps<T>,
) {
  const { data, error, refetch } = props.explanation
  // An API without explanations has none to show.
  if (data === null) return null
  return (
    <Panel title="Evidence" flush aside={data && <EvidenceLegend bridges={data.bridges} />}>
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton lines={10} />}
      {data && <Shown data={data} panel={props} />}
    </Panel>
  )
}

function Shown<T extends CampaignExplanation | IdentityExplanation>({
  data,
  panel: { name, show, pathOf },
}: {
  data: T
  panel: EvidencePanelProps<T>
}) {
  const { graph, empty, list, more } = show(data)
  return (
    <>
      {empty || (
        <>
          <Suspense fallback={<div className="graph" />}>
            <EvidenceGraph name={name} graph={graph} />
          </Suspense>
          {list}
        </>
      )}
      <div className="panel-body">
        {more}
        <Doubts doubts={data.doubts} />
        <MergedList explained={data} pathOf={pathOf} />
        <p className="faint">
          {recordsText(data.records)}.
          {graph.left > 0 && ` ${counted(graph.left, 'more part')} of the graph not drawn.`}
        </p>
      </div>
    </>
  )
}
