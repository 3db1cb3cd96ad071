/** Another password. All tokens end with the old one, so it logs in anew by itself. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { Link, Navigate, useNavigate } from 'react-router'
import { ApiError, ask } from '../api/client.ts'
import { meQuery } from '../api/queries.ts'
import { setToken } from '../api/session.ts'
import type { Session } from '../api/types.ts'
import { useToken } from '../app/session.tsx'
import { toast } from '../app/toasts.tsx'

const LEAST = 12
/** bcrypt reads no more. */
const MOST_BYTES = 72

/** @returns what is wrong with a new password, if anything is */
function faultOf(next: string, again: string): string | undefined {
  if (next.length < LEAST) return `The new password needs ${LEAST} characters or more.`
  if (new TextEncoder().encode(next).length > MOST_BYTES) {
    return `The new password has more than ${MOST_BYTES} bytes.`
  }
  return next === again ? undefined : 'The two new passwords differ.'
}

export function ChangePasswordPage() {
  const token = useToken()
  const client = useQueryClient()
  const navigate = useNavigate()
  const me = useQuery({ ...meQuery(), enabled: token !== undefined })
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  if (token === undefined && !busy) return <Navigate to="/login?return=%2F" replace />
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const [old, next, again] = ['old', 'next', 'again'].map((name) => String(form.get(name)))
    const fault = faultOf(next ?? '', again ?? '')
    setProblem(fault)
    if (fault !== undefined) return
    setBusy(true)
    try {
      await ask('/auth/change-password', {
        method: 'POST',
        body: { old_password: old, new_password: next },
      })
      const session = await ask<Session>('/auth/login', {
        method: 'POST',
        body: { username: me.data?.username, password: next },
      })
      client.clear()
      setToken(session.access_token)
      toast('Password changed', 'good')
      navigate('/', { replace: true })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setProblem(error.message)
      setBusy(false)
    }
  }
  const isForced = me.data?.must_change_password === true
  return (
    <main className="door">
      <title>Change password · DECNET</title>
      <form className="door-card" onSubmit={(event) => void submit(event)}>
        <h1>Change password</h1>
        {isForced && <p>This account has a first password. Choose one of your own to go on.</p>}
        <input type="hidden" autoComplete="username" value={me.data?.username ?? ''} readOnly />
        {(
          [
            ['old', 'Old password', 'current-password'],
            ['next', 'New password, 12 characters or more', 'new-password'],
            ['again', 'New password again', 'new-password'],
          ] as const
        ).map(([name, label, complete]) => (
          <label key={name} className="field">
            <span>{label}</span>
            <input name={name} type="password" autoComplete={complete} required maxLength={1024} />
          </label>
        ))}
        <p className="field-problem" role="alert">
          {problem}
        </p>
        <button type="submit" className="button button-main" disabled={busy || !me.data}>
          {busy ? 'Changing…' : 'Change password'}
        </button>
        {!isForced && <Link to="/">Back</Link>}
      </form>
    </main>
  )
}
