/** What the rows that a replay wrote say was found, at its end. */
import { useQuery } from '@tanstack/react-query'
import { findingsQuery } from '../api/replay_queries.ts'
import type { Findings } from '../api/replay_types.ts'
import { Figures } from '../components/facts.tsx'
import { Panel } from '../components/panel.tsx'
import { Empty, Failure, Skeleton } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { counted, grouped } from '../format/number.ts'

const TOTALS: readonly (readonly [keyof Findings['totals'], string])[] = [
  ['events', 'Events'],
  ['attackers', 'Attackers'],
  ['identities', 'Identities'],
  ['campaigns', 'Campaigns'],
  ['credentials', 'Credentials'],
  ['reused', 'Reused secrets'],
  ['bounties', 'Bounties'],
]

export function FindingsPanel({ replay }: { replay: string }) {
  const query = useQuery(findingsQuery(replay))
  const { data } = query
  if (query.error) {
    return (
      <Panel title="Found by the end">
        <Failure error={query.error} retry={() => void query.refetch()} />
      </Panel>
    )
  }
  if (!data) return <Skeleton lines={8} />
  return (
    <Panel title="Found by the end">
      <Figures figures={TOTALS.map(([name, head]) => [head, grouped(data.totals[name])])} />
      {data.totals.events === 0 && (
        <Empty title="No rows were written">
          These pipelines write no logs, or nothing of the capture was for them.
        </Empty>
      )}
      <div className="columns">
        <Ranked
          head="Attackers"
          rows={data.attackers.map(({ name, events }) => [name, counted(events, 'event')])}
        />
        <Ranked
          head="Deckies"
          rows={data.deckies.map(({ name, events }) => [name, counted(events, 'event')])}
        />
        <Ranked
          head="Credentials"
          rows={data.credentials.map(({ principal, secret, attempts }) => [
            `${principal ?? '—'} / ${secret ?? '—'}`,
            counted(attempts, 'attempt'),
          ])}
        />
      </div>
    </Panel>
  )
}

function Ranked({ head, rows }: { head: string; rows: readonly (readonly [string, string])[] }) {
  if (rows.length === 0) return null
  return (
    <section>
      <h3>{head}</h3>
      <ul className="ranked" aria-label={head}>
        {rows.slice(0, 8).map(([name, count], index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two may look the same
          <li key={index}>
            <span className="name">
              <Untrusted text={name} most={80} />
            </span>
            <span className="soft">{count}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}
