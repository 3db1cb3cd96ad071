/** Parts of explanations that all of them have. */
import { TriangleAlert } from 'lucide-react'
import { Link } from 'react-router'
import type { Behind, CampaignExplanation, IdentityExplanation } from '../api/explanation_types.ts'
import { counted, grouped } from '../format/number.ts'
import { Hash } from './copy.tsx'
import { When } from './when.tsx'

export function Doubts({ doubts }: { doubts: readonly string[] }) {
  if (doubts.length === 0) return null
  return (
    <ul className="doubts" aria-label="Doubts">
      {doubts.map((doubt) => (
        <li key={doubt}>
          <TriangleAlert size={14} aria-hidden />
          {doubt}
        </li>
      ))}
    </ul>
  )
}

/** How many records say so, and since when. */
export function BehindText({ behind }: { behind: Behind | null }) {
  if (behind === null) return <span className="faint">no record says so any more</span>
  return (
    <span title={`first by event ${behind.first.event_id}`}>
      {counted(behind.count, 'record')}, first <When at={behind.first.time} />
    </span>
  )
}

/** What is merged into a cluster, and whether evidence still bears that. */
export function MergedList({
  explained,
  pathOf,
}: {
  explained: IdentityExplanation | CampaignExplanation
  pathOf: (uuid: string) => string
}) {
  const { merged } = explained
  if (merged.total === 0) return null
  return (
    <div>
      <h3>{counted(merged.total, 'merge')} made it what it is</h3>
      <ul className="ranked">
        {merged.shown.map(({ uuid, members, holds }) => (
          <li key={uuid}>
            <span className="name">
              <Hash text={uuid} name="uuid" /> {counted(members, 'member')}
            </span>
            <Link to={pathOf(uuid)} className={holds === false ? 'status status-warn' : 'faint'}>
              {holds === false ? 'no longer borne by evidence' : holds ? 'holds' : 'no members'}
            </Link>
          </li>
        ))}
      </ul>
    </div>
  )
}

export const recordsText = (records: { read: number; addresses: number }): string =>
  `${grouped(records.read)} records of ${counted(records.addresses, 'address', 'addresses')} were read`

/** What colours of the graph mean. */
export function EvidenceLegend({ bridges }: { bridges: number | null }) {
  return (
    <span className="legend">
      <span>
        <i aria-hidden /> link
      </span>
      <span className="key-bridge">
        <i aria-hidden className="key-bridge" />{' '}
        {bridges === null ? 'too much to tell bridges' : counted(bridges, 'bridge')}
      </span>
    </span>
  )
}
