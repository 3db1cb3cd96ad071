/** One secret that was used again: where, by whom, and why that makes a finding. */
import { useQuery } from '@tanstack/react-query'
import { Check } from 'lucide-react'
import { Link } from 'react-router'
import { reuseExplanationQuery, reuseQuery } from '../api/queries.ts'
import type { Reuse } from '../api/types.ts'
import { counted, grouped } from '../format/number.ts'
import { attackerPath } from './attacker_cells.tsx'
import { Drawer } from './drawer.tsx'
import { BehindText, Doubts } from './explained.tsx'
import { Facts } from './facts.tsx'
import { SecretRows } from './secret_rows.tsx'
import { Failure, Skeleton } from './state.tsx'
import { Untrusted } from './untrusted.tsx'
import { When } from './when.tsx'

export function ReuseDrawer({ id, close }: { id: string; close: () => void }) {
  const reuse = useQuery(reuseQuery(id))
  const { data } = reuse
  return (
    <Drawer title="Reused secret" close={close}>
      {reuse.error && !data && <Failure error={reuse.error} retry={() => void reuse.refetch()} />}
      {!data && !reuse.error && <Skeleton lines={10} />}
      {data && (
        <>
          <SecretRows row={data} />
          <Facts
            facts={[
              ['Kind', <Untrusted key="k" text={data.secret_kind} />],
              ['Targets', grouped(data.target_count)],
              ['Attempts', grouped(data.attempt_count)],
              ['Confidence', data.confidence.toFixed(2)],
              ['First seen', <When key="f" at={data.first_seen} />],
              ['Last seen', <When key="l" at={data.last_seen} />],
            ]}
          />
          <TargetMatrix data={data} />
          <Attackers data={data} />
          <Why id={id} />
        </>
      )}
    </Drawer>
  )
}

/** Rows and columns that are shown. */
const MOST = 30

function TargetMatrix({ data }: { data: Reuse }) {
  const tried = new Set(data.targets.map(({ decky, service }) => JSON.stringify([decky, service])))
  const deckies = data.deckies.slice(0, MOST)
  const services = data.services.slice(0, MOST)
  return (
    <section>
      <h3>Where it was tried</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section className="table-box" tabIndex={0} aria-label="Deckies and services">
        <table className="matrix">
          <thead>
            <tr>
              <td />
              {services.map((service) => (
                <th key={service} scope="col">
                  <Untrusted text={service} most={24} />
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {deckies.map((decky) => (
              <tr key={decky}>
                <th scope="row">
                  <Untrusted text={decky} most={40} />
                </th>
                {services.map((service) => {
                  const hit = tried.has(JSON.stringify([decky, service]))
                  return (
                    <td key={service} className={hit ? 'hit' : undefined}>
                      {hit ? <Check size={14} aria-label="tried" /> : null}
                    </td>
                  )
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      {data.deckies.length > MOST && (
        <p className="faint">
          and {counted(data.deckies.length - MOST, 'more decky', 'more deckies')}
        </p>
      )}
    </section>
  )
}

function Attackers({ data }: { data: Reuse }) {
  const { attacker_uuids, attacker_ips } = data
  return (
    <section>
      <h3>
        {counted(attacker_ips.length, 'address', 'addresses')}
        {attacker_uuids.length === 0 && ' · profiling pending'}
      </h3>
      <p className="chips">
        {attacker_ips.slice(0, MOST).map((ip) => (
          <Link
            key={ip}
            className="badge badge-link mono"
            to={`/attackers?search=${encodeURIComponent(ip)}`}
          >
            <Untrusted text={ip} most={45} />
          </Link>
        ))}
      </p>
      {attacker_uuids.length > 0 && (
        <p className="chips">
          <span className="faint">profiles</span>
          {attacker_uuids.slice(0, MOST).map((uuid) => (
            <Link key={uuid} className="badge badge-link mono" to={attackerPath(uuid)}>
              {uuid.slice(0, 8)}
            </Link>
          ))}
        </p>
      )}
    </section>
  )
}

function Why({ id }: { id: string }) {
  const { data } = useQuery(reuseExplanationQuery(id))
  if (!data) return null
  return (
    <section>
      <h3>Why it is a finding</h3>
      <p className="sentence">{data.rule}.</p>
      <ul className="ranked">
        {data.targets.shown.map(({ decky, service, attempts, behind }) => (
          <li key={JSON.stringify([decky, service])}>
            <span className="name">
              <Untrusted text={`${decky} · ${service}`} most={60} /> {counted(attempts, 'attempt')}
            </span>
            <BehindText behind={behind} />
          </li>
        ))}
      </ul>
      <Doubts doubts={data.doubts} />
    </section>
  )
}
