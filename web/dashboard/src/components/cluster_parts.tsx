/** What the pages of identities and campaigns have in common. */
import { useEffect, useRef, useState } from 'react'
import type { Campaign, Identity } from '../api/types.ts'
import { readTexts } from '../format/json_texts.ts'
import { grouped } from '../format/number.ts'
import { CopyButton } from './copy.tsx'
import type { Column } from './data_table.tsx'
import { Facts } from './facts.tsx'
import { Panel } from './panel.tsx'
import { Untrusted, UntrustedBlock } from './untrusted.tsx'
import { When } from './when.tsx'

const confidence = (value: number | null): string => (value === null ? '—' : value.toFixed(3))

type Cluster = Identity | Campaign

export const CLUSTER_TIMES: readonly Column<Cluster>[] = [
  {
    id: 'first',
    head: 'First seen',
    width: '9.5rem',
    align: 'end',
    cell: ({ first_seen_at }) => <When at={first_seen_at} />,
  },
  {
    id: 'last',
    head: 'Last seen',
    width: '9.5rem',
    align: 'end',
    cell: ({ last_seen_at }) => <When at={last_seen_at} />,
  },
  {
    id: 'updated',
    head: 'Changed',
    width: '9.5rem',
    align: 'end',
    cell: ({ updated_at }) => <When at={updated_at} />,
  },
]

export const CONFIDENCE: Column<Cluster> = {
  id: 'confidence',
  head: 'Confidence',
  width: '6rem',
  align: 'end',
  cell: (row) => confidence(row.confidence),
}

const CHIPS = [
  ['JA3', 'ja3_hashes'],
  ['HASSH', 'hassh_hashes'],
  ['Payload', 'payload_simhashes'],
  ['C2', 'c2_endpoints'],
] as const

/** How many of each kind. */
export function clusterCounts(row: Cluster): string {
  const parts = CHIPS.flatMap(([kind, column]) => {
    const { length } = readTexts(row[column])
    return length === 0 ? [] : [`${grouped(length)} ${kind}`]
  })
  return parts.length === 0 ? '—' : parts.join(' · ')
}

/** Chips that are shown of one kind. */
const MOST = 24

function FingerprintChips({ row }: { row: Cluster }) {
  const all = CHIPS.map(([kind, column]) => [kind, readTexts(row[column])] as const)
  if (all.every(([, values]) => values.length === 0)) {
    return <p className="faint">No fingerprint, payload or endpoint is known of it.</p>
  }
  return (
    <ul className="chips">
      {all.flatMap(([kind, values]) => [
        ...values.slice(0, MOST).map((value) => (
          <li key={`${kind} ${value}`} className="chip">
            <span className="chip-kind">{kind}</span>
            <span className="mono">
              <Untrusted text={value} most={kind === 'C2' ? 48 : 16} />
            </span>
            <CopyButton text={value} name={kind} />
          </li>
        )),
        ...(values.length > MOST
          ? [
              <li key={`${kind} more`} className="faint">
                and {grouped(values.length - MOST)} more {kind}
              </li>,
            ]
          : []),
      ])}
    </ul>
  )
}

export function ClusterFacts({ row, live, of }: { row: Cluster; live: number; of: string }) {
  return (
    <Panel title="Profile">
      <Facts
        facts={[
          [of, <strong key="live">{grouped(live)}</strong>],
          ['Confidence', confidence(row.confidence)],
          ['First seen', <When key="first" at={row.first_seen_at} />],
          ['Last seen', <When key="last" at={row.last_seen_at} />],
          ['Formed', <When key="formed" at={row.created_at} />],
          ['Changed', <When key="changed" at={row.updated_at} />],
          ['Known by', clusterCounts(row)],
          ['Schema version', row.schema_version],
        ]}
      />
      <div>
        <h3>Fingerprints, payloads and endpoints</h3>
        <FingerprintChips row={row} />
      </div>
      {row.notes !== null && row.notes !== '' && (
        <div>
          <h3>Notes</h3>
          <UntrustedBlock text={row.notes} />
        </div>
      )}
    </Panel>
  )
}

/** How long a row that has changed is marked, ms. */
const MARKED = 2500

/** @returns whether a row is another than it was at the last look, for as long as a mark lasts */
export function useChanged<T>(
  rows: readonly T[] | undefined,
  keyOf: (row: T) => string,
  versionOf: (row: T) => string,
): (row: T) => 'changed' | undefined {
  const seen = useRef<Map<string, string>>(undefined)
  const [changed, setChanged] = useState<ReadonlySet<string>>(new Set())
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows are what changes
  useEffect(() => {
    if (!rows) return undefined
    const before = seen.current
    seen.current = new Map(rows.map((row) => [keyOf(row), versionOf(row)]))
    const news = rows.filter((row) => before && before.get(keyOf(row)) !== versionOf(row))
    // All of them: another page, not news.
    if (!before || news.length === 0 || news.length === rows.length) return undefined
    setChanged(new Set(news.map(keyOf)))
    const timer = setTimeout(() => setChanged(new Set()), MARKED)
    return () => clearTimeout(timer)
  }, [rows])
  return (row) => (changed.has(keyOf(row)) ? 'changed' : undefined)
}
