/** Why some addresses are taken for one pair of hands: as a graph, and as a list of what they share. */
import type { UseQueryResult } from '@tanstack/react-query'
import type { IdentityExplanation, SharedExplained } from '../api/explanation_types.ts'
import { grouped } from '../format/number.ts'
import { identityEvidence } from '../graph/evidence.ts'
import { identityPath } from './attacker_cells.tsx'
import { Badge } from './badge.tsx'
import { CopyButton } from './copy.tsx'
import { type Column, DataTable } from './data_table.tsx'
import { EvidencePanel, GONE } from './evidence_panel.tsx'
import { BehindText } from './explained.tsx'
import { Empty } from './state.tsx'
import { Untrusted } from './untrusted.tsx'

const KINDS = { ja3: 'JA3', hassh: 'HASSH', payload: 'Payload', c2: 'C2' } as const

const COLUMNS: readonly Column<SharedExplained>[] = [
  { id: 'kind', head: 'Kind', width: '5rem', cell: ({ kind }) => KINDS[kind] },
  {
    id: 'value',
    head: 'Value',
    cell: ({ kind, value }) => (
      <>
        <span className="mono">
          <Untrusted text={value} most={40} />
        </span>
        <CopyButton text={value} name={KINDS[kind]} />
      </>
    ),
  },
  {
    id: 'holders',
    head: 'Addresses',
    width: '6rem',
    align: 'end',
    cell: ({ holders }) => grouped(holders),
  },
  {
    id: 'without',
    head: 'Without it',
    width: '9rem',
    cell: ({ without }) =>
      without === null ? (
        <span className="faint">still one</span>
      ) : (
        <Badge tone="warn" title="The identity falls apart into so many addresses">
          {without.map(grouped).join(' + ')}
        </Badge>
      ),
  },
  {
    id: 'apart',
    head: 'Kept apart',
    width: '6rem',
    align: 'end',
    cell: ({ apart }) => (apart === 0 ? <span className="faint">—</span> : grouped(apart)),
  },
  {
    id: 'behind',
    head: 'Known from',
    width: '15rem',
    cell: ({ links }) => <BehindText behind={links.shown[0]?.behind ?? null} />,
  },
]

export function IdentityEvidence({
  explanation,
}: {
  explanation: UseQueryResult<IdentityExplanation | null>
}) {
  return (
    <EvidencePanel
      name="Evidence of this identity"
      explanation={explanation}
      pathOf={identityPath}
      show={(data) => ({
        graph: identityEvidence(data),
        empty: data.shared.total === 0 && (
          <Empty title="Its addresses share nothing">
            {data.observations.total < 2
              ? 'It has one address, so there is nothing to hold together.'
              : GONE}
          </Empty>
        ),
        list: (
          <DataTable
            name="What its addresses share"
            columns={COLUMNS}
            rows={data.shared.shown}
            keyOf={({ kind, value }) => `${kind} ${value}`}
            empty={null}
          />
        ),
      })}
    />
  )
}
