/** A token for a name and a password. */
import { Network } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { Navigate, useNavigate, useSearchParams } from 'react-router'
import { ApiError, ask } from '../api/client.ts'
import { setToken } from '../api/session.ts'
import type { Session } from '../api/types.ts'
import { safeReturn } from '../app/return_path.ts'
import { useToken } from '../app/session.tsx'

export function LoginPage() {
  const [params] = useSearchParams()
  const navigate = useNavigate()
  const token = useToken()
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const back = safeReturn(params.get('return'))
  if (token !== undefined && !busy) return <Navigate to={back} replace />
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    setProblem(undefined)
    try {
      const session = await ask<Session>('/auth/login', {
        method: 'POST',
        body: { username: form.get('username'), password: form.get('password') },
      })
      setToken(session.access_token)
      navigate(session.must_change_password ? '/change-password' : back, { replace: true })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setProblem(error.message)
      setBusy(false)
    }
  }
  return (
    <main className="door">
      <title>Log in · DECNET</title>
      <form className="door-card" onSubmit={(event) => void submit(event)}>
        <h1>
          <Network size={22} aria-hidden /> DECNET
        </h1>
        <label className="field">
          <span>Username</span>
          {/* biome-ignore lint/a11y/noAutofocus: the page has one thing to do */}
          <input name="username" autoComplete="username" required maxLength={64} autoFocus />
        </label>
        <label className="field">
          <span>Password</span>
          <input
            name="password"
            type="password"
            autoComplete="current-password"
            required
            maxLength={1024}
          />
        </label>
        <p className="field-problem" role="alert">
          {problem}
        </p>
        <button type="submit" className="button button-main" disabled={busy}>
          {busy ? 'Logging in…' : 'Log in'}
        </button>
      </form>
    </main>
  )
}
