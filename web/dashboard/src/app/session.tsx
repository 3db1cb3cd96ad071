/** Who is logged in, and what stands between them and the pages: a login, or a new password. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { createContext, type ReactNode, use, useEffect, useRef, useSyncExternalStore } from 'react'
import { Navigate, useLocation } from 'react-router'
import { ApiError, PASSWORD_CHANGE } from '../api/client.ts'
import { meQuery } from '../api/queries.ts'
import { currentToken, onToken } from '../api/session.ts'
import type { Me } from '../api/types.ts'
import { Failure } from '../components/state.tsx'

const MeContext = createContext<Me | undefined>(undefined)

/** @throws {Error} outside of `LoggedIn` */
export function useMe(): Me {
  const me = use(MeContext)
  if (me === undefined) throw new Error('nobody is logged in here')
  return me
}

export const useToken = (): string | undefined => useSyncExternalStore(onToken, currentToken)

/** Shows what is inside to those who are logged in, and sends all others to where they have to go. */
export function LoggedIn({ children }: { children: ReactNode }) {
  const token = useToken()
  const location = useLocation()
  const client = useQueryClient()
  const had = useRef(token)
  useEffect(() => {
    // What one user has seen is not for the next.
    if (had.current !== token) client.clear()
    had.current = token
  }, [token, client])
  const me = useQuery({ ...meQuery(), enabled: token !== undefined })
  const here = `${location.pathname}${location.search}`
  const toLogin = <Navigate to={`/login?return=${encodeURIComponent(here)}`} replace />
  if (token === undefined) return toLogin
  if (me.error) {
    if (me.error instanceof ApiError && me.error.status === 401) return toLogin
    if (me.error.message === PASSWORD_CHANGE) return <Navigate to="/change-password" replace />
    return <Failure error={me.error} retry={() => void me.refetch()} />
  }
  if (me.data === undefined) return <div className="app-loading" aria-busy="true" />
  if (me.data.must_change_password) return <Navigate to="/change-password" replace />
  return <MeContext value={me.data}>{children}</MeContext>
}
