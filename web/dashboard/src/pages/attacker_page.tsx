/** All that is known of one address. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useParams } from 'react-router'
import { attackerExplanationQuery, attackerQuery, intelQuery } from '../api/queries.ts'
import type { AttackerDetail } from '../api/types.ts'
import { identityPath } from '../components/attacker_cells.tsx'
import { AttackerCommands } from '../components/attacker_commands.tsx'
import { AttackerCredentials } from '../components/attacker_credentials.tsx'
import { AttackerEvidence } from '../components/attacker_evidence.tsx'
import { AttackerFiles } from '../components/attacker_files.tsx'
import { AttackerTimeline } from '../components/attacker_timeline.tsx'
import { Badge } from '../components/badge.tsx'
import { BehaviorPanel } from '../components/behavior_panel.tsx'
import { CopyButton } from '../components/copy.tsx'
import { Facts, Figures } from '../components/facts.tsx'
import { FingerprintPanel } from '../components/fingerprint_panel.tsx'
import { LiveStatus } from '../components/live_status.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Panel } from '../components/panel.tsx'
import { Failure, Skeleton } from '../components/state.tsx'
import { TcpStack } from '../components/tcp_stack.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { asText } from '../format/json_texts.ts'
import { grouped } from '../format/number.ts'
import { concerns } from '../live/refetch.ts'
import { useStream } from '../live/streams.ts'
import { useRefetch } from '../live/use_refetch.ts'

export function AttackerPage() {
  const { uuid = '' } = useParams()
  const attacker = useQuery(attackerQuery(uuid))
  const explanation = useQuery(attackerExplanationQuery(uuid))
  const { data } = attacker
  const refetch = useRefetch([
    attackerQuery(uuid).queryKey,
    attackerExplanationQuery(uuid).queryKey,
  ])
  const status = useStream('identities', (event) => {
    if (concerns(event, [uuid, data?.identity_id])) refetch()
  })
  const actions = <LiveStatus status={status} />
  if (attacker.error && !data) {
    return (
      <>
        <PageHead title="Attacker" name="Attacker" actions={actions} />
        <Failure error={attacker.error} retry={() => void attacker.refetch()} />
      </>
    )
  }
  if (!data) {
    return (
      <>
        <PageHead title="Attacker" name="Attacker" actions={actions} />
        <Skeleton lines={16} />
      </>
    )
  }
  return (
    <>
      <PageHead
        name={data.ip}
        title={
          <span className="mono">
            <Untrusted text={data.ip} /> <CopyButton text={data.ip} name="address" />
          </span>
        }
        badges={<HeadBadges data={data} />}
        actions={actions}
      />
      <div className="stack">
        <Figures
          figures={[
            ['Events', grouped(data.event_count)],
            ['Bounties', grouped(data.bounty_count)],
            ['Credentials', grouped(data.credential_count)],
            ['Services', grouped(data.service_count)],
            ['Deckies', grouped(data.decky_count)],
            ['First seen', <When key="first" at={data.first_seen} />],
            ['Last seen', <When key="last" at={data.last_seen} />],
          ]}
        />
        <AttackerTimeline ip={data.ip} first={data.first_seen} last={data.last_seen} />
        <div className="columns">
          <div className="stack">
            <ServicesPanel data={data} />
            <PathPanel data={data} />
            {data.behavior && <TcpStack behavior={data.behavior} />}
          </div>
          <div className="stack">
            {data.behavior && <BehaviorPanel behavior={data.behavior} />}
            <FingerprintPanel fingerprints={data.fingerprints} />
            <LeaksPanel data={data} />
            <IntelPanel uuid={uuid} />
          </div>
        </div>
        <AttackerCommands uuid={uuid} services={data.services} />
        <AttackerCredentials ip={data.ip} />
        <AttackerFiles uuid={uuid} />
        {explanation.data && <AttackerEvidence explained={explanation.data} />}
      </div>
    </>
  )
}

function HeadBadges({ data }: { data: AttackerDetail }) {
  const { country_code, country_source, is_traversal, identity_id } = data
  return (
    <>
      {country_code !== null && (
        <Badge {...(country_source !== null && { title: `by ${country_source}` })}>
          <Untrusted text={country_code} most={8} />
        </Badge>
      )}
      {is_traversal && <Badge tone="warn">TRAVERSAL</Badge>}
      {identity_id !== null && (
        <Link className="badge badge-accent" to={identityPath(identity_id)}>
          IDENTITY {identity_id.slice(0, 8)}
        </Link>
      )}
    </>
  )
}

function ServicesPanel({ data }: { data: AttackerDetail }) {
  const { interacted, scanned } = data.service_activity
  const groups = [
    ['Interacted with', interacted, 'accent'],
    ['Scanned', scanned, 'neutral'],
  ] as const
  return (
    <Panel title="Services">
      {groups.map(([name, services, tone]) => (
        <div key={name}>
          <h3>{name}</h3>
          <p className="chips">
            {services.length === 0 && <span className="faint">none</span>}
            {services.map((service) => (
              <Badge key={service} tone={tone}>
                <Untrusted text={service} most={40} />
              </Badge>
            ))}
          </p>
        </div>
      ))}
    </Panel>
  )
}

function PathPanel({ data }: { data: AttackerDetail }) {
  const { traversal_path, deckies } = data
  const path = traversal_path ? traversal_path.split(/\s*(?:->|→|,)\s*/) : deckies
  return (
    <Panel title={traversal_path ? 'Way through the deckies' : 'Deckies'}>
      <ol className="path">
        {path.map((decky, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a way may come by twice
          <li key={index} className="path">
            {index > 0 && traversal_path && <span aria-hidden>→</span>}
            <Badge>
              <Untrusted text={decky} most={60} />
            </Badge>
          </li>
        ))}
      </ol>
    </Panel>
  )
}

function LeaksPanel({ data }: { data: AttackerDetail }) {
  const { ip_leaks, ip_leaks_total } = data
  const [open, setOpen] = useState(false)
  if (ip_leaks_total === 0) return null
  return (
    <Panel title="Addresses it let slip" aside={`${grouped(ip_leaks_total)} in all`}>
      <ul className="ranked">
        {ip_leaks.slice(0, open ? ip_leaks.length : 4).map(({ id, timestamp, payload }) => (
          <li key={id}>
            <span className="name mono">
              <Untrusted
                text={Object.entries(payload)
                  .map(([name, value]) => `${name} ${asText(value)}`)
                  .join(' · ')}
                most={160}
              />
            </span>
            <When at={timestamp} />
          </li>
        ))}
      </ul>
      {ip_leaks.length > 4 && (
        <button type="button" className="link-button" onClick={() => setOpen(!open)}>
          {open ? 'Show fewer' : 'Show the ten newest'}
        </button>
      )}
    </Panel>
  )
}

function IntelPanel({ uuid }: { uuid: string }) {
  const { data } = useQuery(intelQuery(uuid))
  if (!data) return null
  const known = Object.entries(data).filter(
    ([, value]) => value !== null && value !== '' && typeof value !== 'object',
  )
  return (
    <Panel title="Intelligence">
      <Facts
        facts={known.map(([name, value]) => [
          name.replaceAll('_', ' '),
          <Untrusted key={name} text={asText(value)} most={200} />,
        ])}
      />
    </Panel>
  )
}
