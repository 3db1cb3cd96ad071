/** Why some identities are taken for one operation: as a graph, and pair by pair. */
import type { UseQueryResult } from '@tanstack/react-query'
import { Link } from 'react-router'
import type {
  CampaignEdge,
  CampaignExplanation,
  HandoffExplained,
} from '../api/explanation_types.ts'
import { grouped } from '../format/number.ts'
import { duration } from '../format/time.ts'
import { campaignEvidence } from '../graph/evidence.ts'
import { campaignPath, identityPath } from './attacker_cells.tsx'
import { Badge } from './badge.tsx'
import { type Column, DataTable } from './data_table.tsx'
import { EvidencePanel, type EvidenceShown, GONE } from './evidence_panel.tsx'
import { Empty } from './state.tsx'
import { Untrusted } from './untrusted.tsx'
import { When } from './when.tsx'

const IdentityLink = ({ uuid }: { uuid: string }) => (
  <Link to={identityPath(uuid)} className="mono">
    {uuid.slice(0, 8)}
  </Link>
)

const COLUMNS: readonly Column<CampaignEdge>[] = [
  {
    id: 'pair',
    head: 'Pair',
    width: '12rem',
    cell: ({ a, b }) => (
      <>
        <IdentityLink uuid={a} /> – <IdentityLink uuid={b} />
      </>
    ),
  },
  {
    id: 'weight',
    head: 'Weight',
    width: '7rem',
    align: 'end',
    cell: ({ weight, threshold }) => (
      <>
        {weight.toFixed(2)} <span className="faint">of {threshold.toFixed(2)}</span>
      </>
    ),
  },
  {
    id: 'bridge',
    head: 'Bridge',
    width: '6.5rem',
    cell: ({ bridge }) =>
      bridge === null ? (
        <span className="faint">no</span>
      ) : (
        <Badge tone="warn" title="Without this pair the campaign falls apart">
          {bridge[0]} + {bridge[1]}
        </Badge>
      ),
  },
  {
    id: 'handoffs',
    head: 'Handoffs',
    width: '5.5rem',
    align: 'end',
    cell: ({ handoffs }) => grouped(handoffs.total),
  },
  {
    id: 'shared',
    head: 'Shared infrastructure',
    cell: ({ shared }) =>
      shared.total === 0 ? (
        <span className="faint">—</span>
      ) : (
        <span className="mono">
          <Untrusted text={shared.shown.map(({ value }) => value).join(', ')} most={90} />
        </span>
      ),
  },
  {
    id: 'overlap',
    head: 'Both at work',
    width: '7rem',
    align: 'end',
    cell: ({ overlap_ms }) => duration(Math.max(overlap_ms, 0)),
  },
]

export function CampaignEvidence({
  explanation,
}: {
  explanation: UseQueryResult<CampaignExplanation | null>
}) {
  return (
    <EvidencePanel
      name="Evidence of this campaign"
      explanation={explanation}
      pathOf={campaignPath}
      show={shownOf}
    />
  )
}

function shownOf(data: CampaignExplanation): EvidenceShown {
  const graph = campaignEvidence(data)
  const handoffs = data.edges.shown.flatMap((edge) => edge.handoffs.shown)
  return {
    graph,
    empty: graph.edges.length === 0 && (
      <Empty title="There is nothing between its identities">
        {data.identities.total < 2
          ? 'It has one identity, so there is nothing to hold together.'
          : GONE}
      </Empty>
    ),
    list: (
      <DataTable
        name="Pairs of identities"
        columns={COLUMNS}
        rows={data.edges.shown}
        keyOf={({ a, b }) => `${a} ${b}`}
        empty={null}
      />
    ),
    more: handoffs.length > 0 && <Handoffs handoffs={handoffs} />,
  }
}

function Handoffs({ handoffs }: { handoffs: readonly HandoffExplained[] }) {
  return (
    <div>
      <h3>Deckies that were handed on</h3>
      <ul className="ranked">
        {handoffs.map(({ decky, from, to, left, taken, gap_ms }) => (
          <li key={`${decky} ${from} ${to} ${taken.time}`}>
            <span className="name">
              <Untrusted text={decky} most={60} />: <IdentityLink uuid={from} /> left after{' '}
              {left.phase}, <IdentityLink uuid={to} /> went on with {taken.phase}
            </span>
            <span className="faint">
              {duration(Math.max(gap_ms, 0))} later, <When at={taken.time} />
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}
