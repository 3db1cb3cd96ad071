/** Receivers that events are sent to. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Pencil, Plus, Send, Trash2, TriangleAlert } from 'lucide-react'
import { useState } from 'react'
import { ask } from '../api/client.ts'
import { webhooksQuery } from '../api/queries.ts'
import type { Webhook, WebhookTest } from '../api/types.ts'
import { useMe } from '../app/session.tsx'
import { toast } from '../app/toasts.tsx'
import { Badge } from '../components/badge.tsx'
import { CopyButton } from '../components/copy.tsx'
import { type Column, DataTable } from '../components/data_table.tsx'
import { Drawer } from '../components/drawer.tsx'
import { PageHead } from '../components/page_head.tsx'
import { Empty } from '../components/state.tsx'
import { Untrusted } from '../components/untrusted.tsx'
import { WebhookForm } from '../components/webhook_form.tsx'
import { When } from '../components/when.tsx'
import { grouped } from '../format/number.ts'

const pathOf = ({ uuid }: Webhook) => `/webhooks/${encodeURIComponent(uuid)}`

export function WebhooksPage() {
  const me = useMe()
  const client = useQueryClient()
  const query = useQuery({ ...webhooksQuery(), enabled: me.role === 'admin' })
  const [edited, setEdited] = useState<Webhook | 'new'>()
  const [removed, setRemoved] = useState<Webhook>()
  const [secret, setSecret] = useState<string>()
  const reload = () => void client.invalidateQueries({ queryKey: webhooksQuery().queryKey })
  const onError = (error: Error) => toast(error.message, 'bad')
  const enable = useMutation({
    mutationFn: ({ hook, enabled }: { hook: Webhook; enabled: boolean }) =>
      ask(pathOf(hook), { method: 'PATCH', body: { enabled } }),
    onError,
    onSettled: reload,
  })
  const test = useMutation({
    mutationFn: (hook: Webhook) => ask<WebhookTest>(`${pathOf(hook)}/test`, { method: 'POST' }),
    onSuccess({ delivered, status_code, error }, { name }) {
      if (delivered) toast(`${name} took the test: ${status_code}`, 'good')
      else toast(`${name} did not take the test: ${error ?? status_code ?? 'no answer'}`, 'bad')
    },
    onError,
  })
  const remove = useMutation({
    mutationFn: (hook: Webhook) => ask(pathOf(hook), { method: 'DELETE' }),
    onSuccess: (_answer, { name }) => toast(`Deleted ${name}`, 'good'),
    onError,
    onSettled: reload,
  })
  if (me.role !== 'admin') {
    return (
      <>
        <PageHead title="Webhooks" name="Webhooks" />
        <Empty title="Webhooks are for admins" />
      </>
    )
  }
  const isServed = query.data !== null
  const columns = columnsFor({
    enable: (hook, enabled) => enable.mutate({ hook, enabled }),
    edit: setEdited,
    test: (hook) => test.mutate(hook),
    remove: setRemoved,
  })
  return (
    <>
      <PageHead
        title="Webhooks"
        name="Webhooks"
        actions={
          <button
            type="button"
            className="button button-main"
            disabled={!isServed}
            onClick={() => setEdited('new')}
          >
            <Plus size={14} aria-hidden /> New webhook
          </button>
        }
      />
      {isServed ? (
        <div className="panel">
          <DataTable
            name="Webhooks"
            columns={columns}
            rows={query.data ?? undefined}
            keyOf={({ uuid }) => uuid}
            error={query.error}
            retry={() => void query.refetch()}
            expected={3}
            open={setEdited}
            empty={
              <Empty title="Nothing is sent anywhere">
                A webhook posts each event that matches its patterns, signed, to a receiver such as
                a SIEM.
              </Empty>
            }
          />
        </div>
      ) : (
        <Empty title="This API does not serve webhooks" />
      )}
      {edited && (
        <WebhookForm
          hook={edited === 'new' ? undefined : edited}
          close={() => setEdited(undefined)}
          saved={(made) => {
            setEdited(undefined)
            setSecret(made)
            reload()
          }}
        />
      )}
      {secret !== undefined && (
        <Drawer title="The secret of this webhook" kind="dialog" close={() => setSecret(undefined)}>
          <p>
            The receiver checks signatures with it. It is shown this once; afterwards it can only be
            replaced.
          </p>
          <p className="once">
            {secret} <CopyButton text={secret} name="secret" />
          </p>
          <div className="form-buttons">
            <button type="button" className="button" onClick={() => setSecret(undefined)}>
              I have it
            </button>
          </div>
        </Drawer>
      )}
      {removed && (
        <Drawer title={`Delete ${removed.name}?`} kind="dialog" close={() => setRemoved(undefined)}>
          <p>
            Nothing more is sent to <Untrusted text={removed.url} most={120} />.
          </p>
          <div className="form-buttons">
            <button type="button" className="button" onClick={() => setRemoved(undefined)}>
              Keep it
            </button>
            <button
              type="button"
              className="button button-bad"
              onClick={() => {
                remove.mutate(removed)
                setRemoved(undefined)
              }}
            >
              Delete
            </button>
          </div>
        </Drawer>
      )}
    </>
  )
}

interface Acting {
  readonly enable: (hook: Webhook, enabled: boolean) => void
  readonly edit: (hook: Webhook) => void
  readonly test: (hook: Webhook) => void
  readonly remove: (hook: Webhook) => void
}

function columnsFor({ enable, edit, test, remove }: Acting): readonly Column<Webhook>[] {
  return [
    {
      id: 'enabled',
      head: 'Enabled',
      width: '4.75rem',
      cell: (hook) => (
        <button
          type="button"
          role="switch"
          className="switch"
          aria-checked={hook.enabled}
          aria-label={`${hook.name} enabled`}
          onClick={() => enable(hook, !hook.enabled)}
        />
      ),
    },
    {
      id: 'name',
      head: 'Name',
      width: '10rem',
      cell: ({ name }) => (
        <strong>
          <Untrusted text={name} most={64} />
        </strong>
      ),
    },
    {
      id: 'url',
      head: 'URL',
      cell: ({ url, warnings }) => (
        <>
          {warnings.length > 0 && (
            <span title={warnings.join('\n')}>
              <TriangleAlert size={13} aria-label={warnings.join('. ')} />{' '}
            </span>
          )}
          <Untrusted text={url} most={120} />
        </>
      ),
    },
    {
      id: 'patterns',
      head: 'Patterns',
      width: '12rem',
      cell: ({ topic_patterns }) => (
        <span className="mono">
          <Untrusted text={topic_patterns.join(', ')} most={120} />
        </span>
      ),
    },
    {
      id: 'state',
      head: 'State',
      width: '11rem',
      cell: (hook) => <HookState hook={hook} />,
    },
    {
      id: 'success',
      head: 'Last success',
      width: '8rem',
      align: 'end',
      cell: ({ last_success_at }) => <When at={last_success_at} />,
    },
    {
      id: 'failure',
      head: 'Last failure',
      width: '8rem',
      align: 'end',
      cell: ({ last_failure_at, last_error }) => (
        <span title={last_error ?? undefined}>
          <When at={last_failure_at} />
        </span>
      ),
    },
    {
      id: 'actions',
      head: 'Actions',
      width: '7rem',
      align: 'end',
      cell: (hook) => (
        <span className="row-buttons">
          {(
            [
              ['Test', test, Send],
              ['Edit', edit, Pencil],
              ['Delete', remove, Trash2],
            ] as const
          ).map(([word, act, Icon]) => (
            <button
              key={word}
              type="button"
              className="icon-button"
              aria-label={`${word} ${hook.name}`}
              title={word}
              onClick={() => act(hook)}
            >
              <Icon size={14} aria-hidden />
            </button>
          ))}
        </span>
      ),
    },
  ]
}

function HookState({ hook }: { hook: Webhook }) {
  const { enabled, auto_disabled_at, consecutive_failures, last_error } = hook
  if (!enabled && auto_disabled_at !== null) {
    return (
      <span title={last_error ?? undefined}>
        <Badge tone="bad">tripped</Badge> <When at={auto_disabled_at} />
      </span>
    )
  }
  if (!enabled) return <Badge>paused</Badge>
  if (consecutive_failures === 0) return <Badge tone="good">active</Badge>
  return (
    <Badge tone="warn" {...(last_error !== null && { title: last_error })}>
      {grouped(consecutive_failures)} failed in a row
    </Badge>
  )
}
