/** Columns that every table of addresses has. */
import { Link } from 'react-router'
import type { Attacker } from '../api/types.ts'
import { grouped } from '../format/number.ts'
import { Badge } from './badge.tsx'
import { Hash } from './copy.tsx'
import type { Column } from './data_table.tsx'
import { Untrusted } from './untrusted.tsx'
import { When } from './when.tsx'

export const attackerPath = (uuid: string): string => `/attackers/${encodeURIComponent(uuid)}`
export const identityPath = (uuid: string): string => `/identities/${encodeURIComponent(uuid)}`
export const campaignPath = (uuid: string): string => `/campaigns/${encodeURIComponent(uuid)}`

/** @param names of services or deckies: as many as there is room for */
export function Names({ names }: { names: readonly string[] }) {
  return names.length === 0 ? (
    <span className="faint">—</span>
  ) : (
    <Untrusted text={names.join(', ')} most={120} />
  )
}

export const ADDRESS: Column<Attacker> = {
  id: 'ip',
  head: 'Address',
  width: '11rem',
  cell: ({ uuid, ip }) => (
    <Link to={attackerPath(uuid)} className="mono">
      <Untrusted text={ip} />
    </Link>
  ),
}

export const COUNTRY: Column<Attacker> = {
  id: 'country',
  head: 'Country',
  width: '4.75rem',
  cell: ({ country_code, country_source }) =>
    country_code === null ? (
      <span className="faint">—</span>
    ) : (
      <span title={country_source === null ? undefined : `by ${country_source}`}>
        <Untrusted text={country_code} />
      </span>
    ),
}

export const EVENTS: Column<Attacker> = {
  id: 'events',
  head: 'Events',
  width: '5.5rem',
  align: 'end',
  sort: 'active',
  cell: ({ event_count }) => grouped(event_count),
}

export const LAST_SEEN: Column<Attacker> = {
  id: 'last',
  head: 'Last seen',
  width: '9.5rem',
  align: 'end',
  sort: 'recent',
  cell: ({ last_seen }) => <When at={last_seen} />,
}

export const FIRST_SEEN: Column<Attacker> = {
  id: 'first',
  head: 'First seen',
  width: '9.5rem',
  align: 'end',
  cell: ({ first_seen }) => <When at={first_seen} />,
}

export const IDENTITY: Column<Attacker> = {
  id: 'identity',
  head: 'Identity',
  width: '6.5rem',
  cell: ({ identity_id }) =>
    identity_id === null ? (
      <span className="faint">—</span>
    ) : (
      <Hash text={identity_id} name="identity" to={identityPath(identity_id)} copy={false} />
    ),
}

export const SERVICES: Column<Attacker> = {
  id: 'services',
  head: 'Services',
  cell: ({ services }) => <Names names={services} />,
}

export const DECKIES: Column<Attacker> = {
  id: 'deckies',
  head: 'Deckies',
  width: '6.5rem',
  align: 'end',
  sort: 'traversals',
  cell: ({ decky_count, is_traversal }) => (
    <>
      {is_traversal && (
        <Badge tone="warn" title="It went from one decky to another">
          traversal
        </Badge>
      )}{' '}
      {grouped(decky_count)}
    </>
  ),
}

export const BEHAVIOR: Column<Attacker> = {
  id: 'behavior',
  head: 'Behaviour',
  width: '8rem',
  cell: ({ behavior }) =>
    behavior === null ? (
      <span className="faint">—</span>
    ) : (
      <Untrusted text={behavior.behavior_class} />
    ),
}
