/** What was typed from an address. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { commandsQuery } from '../api/queries.ts'
import type { Command } from '../api/types.ts'
import { type Column, DataTable } from './data_table.tsx'
import { Drawer } from './drawer.tsx'
import { Pager, usePaging, useParam } from './pager.tsx'
import { Panel } from './panel.tsx'
import { Empty } from './state.tsx'
import { Untrusted, UntrustedBlock } from './untrusted.tsx'
import { When } from './when.tsx'

const LIMIT = 50
const COLUMNS: readonly Column<Command>[] = [
  { id: 'time', head: 'Time', width: '9.5rem', cell: ({ timestamp }) => <When at={timestamp} /> },
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
    cell: (row) => <Untrusted text={row.decky} most={40} />,
  },
  {
    id: 'command',
    head: 'Command',
    cell: ({ command }) => (
      <span className="mono">
        <Untrusted text={command} most={240} />
      </span>
    ),
  },
]

export function AttackerCommands({
  uuid,
  services,
}: {
  uuid: string
  services: readonly string[]
}) {
  const { go, ...paging } = usePaging(LIMIT)
  const [service, setService] = useParam('service')
  const [opened, setOpened] = useState<Command>()
  const { limit, offset } = paging
  const list = useQuery(commandsQuery(uuid, { limit, offset, service }))
  return (
    <Panel
      title="Commands"
      flush
      aside={
        <>
          <label>
            Service{' '}
            <select
              className="select"
              value={service}
              onChange={(event) => setService(event.target.value)}
            >
              <option value="">all</option>
              {[...new Set([...services, ...(service === '' ? [] : [service])])].map((one) => (
                <option key={one}>{one}</option>
              ))}
            </select>
          </label>
          <Pager name="commands" total={list.data?.total} paging={paging} go={go} />
        </>
      }
    >
      <DataTable
        name="Commands of this attacker"
        columns={COLUMNS}
        rows={list.data?.data.slice()}
        keyOf={(row) => `${list.data?.data.indexOf(row)}`}
        error={list.error}
        retry={() => void list.refetch()}
        stale={list.isPlaceholderData}
        expected={3}
        open={setOpened}
        empty={<Empty title="It typed nothing" />}
      />
      {opened && (
        <Drawer title="Command" close={() => setOpened(undefined)}>
          <p>
            <Untrusted text={`${opened.decky} · ${opened.service}`} most={80} /> ·{' '}
            <When at={opened.timestamp} both />
          </p>
          <UntrustedBlock text={opened.command} most={4000} />
        </Drawer>
      )}
    </Panel>
  )
}
