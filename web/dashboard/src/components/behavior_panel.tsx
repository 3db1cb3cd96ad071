/** How an attacker behaves: class, tools, rhythm and phases. */
import type { Behavior } from '../api/types.ts'
import { asText } from '../format/json_texts.ts'
import { grouped } from '../format/number.ts'
import { duration, readTime } from '../format/time.ts'
import { Badge } from './badge.tsx'
import { type Fact, Facts } from './facts.tsx'
import { Panel } from './panel.tsx'
import { Untrusted } from './untrusted.tsx'
import { When } from './when.tsx'

export function BehaviorPanel({ behavior }: { behavior: Behavior }) {
  const { behavior_class, os_guess, hop_distance, tool_guesses } = behavior
  const { beacon_interval_s, beacon_jitter_pct } = behavior
  const beacon =
    behavior_class === 'beaconing' && beacon_interval_s !== null
      ? `every ${duration(beacon_interval_s * 1000)}${
          beacon_jitter_pct === null ? '' : ` ± ${beacon_jitter_pct.toFixed(1)} %`
        }`
      : undefined
  return (
    <Panel title="Behaviour">
      <Facts
        facts={[
          ['Attack pattern', <Untrusted key="class" text={behavior_class} />],
          ['Operating system', os_guess === null ? null : <Untrusted key="os" text={os_guess} />],
          ['Hop distance', hop_distance],
          ...(beacon === undefined ? [] : ([['Beacon', beacon]] as const)),
          [
            'Tools',
            tool_guesses.length === 0 ? null : (
              <span key="tools" className="chips">
                {tool_guesses.map((tool) => (
                  <Badge key={tool} tone="warn">
                    <Untrusted text={tool} most={60} />
                  </Badge>
                ))}
              </span>
            ),
          ],
        ]}
      />
      <Details name="Timing" fields={behavior.timing_stats} />
      <Details name="Phases" fields={behavior.phase_sequence} />
    </Panel>
  )
}

function Details({ name, fields }: { name: string; fields: Behavior['timing_stats'] }) {
  const known = Object.entries(fields ?? {}).filter(([, value]) => value !== null && value !== '')
  if (known.length === 0) return null
  return (
    <div>
      <h3>{name}</h3>
      <Facts
        facts={known.map(
          ([key, value]): Fact => [
            LABELS[key] ?? key.replaceAll('_', ' '),
            isTime(key, value) ? (
              <When key={key} at={value} />
            ) : (
              <Untrusted key={key} text={shown(key, value)} most={120} />
            ),
          ],
        )}
      />
    </div>
  )
}

/** What the profiler measures, in words; anything else by its own name. */
const LABELS: Readonly<Record<string, string>> = {
  event_count: 'Events',
  duration_s: 'Duration',
  mean_iat_s: 'Mean gap',
  median_iat_s: 'Median gap',
  stdev_iat_s: 'Spread of gaps',
  min_iat_s: 'Shortest gap',
  max_iat_s: 'Longest gap',
  cv: 'Spread by mean',
  recon_end_ts: 'Looked around until',
  exfil_start_ts: 'Acted from',
  exfil_latency_s: 'Time between',
  large_payload_count: 'Large payloads',
}

const isTime = (key: string, value: unknown): value is string =>
  typeof value === 'string' && /_(ts|at)$/.test(key) && readTime(value) !== undefined

function shown(key: string, value: unknown): string {
  if (typeof value !== 'number') return asText(value)
  if (key.endsWith('_s')) return duration(Math.max(value, 0) * 1000)
  return Number.isInteger(value) ? grouped(value) : value.toFixed(3)
}
