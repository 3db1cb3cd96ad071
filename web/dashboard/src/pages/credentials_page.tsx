/** Credentials that were tried. */

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Link, useNavigate } from 'react-router'
import { credentialsQuery, reuseListQuery } from '../api/queries.ts'
import type { Credential } from '../api/types.ts'
import { attackerPath } from '../components/attacker_cells.tsx'
import { Badge, type Tone } from '../components/badge.tsx'
import { CredentialTabs } from '../components/credential_tabs.tsx'
import type { Column } from '../components/data_table.tsx'
import { Drawer } from '../components/drawer.tsx'
import { Facts } from '../components/facts.tsx'
import { ListTable } from '../components/list_table.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Pager, usePaging, useParam } from '../components/pager.tsx'
import { SearchField } from '../components/search_field.tsx'
import { ATTEMPTS, LAST_TRIED, principalColumn, SECRET } from '../components/secret_columns.tsx'
import { SecretRows } from '../components/secret_rows.tsx'
import { Empty } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { grouped } from '../format/number.ts'

const LIMIT = 50
/** Findings that badges are looked up in. */
const REUSES = 500

const OUTCOMES: Readonly<Record<string, Tone>> = { success: 'bad', failure: 'neutral' }

const keyOf = (sha256: string, kind: string, principal: string | null): string =>
  JSON.stringify([sha256, kind, principal ?? ''])

export function CredentialsPage() {
  const navigate = useNavigate()
  const { go, ...paging } = usePaging(LIMIT)
  const [search, setSearch] = useParam('search')
  const [service, setService] = useParam('service')
  const [attacker_ip, setAttacker] = useParam('attacker_ip')
  const [opened, setOpened] = useState<Credential>()
  const { limit, offset } = paging
  const list = useQuery(credentialsQuery({ limit, offset, search, service, attacker_ip }))
  const reuses = useQuery(reuseListQuery({ limit: REUSES, offset: 0 }))
  const found = new Map(
    reuses.data?.data.map((one) => [
      keyOf(one.secret_sha256, one.secret_kind, one.principal_key),
      one,
    ]),
  )
  const reuseOf = (row: Credential) =>
    found.get(keyOf(row.secret_sha256, row.secret_kind, row.principal))
  const columns: readonly Column<Credential>[] = [
    principalColumn('9rem'),
    SECRET,
    {
      id: 'reuse',
      head: 'Reuse',
      width: '5.75rem',
      cell: (row) => {
        const reuse = reuseOf(row)
        if (!reuse) return <span className="faint">—</span>
        return (
          <Link
            className="badge badge-warn"
            to={`/credentials/reuse?open=${encodeURIComponent(reuse.id)}`}
          >
            {grouped(reuse.target_count)} targets
          </Link>
        )
      },
    },
    {
      id: 'kind',
      head: 'Kind',
      width: '6rem',
      cell: ({ secret_kind }) => <Untrusted text={secret_kind} most={40} />,
    },
    {
      id: 'service',
      head: 'Service',
      width: '5.25rem',
      cell: (row) => <Untrusted text={row.service} most={40} />,
    },
    {
      id: 'decky',
      head: 'Decky',
      width: '7rem',
      cell: ({ decky_name }) => <Untrusted text={decky_name} most={40} />,
    },
    {
      id: 'attacker',
      head: 'Attacker',
      width: '8.75rem',
      cell: (row) => (
        <span className="mono">
          {row.attacker_uuid === null ? (
            <Untrusted text={row.attacker_ip} most={40} />
          ) : (
            <Link to={attackerPath(row.attacker_uuid)}>
              <Untrusted text={row.attacker_ip} most={40} />
            </Link>
          )}
        </span>
      ),
    },
    {
      id: 'outcome',
      head: 'Outcome',
      width: '5.5rem',
      cell: ({ outcome }) =>
        outcome === null ? (
          <span className="faint">—</span>
        ) : (
          <Badge tone={OUTCOMES[outcome] ?? 'neutral'}>
            <Untrusted text={outcome} most={20} />
          </Badge>
        ),
    },
    ATTEMPTS,
    LAST_TRIED,
  ]
  return (
    <>
      <PageHead title="Credentials" name="Credentials" />
      <CredentialTabs />
      <div className="toolbar">
        <SearchField
          label="Principal, secret or decky"
          value={search}
          onChange={setSearch}
          maxLength={512}
        />
        <SearchField label="Service" value={service} onChange={setService} />
        <SearchField label="Attacker address" value={attacker_ip} onChange={setAttacker} />
        <Pager name="credentials" total={list.data?.total} paging={paging} go={go} />
      </div>
      <ListTable
        name="Credentials"
        columns={columns}
        keyOf={({ id }) => String(id)}
        limit={LIMIT}
        open={setOpened}
        empty={
          search + service + attacker_ip === '' ? (
            <Empty title="No credential was tried yet">
              The pipeline <code>ingest</code> keeps every login attempt on a decky.
            </Empty>
          ) : (
            <Empty title="No credential matches">
              <button type="button" className="button" onClick={() => navigate('/credentials')}>
                Clear the filters
              </button>
            </Empty>
          )
        }
        list={list}
        belowTabs
      />
      {opened && (
        <Drawer title="Credential" close={() => setOpened(undefined)}>
          <SecretRows row={opened} />
          <Facts
            facts={[
              ['Attempts', grouped(opened.attempt_count)],
              [
                'Outcome',
                opened.outcome === null ? null : <Untrusted key="o" text={opened.outcome} />,
              ],
              ['Kind', <Untrusted key="k" text={opened.secret_kind} />],
              ['Service', <Untrusted key="s" text={opened.service} />],
              ['Decky', <Untrusted key="d" text={opened.decky_name} />],
              ['Attacker', <Untrusted key="a" text={opened.attacker_ip} />],
              ['First seen', <When key="f" at={opened.first_seen} both />],
              ['Last seen', <When key="l" at={opened.last_seen} both />],
            ]}
          />
        </Drawer>
      )}
    </>
  )
}
