/** Which records are behind what is said of an address. */
import type { AttackerExplanation, Concluded } from '../api/explanation_types.ts'
import { type Column, DataTable } from './data_table.tsx'
import { BehindText, Doubts, recordsText } from './explained.tsx'
import { Panel } from './panel.tsx'
import { Empty } from './state.tsx'
import { Untrusted } from './untrusted.tsx'

interface Row extends Concluded {
  readonly kind: string
}

const COLUMNS: readonly Column<Row>[] = [
  { id: 'kind', head: 'Conclusion', width: '9rem', cell: ({ kind }) => kind },
  {
    id: 'value',
    head: 'Value',
    cell: ({ value }) => (
      <span className="mono">
        <Untrusted text={value} most={200} />
      </span>
    ),
  },
  {
    id: 'behind',
    head: 'Known from',
    width: '16rem',
    cell: ({ behind }) => <BehindText behind={behind} />,
  },
]

export function AttackerEvidence({ explained }: { explained: AttackerExplanation }) {
  const { behavior, os, doubts, records } = explained
  const lists = [
    ['Tool', explained.tools],
    ['Service', explained.services],
    ['Fingerprint', explained.fingerprints],
    ['Payload', explained.payloads],
    ['C2 endpoint', explained.c2_endpoints],
    ['Command', explained.commands],
  ] as const
  const rows: readonly Row[] = [
    ...(behavior
      ? [{ kind: 'Class', value: `${behavior.class}: ${behavior.rule}`, behind: behavior.behind }]
      : []),
    ...(os ? [{ kind: 'System', value: os.value, behind: os.behind }] : []),
    ...lists.flatMap(([kind, list]) =>
      list.shown.map(({ value, behind }) => ({ kind, value, behind })),
    ),
  ]
  return (
    <Panel title="Evidence" flush aside={recordsText(records)}>
      {doubts.length > 0 && (
        <div className="panel-body">
          <Doubts doubts={doubts} />
        </div>
      )}
      <DataTable
        name="Evidence about this attacker"
        columns={COLUMNS}
        rows={rows}
        keyOf={({ kind, value }) => `${kind} ${value}`}
        empty={<Empty title="Nothing is concluded of it" />}
      />
    </Panel>
  )
}
