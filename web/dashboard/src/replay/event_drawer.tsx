/** One event of a replay: what it held, where it came from and what came of it. */
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { wayQuery } from '../api/replay_queries.ts'
import type { ReplayEvent, WayStep } from '../api/replay_types.ts'
import { Badge, type Tone } from '../components/badge.tsx'
import { CopyButton, Hash } from '../components/copy.tsx'
import { Drawer } from '../components/drawer.tsx'
import { Facts } from '../components/facts.tsx'
import { Failure, Skeleton } from '../components/state.tsx'
import { Untrusted, UntrustedBlock } from '../components/untrusted.tsx'
import { When } from '../components/when.tsx'
import { asText, readFields } from '../format/json_texts.ts'
import { counted } from '../format/number.ts'
import { FieldChanges } from './field_changes.tsx'

interface EventDrawerProps {
  readonly replay: string
  readonly event: ReplayEvent
  readonly close: () => void
}

export function EventDrawer({ replay, event, close }: EventDrawerProps) {
  const [asked, setAsked] = useState(false)
  const { id, time, topic, data, cut } = event
  return (
    <Drawer title={<Untrusted text={topic ?? 'Event'} most={80} />} close={close}>
      <Facts
        facts={[
          ['Time', <When key="time" at={time} both />],
          ['Id', <Hash key="id" text={id} name="id" />],
        ]}
      />
      <section>
        <h3>What it held {data !== null && <CopyButton text={data} name="event" />}</h3>
        {data === null ? (
          <p className="faint">It was not written down in this form.</p>
        ) : (
          <Held json={data} />
        )}
        {cut && <p className="faint">The rest is left out: it is longer than 4,000 characters.</p>}
      </section>
      <section>
        <h3>Its way</h3>
        {asked ? (
          <WaySteps replay={replay} event={id} />
        ) : (
          <button type="button" className="button" onClick={() => setAsked(true)}>
            Where it came from, and what came of it
          </button>
        )}
      </section>
    </Drawer>
  )
}

/** JSON that was cut is shown as it is. */
function Held({ json }: { json: string }) {
  const fields = readFields(json)
  if (fields.length === 0) return <UntrustedBlock text={json} most={4000} />
  return fields.map(([name, value]) => (
    <div key={name} className="secret held">
      <span className="faint">
        <Untrusted text={name} most={40} />
      </span>
      <span className="value">
        <Untrusted text={asText(value)} most={600} />
      </span>
      <CopyButton text={asText(value)} name="value" />
    </div>
  ))
}

const TONES: Readonly<Record<string, Tone>> = { failed: 'bad', filtered: 'warn', made: 'accent' }

function WaySteps({ replay, event }: { replay: string; event: string }) {
  const query = useQuery(wayQuery(replay, event))
  if (query.error) return <Failure error={query.error} retry={() => void query.refetch()} />
  if (!query.data) return <Skeleton lines={6} />
  const { steps, total } = query.data
  return (
    <>
      <ol className="way">
        {steps.map((step, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the same event may pass a node twice
          <li key={index}>
            <Step step={step} />
          </li>
        ))}
      </ol>
      {total > steps.length && (
        <p className="faint">and {counted(total - steps.length, 'more step')}</p>
      )}
    </>
  )
}

function Step({ step }: { step: WayStep }) {
  const { pipeline, node, type, kind, handed_on, failure } = step
  return (
    <>
      <div className="way-head">
        <Badge tone={TONES[kind] ?? 'neutral'}>{kind}</Badge>
        <strong>{node}</strong>
        <span className="faint">
          {pipeline} · {type}
        </span>
      </div>
      {failure !== null && (
        <span className="soft">
          <Untrusted text={failure} most={300} />
        </span>
      )}
      {handed_on.map((one) => (
        <div key={`${one.id} ${one.port}`}>
          {kind === 'made' && (
            <span className="soft">
              <Untrusted text={one.topic} most={80} /> <Hash text={one.id} name="id" />
            </span>
          )}
          {one.fields.length > 0 && <FieldChanges fields={one.fields} count={one.field_count} />}
        </div>
      ))}
    </>
  )
}
