/** What stands where there is nothing to show: not yet, not at all, or not this time. */
import { CircleAlert, Inbox, RotateCw } from 'lucide-react'
import type { ReactNode } from 'react'
import { ApiError } from '../api/client.ts'

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      <Inbox size={22} aria-hidden />
      <p className="state-title">{title}</p>
      {children !== undefined && <div className="state-text">{children}</div>}
    </div>
  )
}

export function Failure({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const isApi = error instanceof ApiError
  return (
    <div className="state state-bad" role="alert">
      <CircleAlert size={22} aria-hidden />
      <p className="state-title">{isApi ? error.message : 'This part of the page failed.'}</p>
      {isApi && error.errorId !== undefined && (
        <p className="state-text">
          The log of the API says more under <code>{error.errorId}</code>
        </p>
      )}
      {retry && (
        <button type="button" className="button" onClick={retry}>
          <RotateCw size={14} aria-hidden /> Try again
        </button>
      )}
    </div>
  )
}

/** As high as what will come, so that nothing moves when it does. */
export function Skeleton({ lines = 4 }: { lines?: number }) {
  return (
    <div className="skeletons" aria-busy="true">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <span key={line} className="skeleton" aria-hidden />
      ))}
    </div>
  )
}
