/** Who may use the dashboard, and how far. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { KeyRound, Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { ask } from '../api/client.ts'
import { configQuery } from '../api/queries.ts'
import type { MadePassword, User } from '../api/types.ts'
import { useMe } from '../app/session.tsx'
import { toast } from '../app/toasts.tsx'
import { Badge } from '../components/badge.tsx'
import { CopyButton } from '../components/copy.tsx'
import { type Column, DataTable } from '../components/data_table.tsx'
import { Drawer } from '../components/drawer.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Empty } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { type FirstLogin, UserForm } from '../components/user_form.tsx'

const pathOf = ({ uuid }: User) => `/config/users/${encodeURIComponent(uuid)}`
const otherRole = ({ role }: User) => (role === 'admin' ? 'viewer' : 'admin')

type Asked = { readonly what: 'remove' | 'reset' | 'role'; readonly user: User }

export function UsersPage() {
  const me = useMe()
  const client = useQueryClient()
  const query = useQuery({ ...configQuery(), enabled: me.role === 'admin' })
  const [creating, setCreating] = useState(false)
  const [asked, setAsked] = useState<Asked>()
  const [login, setLogin] = useState<FirstLogin>()
  const reload = () => void client.invalidateQueries({ queryKey: configQuery().queryKey })
  const onError = (error: Error) => toast(error.message, 'bad')
  const remove = useMutation({
    mutationFn: (user: User) => ask(pathOf(user), { method: 'DELETE' }),
    onSuccess: (_answer, { username }) => toast(`Removed ${username}`, 'good'),
    onError,
    onSettled: reload,
  })
  const setRole = useMutation({
    mutationFn: (user: User) =>
      ask<User>(`${pathOf(user)}/role`, { method: 'PUT', body: { role: otherRole(user) } }),
    onSuccess: ({ username, role }) => toast(`${username} is ${role} now`, 'good'),
    onError,
    onSettled: reload,
  })
  const reset = useMutation({
    mutationFn: (user: User) =>
      ask<MadePassword>(`${pathOf(user)}/reset-password`, { method: 'PUT', body: {} }),
    onSuccess({ password }, { username }) {
      if (password !== null) setLogin({ username, password })
    },
    onError,
    onSettled: reload,
  })
  if (me.role !== 'admin') {
    return (
      <>
        <PageHead title="Users" name="Users" />
        <Empty title="Users are for admins" />
      </>
    )
  }
  const act = ({ what, user }: Asked) => {
    setAsked(undefined)
    ;({ remove, reset, role: setRole })[what].mutate(user)
  }
  return (
    <>
      <PageHead
        title="Users"
        name="Users"
        actions={
          <button type="button" className="button button-main" onClick={() => setCreating(true)}>
            <Plus size={14} aria-hidden /> New user
          </button>
        }
      />
      <div className="panel">
        <DataTable
          name="Users"
          columns={columnsFor(me.uuid, setAsked)}
          rows={query.data?.users}
          keyOf={({ uuid }) => uuid}
          error={query.error}
          retry={() => void query.refetch()}
          expected={3}
          empty={<Empty title="There is nobody" />}
        />
      </div>
      {creating && (
        <UserForm
          close={() => setCreating(false)}
          made={(first) => {
            setCreating(false)
            setLogin(first)
            reload()
          }}
        />
      )}
      {asked && <Confirm asked={asked} act={act} close={() => setAsked(undefined)} />}
      {login && (
        <Drawer
          title={`The password of ${login.username}`}
          kind="dialog"
          close={() => setLogin(undefined)}
        >
          <p>It is shown this once, and has to be changed at the next login.</p>
          <p className="once">
            {login.password} <CopyButton text={login.password} name="password" />
          </p>
          <div className="form-buttons">
            <button type="button" className="button" onClick={() => setLogin(undefined)}>
              I have it
            </button>
          </div>
        </Drawer>
      )}
    </>
  )
}

const QUESTIONS = {
  remove: ['Remove', 'All sessions end at once. What was found stays.'],
  reset: ['Reset the password of', 'All sessions end at once; another password is made.'],
  role: ['Change the role of', 'All sessions end at once, and one logs in anew as'],
} as const
const WORDS = { remove: 'Remove', reset: 'Reset', role: 'Change' } as const

function Confirm({
  asked,
  act,
  close,
}: {
  asked: Asked
  act: (asked: Asked) => void
  close: () => void
}) {
  const { what, user } = asked
  const [question, consequence] = QUESTIONS[what]
  return (
    <Drawer title={`${question} ${user.username}?`} kind="dialog" close={close}>
      <p>
        {consequence}
        {what === 'role' && ` ${otherRole(user)}.`}
      </p>
      <div className="form-buttons">
        <button type="button" className="button" onClick={close}>
          Cancel
        </button>
        <button
          type="button"
          className={`button ${what === 'remove' ? 'button-bad' : 'button-main'}`}
          onClick={() => act(asked)}
        >
          {WORDS[what]}
        </button>
      </div>
    </Drawer>
  )
}

function columnsFor(mine: string, askFirst: (asked: Asked) => void): readonly Column<User>[] {
  return [
    {
      id: 'username',
      head: 'Username',
      cell: ({ username, uuid }) => (
        <>
          <strong>
            <Untrusted text={username} most={64} />
          </strong>{' '}
          {uuid === mine && <Badge>you</Badge>}
        </>
      ),
    },
    {
      id: 'role',
      head: 'Role',
      width: '8rem',
      cell: ({ role }) => <Badge tone={role === 'admin' ? 'accent' : 'neutral'}>{role}</Badge>,
    },
    {
      id: 'state',
      head: 'Password',
      width: '14rem',
      cell: ({ must_change_password }) =>
        must_change_password ? (
          <Badge tone="warn">to be changed</Badge>
        ) : (
          <span className="faint">set</span>
        ),
    },
    {
      id: 'actions',
      head: 'Actions',
      width: '14rem',
      align: 'end',
      cell: (user) => (
        <span className="row-buttons">
          <button
            type="button"
            className="button button-small"
            aria-label={`Make ${otherRole(user)}: ${user.username}`}
            onClick={() => askFirst({ what: 'role', user })}
          >
            Make {otherRole(user)}
          </button>
          {/* One's own password is changed by the old one, and one's own account by somebody else. */}
          <button
            type="button"
            className="icon-button"
            aria-label={`Reset the password of ${user.username}`}
            title="Reset password"
            disabled={user.uuid === mine}
            onClick={() => askFirst({ what: 'reset', user })}
          >
            <KeyRound size={14} aria-hidden />
          </button>
          <button
            type="button"
            className="icon-button"
            aria-label={`Remove ${user.username}`}
            title="Remove"
            disabled={user.uuid === mine}
            onClick={() => askFirst({ what: 'remove', user })}
          >
            <Trash2 size={14} aria-hidden />
          </button>
        </span>
      ),
    },
  ]
}
