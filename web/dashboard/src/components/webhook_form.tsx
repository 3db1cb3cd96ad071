/** A webhook that is made or changed. */
import { type FormEvent, useState } from 'react'
import { ApiError, ask } from '../api/client.ts'
import type { WebhookForm as Form, SimpleEvent, Webhook } from '../api/types.ts'
import { toast } from '../app/toasts.tsx'
import { PRESETS, patternLines, presetNames, readPatterns } from '../format/webhook_patterns.ts'
import { Drawer } from './drawer.tsx'

interface WebhookFormProps {
  /** undefined: a new one */
  readonly hook: Webhook | undefined
  readonly close: () => void
  /** @param secret of a new one, which is told once */
  readonly saved: (secret: string | undefined) => void
}

const SECRET_LEAST = 16

export function WebhookForm({ hook, close, saved }: WebhookFormProps) {
  const before = readPatterns(hook?.topic_patterns ?? [])
  const [presets, setPresets] = useState<readonly SimpleEvent[]>(before.presets)
  const [problem, setProblem] = useState<string>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const textOf = (name: string) => String(form.get(name) ?? '').trim()
    const secret = textOf('secret')
    const body: Form = {
      name: textOf('name'),
      url: textOf('url'),
      simple_events: presets,
      topic_patterns: patternLines(textOf('patterns')),
      enabled: form.get('enabled') === 'on',
      ...(secret !== '' && { secret }),
    }
    if (body.simple_events.length + body.topic_patterns.length === 0) {
      setProblem('Choose at least one kind of event, or write a pattern.')
      return
    }
    setBusy(true)
    setProblem(undefined)
    try {
      const path = hook ? `/webhooks/${encodeURIComponent(hook.uuid)}` : '/webhooks/'
      const method = hook ? 'PATCH' : 'POST'
      const answer = await ask<Webhook & { secret?: string }>(path, { method, body })
      toast(`${hook ? 'Changed' : 'Created'} ${answer.name}`, 'good')
      saved(answer.secret)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      setProblem(error.message)
      setBusy(false)
    }
  }
  const toggle = (name: SimpleEvent) =>
    setPresets(presets.includes(name) ? presets.filter((one) => one !== name) : [...presets, name])
  return (
    <Drawer title={hook ? `Edit ${hook.name}` : 'New webhook'} close={close}>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <label className="field">
          <span>Name</span>
          <input name="name" required maxLength={64} defaultValue={hook?.name} />
        </label>
        <label className="field">
          <span>URL</span>
          <input
            name="url"
            type="url"
            required
            placeholder="https://siem.example/hooks/decnet"
            defaultValue={hook?.url}
          />
        </label>
        <label className="field">
          <span>
            {hook ? 'Secret: leave empty to keep it' : 'Secret: leave empty to have one made'}
          </span>
          <input
            name="secret"
            type="password"
            autoComplete="off"
            minLength={SECRET_LEAST}
            maxLength={256}
          />
        </label>
        <fieldset className="form plain">
          <legend className="soft">What is sent</legend>
          {presetNames.map((name) => (
            <label key={name} className="check">
              <input
                type="checkbox"
                checked={presets.includes(name)}
                onChange={() => toggle(name)}
              />
              <span>
                {name} <code className="faint">{PRESETS[name].join(', ')}</code>
              </span>
            </label>
          ))}
        </fieldset>
        <label className="field">
          <span>Patterns beside these, one a line</span>
          <textarea
            name="patterns"
            spellCheck={false}
            placeholder={'identity.>\ncredential.reuse.detected'}
            defaultValue={before.raw.join('\n')}
          />
        </label>
        <label className="check">
          <input type="checkbox" name="enabled" defaultChecked={hook?.enabled ?? true} />
          <span>Enabled</span>
        </label>
        <p className="field-problem" role="alert">
          {problem}
        </p>
        <div className="form-buttons">
          <button type="button" className="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" className="button button-main" disabled={busy}>
            {hook ? 'Save' : 'Create'}
          </button>
        </div>
      </form>
    </Drawer>
  )
}
