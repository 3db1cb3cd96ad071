/** What an attacker is, for people. */
import type {
  AttackerExplanation,
  Concluded,
  LoginExplained,
} from '../store/explain/explain_attacker.ts'
import type { Listed } from '../store/explain/learner.ts'
import type { Behind } from '../store/explain/sightings.ts'
import {
  BEHIND,
  behindCells,
  head,
  hiddenOf,
  type Lines,
  number,
  plural,
  short,
  span,
  table,
} from './explanation_parts.ts'
import { outsideText } from './outside_text.ts'
import { grouped } from './text_table.ts'

export function attackerParts(explained: AttackerExplanation): string[] {
  const { behavior, traversal, identity, country, asn } = explained
  const { latency_s } = explained.steps
  const where = [
    country && `${outsideText(country.code)}${country.source ? ` (${country.source})` : ''}`,
    asn !== null && `AS${asn}`,
  ].filter(Boolean)
  const lines: Lines = [
    ['uuid', explained.uuid],
    [
      'seen',
      `${span(explained.first_seen, explained.last_seen)}, ${plural(explained.event_count, 'event')}`,
    ],
    where.length > 0 ? ['from', where.join(', ')] : null,
    identity && ['identity', identityText(identity)],
    behavior && ['behaviour', `${outsideText(behavior.class)}: ${behavior.rule}`],
    behavior && ['', behaviorNumbers(behavior)],
    traversal && [
      'path',
      traversal
        .slice(0, MAX_PATH)
        .map(({ decky }) => outsideText(decky))
        .join(' → ') + (traversal.length > MAX_PATH ? ` → … (${traversal.length} deckies)` : ''),
    ],
    latency_s === null
      ? null
      : [
          'phases',
          `${number(latency_s, ' s')} from the last of reconnaissance to the first action`,
        ],
  ]
  const rows: string[][] = []
  const group = <T extends { readonly behind: Behind | null }>(
    what: string,
    list: Listed<T>,
    show: (one: T) => string,
  ) => {
    for (const [index, one] of list.shown.entries()) {
      rows.push([index === 0 ? what : '', show(one), ...behindCells(one.behind)])
    }
    const hidden = hiddenOf(list)
    if (hidden > 0) rows.push(['', `… and ${grouped(hidden)} more`])
  }
  const value = (one: Concluded) => short(one.value, 32)
  const { os, steps } = explained
  group('service', explained.services, value)
  group('decky', explained.deckies, value)
  group('tool', explained.tools, (one) => `${value(one)} (by ${one.by})`)
  if (os) {
    const hops = os.hop_distance === null ? '' : `, ${plural(os.hop_distance, 'hop')} away`
    group('system', { total: 1, shown: [os] }, (one) => value(one) + hops)
  }
  const stepped = [
    { value: 'reconnaissance', behind: steps.recon },
    { value: 'action', behind: steps.action },
    { value: '1 MiB or more', behind: steps.large_payload },
  ].filter(({ behind }) => behind !== null)
  group('phase', { total: stepped.length, shown: stepped }, (one) => one.value)
  group('fingerprint', explained.fingerprints, fingerprintText)
  group('payload', explained.payloads, value)
  group('c2 endpoint', explained.c2_endpoints, value)
  group('login', explained.credentials, loginText)
  group(
    'command',
    explained.commands,
    (one) => `${outsideText(one.value, MAX_COMMAND)} (${one.phase})`,
  )
  return [
    head(`attacker ${explained.ip}`, lines),
    table('Conclusions and the log records behind them', ['WHAT', 'VALUE', ...BEHIND], rows),
  ]
}

/** The type is our word for it. */
function fingerprintText({ value }: Concluded): string {
  const [type = '', ...rest] = value.split(' ')
  return rest.length === 0 ? outsideText(type) : `${outsideText(type)} ${short(rest.join(' '), 32)}`
}

function loginText({ principal, secret_kind, secret_sha256 }: LoginExplained): string {
  const who = principal === null ? 'nobody named' : outsideText(principal)
  return `${who}, ${outsideText(secret_kind)} ${short(secret_sha256)}`
}

/** Characters of a command that are shown. */
const MAX_COMMAND = 60

/** Deckies of a path that are written out. */
const MAX_PATH = 8

function identityText({ given, canonical }: { given: string; canonical: string }): string {
  return given === canonical ? given : `${canonical} (given ${given}, which is part of it now)`
}

function behaviorNumbers(behavior: NonNullable<AttackerExplanation['behavior']>): string {
  const { event_count, services, mean_iat_s, cv, beacon_interval_s, beacon_jitter_pct } = behavior
  const beacon =
    beacon_interval_s === null
      ? ''
      : `; a beacon every ${number(beacon_interval_s, ' s')}, jitter ${number(beacon_jitter_pct, ' %')}`
  return (
    `${plural(event_count, 'event')}, ${plural(services, 'service')}, ` +
    `${number(mean_iat_s, ' s')} apart on average, cv ${number(cv)}${beacon}`
  )
}
