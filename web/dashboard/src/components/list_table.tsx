/** The long table of a page that is a list: as tall as the window, fifty rows at a time. */
import type { UseQueryResult } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import type { Page } from '../api/types.ts'
import { type Column, DataTable } from './data_table.tsx'

interface ListTableProps<T> {
  readonly name: string
  readonly list: UseQueryResult<Page<T>>
  /** rows of a page */
  readonly limit: number
  readonly columns: readonly Column<T>[]
  readonly keyOf: (row: T) => string
  readonly open: (row: T) => void
  readonly empty: ReactNode
  readonly marked?: (row: T) => 'changed' | 'chosen' | undefined
  readonly sortedBy?: string
  readonly onSort?: (sort: string) => void
  /** whether tabs stand above it */
  readonly belowTabs?: boolean
}

export function ListTable<T>({ list, limit, belowTabs = false, ...table }: ListTableProps<T>) {
  return (
    <div className={`panel page-table ${belowTabs ? 'page-table-tabs' : ''}`}>
      <DataTable
        {...table}
        rows={list.data?.data}
        error={list.error}
        retry={() => void list.refetch()}
        stale={list.isPlaceholderData}
        expected={limit}
      />
    </div>
  )
}
