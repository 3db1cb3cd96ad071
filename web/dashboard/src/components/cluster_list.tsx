/** The page of identities and that of campaigns: a list that follows its stream. */
import { type UseQueryOptions, useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { useNavigate } from 'react-router'
import type { Campaign, Identity, Page } from '../api/types.ts'
import { useStream } from '../live/streams.ts'
import { useRefetch } from '../live/use_refetch.ts'
import { useChanged } from './cluster_parts.tsx'
import type { Column } from './data_table.tsx'
import { ListTable } from './list_table.tsx'
import { LiveStatus } from './live_status.tsx'
import { PageHead } from './page_head.tsx'
import { Pager, usePaging } from './pager.tsx'

const LIMIT = 50

interface ClusterListProps<T, K extends readonly unknown[]> {
  readonly title: string
  /** its stream, and its path in the API */
  readonly name: 'identities' | 'campaigns'
  /** what a row of it is */
  readonly note: string
  readonly query: (paging: {
    readonly limit: number
    readonly offset: number
  }) => UseQueryOptions<Page<T>, Error, Page<T>, K>
  readonly columns: readonly Column<T>[]
  readonly pathOf: (uuid: string) => string
  readonly empty: ReactNode
}

export function ClusterList<T extends Identity | Campaign, K extends readonly unknown[]>({
  title,
  name,
  note,
  query,
  columns,
  pathOf,
  empty,
}: ClusterListProps<T, K>) {
  const navigate = useNavigate()
  const { go, ...paging } = usePaging(LIMIT)
  const { limit, offset } = paging
  const list = useQuery(query({ limit, offset }))
  const refetch = useRefetch([['list', `/${name}`]])
  const status = useStream(name, refetch)
  const marked = useChanged(
    list.data?.data,
    ({ uuid }) => uuid,
    ({ updated_at }) => updated_at,
  )
  return (
    <>
      <PageHead title={title} name={title} actions={<LiveStatus status={status} />} />
      <div className="toolbar">
        <p className="soft">{note}</p>
        <Pager name={name} total={list.data?.total} paging={paging} go={go} />
      </div>
      <ListTable
        name={title}
        list={list}
        limit={LIMIT}
        columns={columns}
        keyOf={({ uuid }) => uuid}
        open={({ uuid }) => navigate(pathOf(uuid))}
        marked={marked}
        empty={empty}
      />
    </>
  )
}
