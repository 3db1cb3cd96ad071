/** Which part of a list is shown, held in the address of the page. */
import { ChevronLeft, ChevronRight } from 'lucide-react'
import { useSearchParams } from 'react-router'
import { grouped } from '../format/number.ts'
import { type Paging, readPaging } from '../format/paging.ts'

/** @param prefix where a page has two lists @returns paging and a filter by name, out of the address */
export function usePaging(limit: number, prefix = ''): Paging & { go: (page: number) => void } {
  const [params, setParams] = useSearchParams()
  const name = `${prefix}page`
  const paging = readPaging(params.get(name), limit)
  return {
    ...paging,
    go(page) {
      setParams((old) => {
        const next = new URLSearchParams(old)
        if (page <= 1) next.delete(name)
        else next.set(name, String(page))
        return next
      })
    },
  }
}

/** @returns sets parameters of the address, each by its name, and goes back to the first page */
export function useSetParams(): (changes: Readonly<Record<string, string>>) => void {
  const [, setParams] = useSearchParams()
  return (changes) =>
    setParams(
      (old) => {
        const next = new URLSearchParams(old)
        for (const [name, value] of Object.entries({ ...changes, page: '' })) {
          if (value === '') next.delete(name)
          else next.set(name, value)
        }
        return next
      },
      { replace: true },
    )
}

/** @returns a parameter of the address, and what sets it and goes back to the first page */
export function useParam(name: string): [string, (value: string) => void] {
  const [params] = useSearchParams()
  const set = useSetParams()
  return [params.get(name) ?? '', (value) => set({ [name]: value })]
}

interface PagerProps {
  readonly name: string
  readonly total: number | undefined
  readonly paging: Paging
  readonly go: (page: number) => void
}

export function Pager({ name, total, paging, go }: PagerProps) {
  const { page, limit, offset } = paging
  const last = total === undefined ? page : Math.max(Math.ceil(total / limit), 1)
  const shown =
    total === undefined
      ? '…'
      : total === 0
        ? '0'
        : `${grouped(Math.min(offset + 1, total))}–${grouped(Math.min(offset + limit, total))}`
  return (
    <nav className="pager" aria-label={`Pages of ${name}`}>
      <span className="pager-range">
        {shown} of {total === undefined ? '…' : grouped(total)}
      </span>
      <button
        type="button"
        className="icon-button"
        aria-label="Previous page"
        disabled={page <= 1}
        onClick={() => go(Math.min(page - 1, last))}
      >
        <ChevronLeft size={16} aria-hidden />
      </button>
      <button
        type="button"
        className="icon-button"
        aria-label="Next page"
        disabled={page >= last}
        onClick={() => go(page + 1)}
      >
        <ChevronRight size={16} aria-hidden />
      </button>
    </nav>
  )
}
