/**
 * The table of all pages: rows of one height, so that live changes move nothing, a head that stays, and
 * the keyboard: arrows, Home and End go through the rows, Enter opens one.
 */
import { ArrowDown } from 'lucide-react'
import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react'
import { Failure } from './state.tsx'

export interface Column<T> {
  readonly id: string
  readonly head: string
  readonly cell: (row: T) => ReactNode
  /** CSS width; what is left over is shared by the columns without one */
  readonly width?: string
  readonly align?: 'end'
  /** what the API sorts by */
  readonly sort?: string
}

interface DataTableProps<T> {
  /** what the rows are, for those who do not see the table */
  readonly name: string
  readonly columns: readonly Column<T>[]
  /** undefined: not there yet */
  readonly rows: readonly T[] | undefined
  readonly keyOf: (row: T) => string
  readonly error?: unknown
  readonly retry?: () => void
  readonly empty: ReactNode
  readonly open?: (row: T) => void
  readonly sortedBy?: string
  readonly onSort?: (sort: string) => void
  /** rows of the skeleton: as many as will come */
  readonly expected?: number
  /** whether what is shown is about to be replaced */
  readonly stale?: boolean
  readonly marked?: (row: T) => 'changed' | 'chosen' | undefined
}

export function DataTable<T>(props: DataTableProps<T>) {
  const { name, columns, rows, keyOf, error, retry, empty, open, stale = false } = props
  const body = useRef<HTMLTableSectionElement>(null)
  const [current, setCurrent] = useState(0)
  const last = (rows?.length ?? 1) - 1
  const active = Math.min(current, Math.max(last, 0))
  const focusRow = (index: number) => {
    setCurrent(index)
    body.current?.rows[index]?.focus()
  }
  const onKeyDown = (event: KeyboardEvent, row: T, index: number) => {
    // Keys pressed on a link or a button inside are theirs.
    if (event.target !== event.currentTarget) return
    const to = targetOf(event.key, index, last)
    if (to !== undefined) {
      event.preventDefault()
      focusRow(to)
    } else if (event.key === 'Enter' && open) open(row)
  }
  if (error && rows === undefined) return <Failure error={error} retry={retry} />
  return (
    // biome-ignore lint/a11y/useSemanticElements: it is no landmark, and no set of fields
    <div
      className={`table-box ${stale ? 'stale' : ''}`}
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
      tabIndex={0}
      aria-label={name}
    >
      <table
        className="table"
        aria-busy={rows === undefined}
        style={{ minWidth: widthOf(columns) }}
      >
        <caption className="visually-hidden">{name}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <Head key={column.id} column={column} table={props} />
            ))}
          </tr>
        </thead>
        <tbody ref={body}>
          {rows?.map((row, index) => (
            <tr
              key={keyOf(row)}
              tabIndex={index === active ? 0 : -1}
              className={open ? 'openable' : undefined}
              data-mark={props.marked?.(row)}
              onFocus={() => setCurrent(index)}
              onKeyDown={(event) => onKeyDown(event, row, index)}
              onClick={(event) => {
                const isOwn = (event.target as Element).closest('a, button, summary') === null
                // Text that was marked with the mouse is to be copied, not left.
                if (isOwn && open && getSelection()?.isCollapsed !== false) open(row)
              }}
            >
              {columns.map(({ id, cell, align }) => (
                <td key={id} data-align={align}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
          {rows === undefined && (
            <SkeletonRows columns={columns.length} rows={props.expected ?? 10} />
          )}
        </tbody>
      </table>
      {rows?.length === 0 && empty}
    </div>
  )
}

/** Of a column without a width, at least. */
const ELSE = '9rem'

const widthOf = (columns: readonly { readonly width?: string }[]): string =>
  `calc(${columns.map(({ width = ELSE }) => width).join(' + ')})`

/** @returns the row that a key goes to */
function targetOf(key: string, index: number, last: number): number | undefined {
  if (key === 'ArrowDown' || key === 'j') return Math.min(index + 1, last)
  if (key === 'ArrowUp' || key === 'k') return Math.max(index - 1, 0)
  if (key === 'Home') return 0
  return key === 'End' ? last : undefined
}

function Head<T>({ column, table }: { column: Column<T>; table: DataTableProps<T> }) {
  const { id, head, width, align, sort } = column
  const { sortedBy, onSort } = table
  const isSorted = sort !== undefined && sort === sortedBy
  return (
    <th
      key={id}
      scope="col"
      data-align={align}
      {...(width !== undefined && { style: { width } })}
      aria-sort={isSorted ? 'descending' : undefined}
    >
      {sort !== undefined && onSort ? (
        <button type="button" className="sort-button" onClick={() => onSort(sort)}>
          {head}
          <ArrowDown size={12} aria-hidden className={isSorted ? 'sorted' : 'unsorted'} />
        </button>
      ) : (
        head
      )}
    </th>
  )
}

function SkeletonRows({ columns, rows }: { columns: number; rows: number }) {
  return Array.from({ length: rows }, (_, row) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
    <tr key={row} aria-hidden>
      {Array.from({ length: columns }, (_, column) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <td key={column}>
          <span className="skeleton" />
        </td>
      ))}
    </tr>
  ))
}
