/** Secrets that were tried on several targets. */

import { useQuery } from '@tanstack/react-query'
import { useSearchParams } from 'react-router'
import { reuseListQuery } from '../api/queries.ts'
import type { Reuse } from '../api/types.ts'
import { Names } from '../components/attacker_cells.tsx'
import { CredentialTabs } from '../components/credential_tabs.tsx'
import type { Column } from '../components/data_table.tsx'
import { ListTable } from '../components/list_table.tsx'
import { LiveStatus } from '../components/live_status.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Pager, usePaging, useParam } from '../components/pager.tsx'
import { ReuseDrawer } from '../components/reuse_drawer.tsx'
import { SearchField } from '../components/search_field.tsx'
import { ATTEMPTS, LAST_TRIED, principalColumn, SECRET } from '../components/secret_columns.tsx'
import { Empty } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { grouped } from '../format/number.ts'
import { useStream } from '../live/streams.ts'
import { useRefetch } from '../live/use_refetch.ts'

const LIMIT = 25
const COLUMNS: readonly Column<Reuse>[] = [
  principalColumn('11rem'),
  SECRET,
  {
    id: 'kind',
    head: 'Kind',
    width: '7rem',
    cell: (row) => <Untrusted text={row.secret_kind} most={40} />,
  },
  {
    id: 'targets',
    head: 'Targets',
    width: '5rem',
    align: 'end',
    cell: (row) => grouped(row.target_count),
  },
  ATTEMPTS,
  {
    id: 'attackers',
    head: 'Attackers',
    width: '5.5rem',
    align: 'end',
    cell: (row) => grouped(row.attacker_ips.length),
  },
  {
    id: 'services',
    head: 'Services',
    width: '11rem',
    cell: (row) => <Names names={row.services} />,
  },
  {
    id: 'confidence',
    head: 'Confidence',
    width: '6rem',
    align: 'end',
    cell: (row) => row.confidence.toFixed(2),
  },
  LAST_TRIED,
]

export function ReusePage() {
  const { go, ...paging } = usePaging(LIMIT)
  const [kind, setKind] = useParam('kind')
  const [least, setLeast] = useParam('targets')
  const [opened] = useParam('open')
  const [, setParams] = useSearchParams()
  // The page of the list stays where it is.
  const setOpened = (id: string) =>
    setParams((old) => {
      const next = new URLSearchParams(old)
      if (id === '') next.delete('open')
      else next.set('open', id)
      return next
    })
  const { limit, offset } = paging
  const min_target_count = /^\d{1,6}$/.test(least) ? Math.max(Number(least), 2) : 2
  const list = useQuery(reuseListQuery({ limit, offset, secret_kind: kind, min_target_count }))
  const refetch = useRefetch([['list', '/credential-reuse']])
  const status = useStream('reuse', refetch)
  return (
    <>
      <PageHead
        title="Credentials"
        name="Credential reuse"
        actions={<LiveStatus status={status} />}
      />
      <CredentialTabs />
      <div className="toolbar">
        <SearchField label="Kind of secret" value={kind} onChange={setKind} maxLength={32} />
        <label className="soft">
          At least{' '}
          <select
            className="select"
            value={String(min_target_count)}
            onChange={(event) => setLeast(event.target.value === '2' ? '' : event.target.value)}
          >
            {[...new Set([2, 3, 5, 10, 50, min_target_count])]
              .sort((a, b) => a - b)
              .map((count) => (
                <option key={count} value={count}>
                  {count} targets
                </option>
              ))}
          </select>
        </label>
        <Pager name="reused secrets" total={list.data?.total} paging={paging} go={go} />
      </div>
      <ListTable
        name="Reused secrets"
        columns={COLUMNS}
        keyOf={({ id }) => id}
        limit={LIMIT}
        open={({ id }) => setOpened(id)}
        marked={({ id }) => (id === opened ? 'chosen' : undefined)}
        empty={
          <Empty title="No secret was used on several targets">
            The pipeline <code>reuse-correlator</code> finds them among the credentials.
          </Empty>
        }
        list={list}
        belowTabs
      />
      {opened !== '' && <ReuseDrawer id={opened} close={() => setOpened('')} />}
    </>
  )
}
