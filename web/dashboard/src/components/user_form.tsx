/** A user that is made. */
import { type FormEvent, useState } from 'react'
import { ApiError, ask } from '../api/client.ts'
import type { MadePassword, User } from '../api/types.ts'
import { toast } from '../app/toasts.tsx'
import { Drawer } from './drawer.tsx'

/** What somebody logs in with for the first time; it is shown this once. */
export interface FirstLogin {
  readonly username: string
  readonly password: string
}

interface UserFormProps {
  readonly close: () => void
  readonly made: (login: FirstLogin | undefined) => void
}

export function UserForm({ close, made }: UserFormProps) {
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const body = { username: String(form.get('username')).trim(), role: String(form.get('role')) }
    setBusy(true)
    setProblem(undefined)
    try {
      const user = await ask<User & MadePassword>('/config/users', { method: 'POST', body })
      toast(`Created ${user.username}`, 'good')
      made(user.password === null ? undefined : { ...user, password: user.password })
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setProblem(
        error.status === 422
          ? 'A name begins with a letter or a digit and goes on with these or one of _ . @ -'
          : error.message,
      )
      setBusy(false)
    }
  }
  return (
    <Drawer title="New user" close={close}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <label className="field">
          <span>Username</span>
          <input name="username" required maxLength={64} autoComplete="off" spellCheck={false} />
        </label>
        <fieldset className="form plain">
          <legend className="soft">Role</legend>
          <label className="check">
            <input type="radio" name="role" value="viewer" defaultChecked />
            <span>
              viewer <span className="faint">sees everything but mail, webhooks and users</span>
            </span>
          </label>
          <label className="check">
            <input type="radio" name="role" value="admin" />
            <span>
              admin <span className="faint">also starts and stops workers, and manages users</span>
            </span>
          </label>
        </fieldset>
        <p className="faint">
          A password is made, and shown once. It is changed at the first login.
        </p>
        <p className="field-problem" role="alert">
          {problem}
        </p>
        <div className="form-buttons">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button button-main" disabled={busy}>
            Create
          </button>
        </div>
      </form>
    </Drawer>
  )
}
