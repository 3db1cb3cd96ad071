/** Credentials that were tried from an address. */

import { useQuery } from '@tanstack/react-query'
import { Link } from 'react-router'
import { credentialsQuery } from '../api/queries.ts'
import type { Credential } from '../api/types.ts'
import { grouped } from '../format/number.ts'
import { type Column, DataTable } from './data_table.tsx'
import { Panel } from './panel.tsx'
import { ATTEMPTS, LAST_TRIED, principalColumn, SECRET } from './secret_columns.tsx'
import { Empty } from './state.tsx'
import { Untrusted } from './untrusted.tsx'

const LIMIT = 10
const COLUMNS: readonly Column<Credential>[] = [
  principalColumn('12rem'),
  SECRET,
  {
    id: 'service',
    head: 'Service',
    width: '6rem',
    cell: (row) => <Untrusted text={row.service} most={40} />,
  },
  {
    id: 'decky',
    head: 'Decky',
    width: '8rem',
    cell: (row) => <Untrusted text={row.decky_name} most={40} />,
  },
  {
    id: 'outcome',
    head: 'Outcome',
    width: '6.5rem',
    cell: (row) => <Untrusted text={row.outcome ?? '—'} most={20} />,
  },
  ATTEMPTS,
  LAST_TRIED,
]

export function AttackerCredentials({ ip }: { ip: string }) {
  const list = useQuery(credentialsQuery({ limit: LIMIT, offset: 0, attacker_ip: ip }))
  const total = list.data?.total
  return (
    <Panel
      title="Credentials"
      flush
      aside={
        <Link to={`/credentials?attacker_ip=${encodeURIComponent(ip)}`}>
          {total === undefined ? 'All' : `All ${grouped(total)}`}
        </Link>
      }
    >
      <DataTable
        name="Credentials tried by this attacker"
        columns={COLUMNS}
        rows={list.data?.data}
        keyOf={({ id }) => String(id)}
        error={list.error}
        retry={() => void list.refetch()}
        expected={3}
        empty={<Empty title="It tried no credential" />}
      />
    </Panel>
  )
}
