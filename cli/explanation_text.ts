/** Explanations as tables for a terminal. Every text in them that an attacker chose is escaped. */
import type { Explanation } from '../store/explain/explain.ts'
import type {
  AttackerExplanation,
  Concluded,
  LoginExplained,
} from '../store/explain/explain_attacker.ts'
import type {
  CampaignEdge,
  CampaignExplanation,
  HandoffExplained,
  SharedInfra,
  Turn,
} from '../store/explain/explain_campaign.ts'
import type { IdentityExplanation, SharedExplained } from '../store/explain/explain_identity.ts'
import type { ReuseExplanation } from '../store/explain/explain_reuse.ts'
import type { Listed } from '../store/explain/learner.ts'
import type { MergedCluster } from '../store/explain/pieces.ts'
import type { Behind } from '../store/explain/sightings.ts'
import { outsideText } from './outside_text.ts'
import { grouped, textTable } from './text_table.ts'

export function renderExplanation(explained: Explanation): string {
  const parts = [...partsOf(explained), doubtsText(explained), readText(explained)]
  const text = parts.filter((part) => part !== '').join('\n')
  // Ids and addresses are ours; a row that somebody else has written may hold anything.
  return text.replace(/[^\x20-\x7e\n…→]/g, '?')
}

function partsOf(explained: Explanation): string[] {
  if (explained.subject === 'attacker') return attackerParts(explained)
  if (explained.subject === 'identity') return identityParts(explained)
  return explained.subject === 'campaign' ? campaignParts(explained) : reuseParts(explained)
}

type Lines = readonly (readonly [name: string, text: string] | null)[]

/** A title, and what is known in a line each. */
const head = (title: string, lines: Lines): string =>
  `${title}\n${textTable(
    lines.flatMap((line) => (line ? [line] : [])),
    { indent: '  ' },
  )}`

function table(
  title: string,
  header: readonly string[],
  rows: readonly (readonly string[])[],
  hidden = 0,
): string {
  if (rows.length === 0) return ''
  const numbers = header.map((_, column) =>
    rows.every((row) => NUMBER.test(row[column] ?? '')) ? 'right' : 'left',
  )
  const more = hidden > 0 ? `  … and ${grouped(hidden)} more; see --limit\n` : ''
  return `${title}\n${textTable([header, ...rows], { align: numbers, indent: '  ' })}${more}`
}

/** A count or a score, or none. */
const NUMBER = /^(-|[\d,]*(\.\d+)?)$/

const hiddenOf = ({ total, shown }: Listed<unknown>): number => total - shown.length

/** `2026-03-01T09:00:01.123456+00:00` as a person reads it; all times are UTC. */
const at = (iso: string | null): string => (iso === null ? '-' : iso.slice(0, 19).replace('T', ' '))

const span = (first: string | null, last: string | null): string =>
  first === null ? 'never' : `${at(first)} to ${at(last)} UTC`

const plural = (count: number, one: string, many = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`

const number = (value: number | null, unit = ''): string =>
  value === null ? '-' : `${Number(value.toFixed(4))}${unit}`

/** Since when, how often, from which record. */
const behindCells = (behind: Behind | null): string[] =>
  behind
    ? [grouped(behind.count), at(behind.first.time), at(behind.last.time), behind.first.event_id]
    : ['-', '-', '-', 'no record that was read says so']
const BEHIND = ['RECORDS', 'FIRST', 'LAST', 'FIRST EVENT']

function attackerParts(explained: AttackerExplanation): string[] {
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

function mergedLine(merged: Listed<MergedCluster>): [string, string] | null {
  if (merged.total === 0) return null
  const names = merged.shown.slice(0, 3).map(({ uuid }) => uuid)
  const more =
    merged.total > names.length ? `, and ${grouped(merged.total - names.length)} more` : ''
  return ['merged', `${names.join(', ')}${more}`]
}

const bridgeText = (bridge: readonly number[] | null): string =>
  bridge ? `BRIDGE: ${partsText(bridge)} without it` : ''

/** `3 + 1`; of a great many parts the first. */
function partsText(parts: readonly number[]): string {
  const shown = parts.slice(0, 4).map(grouped).join(' + ')
  return parts.length > 4 ? `${shown} + … (${grouped(parts.length)} parts)` : shown
}

function identityParts(explained: IdentityExplanation): string[] {
  const { asked, uuid, observations, shared, edges, bridges } = explained
  const title = `identity ${uuid}`
  const isMerged = explained.merged.total > 0
  return [
    head(title, [
      asked === uuid ? null : ['asked', `${asked}, which is part of it now`],
      [
        'made of',
        `${plural(observations.total, 'address', 'addresses')}, ` +
          `${plural(shared.total, 'shared value')}, ${plural(bridges, 'bridge')}`,
      ],
      observations.total === 1
        ? ['because', 'no other address shares a fingerprint, payload or endpoint with it']
        : null,
      ['seen', span(explained.first_seen, explained.last_seen)],
      ['formed', `${at(explained.formed)} UTC`],
      explained.campaign === null ? null : ['campaign', explained.campaign],
      mergedLine(explained.merged),
    ]),
    table(
      'Addresses',
      [
        ...['ADDRESS', 'FIRST SEEN', 'LAST SEEN', 'EVENTS', 'JA3', 'HASSH', 'PAYLOADS', 'C2'],
        ...(isMerged ? ['GIVEN'] : []),
        '',
      ],
      observations.shown.map((one) => [
        one.ip,
        at(one.first_seen),
        at(one.last_seen),
        grouped(one.event_count),
        short(one.ja3),
        short(one.hassh),
        grouped(one.payloads),
        grouped(one.c2_endpoints),
        ...(isMerged ? [one.given.slice(0, 8)] : []),
        one.holds ? '' : 'shares nothing with the others any more',
      ]),
      hiddenOf(observations),
    ),
    table(
      'Shared values, and since when each is known of an address',
      ['VALUE', 'ADDRESS', 'SINCE', 'EVENT', ''],
      shared.shown.flatMap(sharedRows),
      hiddenOf(shared),
    ),
    table(
      'Pairs: high + 0.6 medium + 0.2 low + 0.05 very low, and 1 is enough',
      ['ADDRESS', 'ADDRESS', 'HIGH', 'MEDIUM', 'LOW', 'VERY LOW', 'WEIGHT', 'BY'],
      edges.shown.map(({ a, b, scores, weight, by }) => [
        a,
        b,
        number(scores.high),
        number(scores.medium),
        number(scores.low),
        number(scores.very_low),
        number(weight),
        [...new Set(by.map(({ kind }) => kind))].join(', '),
      ]),
      hiddenOf(edges),
    ),
  ]
}

/** A hash is known by its beginning; JSON has the whole of it. */
const HASH = /^[0-9a-f]{24,128}$/
const short = (value: string | null, digits = 12): string => {
  if (value === null) return '-'
  if (!HASH.test(value)) return outsideText(value, 40)
  return value.length > digits ? `${value.slice(0, digits)}…` : value
}

const MAX_PLAIN_LINKS = 3

function sharedRows({ kind, value, holders, apart, by_way_of, without, links }: SharedExplained) {
  // Of two who hold it the link itself says so.
  const notes = [
    holders > 2 && without ? `${partsText(without)} without this value` : '',
    by_way_of === null ? '' : `by way of ${by_way_of}, who has no fingerprint`,
    apart > 0 ? `${plural(apart, 'other')} kept apart by fingerprints` : '',
  ].filter((note) => note !== '')
  // Of links that nothing hangs on a few are enough; two who hold a value are both shown.
  const bridges = links.shown.filter(({ bridge }) => bridge !== null).length
  const shown = links.shown.slice(0, bridges + MAX_PLAIN_LINKS)
  const rows = shown.map((link, index) => [
    index === 0 ? `${kind} ${short(value, 32)}` : '',
    link.ip,
    at(link.behind?.first.time ?? null),
    link.behind?.first.event_id ?? 'no record that was read says so',
    // Two who hold it are one link.
    holders > 2 || index === 0 ? bridgeText(link.bridge) : '',
  ])
  const hidden = links.total - shown.length
  if (hidden > 0) rows.push(['', `… and ${grouped(hidden)} more`])
  return [...rows, ...notes.map((note) => ['', '', '', '', note])]
}

function campaignParts(explained: CampaignExplanation): string[] {
  const { asked, uuid, identities, edges, same, bridges } = explained
  const links = edges.total + same.total
  return [
    head(`campaign ${uuid}`, [
      asked === uuid ? null : ['asked', `${asked}, which is part of it now`],
      [
        'made of',
        `${plural(identities.total, 'identity', 'identities')}, ${plural(links, 'link')}` +
          (bridges === null ? '' : `, ${plural(bridges, 'bridge')}`),
      ],
      identities.total === 1
        ? ['because', 'no other identity shares its infrastructure or took over from it']
        : null,
      ['seen', span(explained.first_seen, explained.last_seen)],
      ['formed', `${at(explained.formed)} UTC`],
      mergedLine(explained.merged),
    ]),
    table(
      'Identities',
      ['IDENTITY', 'FIRST SEEN', 'LAST SEEN', 'ADDRESSES', 'DECKIES', 'PAYLOADS', 'C2', ''],
      identities.shown.map((one) => [
        one.uuid,
        at(one.first_seen),
        at(one.last_seen),
        grouped(one.observations),
        grouped(one.deckies),
        grouped(one.payloads),
        grouped(one.c2_endpoints),
        one.holds ? '' : 'shares nothing with the others any more',
      ]),
      hiddenOf(identities),
    ),
    table(
      'Pairs: handoff + infra + 0.4 temporal + 0.1 cohort, and 1 is enough',
      ['IDENTITY', 'IDENTITY', 'HANDOFF', 'INFRA', 'TEMPORAL', 'COHORT', 'WEIGHT', ''],
      edges.shown.map(({ a, b, scores, weight, bridge, overlap_ms }) => [
        a.slice(0, 8),
        b.slice(0, 8),
        number(scores.handoff),
        number(scores.infra),
        number(scores.temporal),
        number(scores.cohort),
        number(weight),
        [bridgeText(bridge), overlap_ms > 0 ? `${number(overlap_ms / 1000, ' s')} together` : '']
          .filter((note) => note !== '')
          .join('; '),
      ]),
      hiddenOf(edges),
    ),
    handoffTable(edges.shown),
    infraTable(explained),
  ]
}

const handoffTable = (edges: readonly CampaignEdge[]): string =>
  table(
    'Handoffs: who left a decky open, and who took it over within a day',
    ['DECKY', 'IDENTITY', 'ADDRESS', 'PHASE', 'TIME', 'EVENT'],
    edges.flatMap(({ handoffs }) => handoffs.shown.flatMap(handoffRows)),
    edges.reduce((sum, { handoffs }) => sum + hiddenOf(handoffs), 0),
  )

function handoffRows({ decky, from, to, left, taken }: HandoffExplained): string[][] {
  const row = (name: string, identity: string, { phase, time, ip, behind }: Turn, end: boolean) => [
    name,
    identity.slice(0, 8),
    ip ?? '-',
    `${end ? 'left in' : 'took over in'} ${phase}`,
    at(time),
    (end ? behind?.last.event_id : behind?.first.event_id) ?? 'no record that was read says so',
  ]
  return [row(outsideText(decky), from, left, true), row('', to, taken, false)]
}

function infraTable({ edges, same }: CampaignExplanation): string {
  const ofPairs = edges.shown.flatMap(({ shared }) => shared.shown.flatMap((one) => infraRows(one)))
  const ofSets = same.shown.flatMap(({ holders, without, shared }) =>
    shared.shown.flatMap((one, index) => [
      ...infraRows(one),
      ...(index === 0 && holders > one.holders.length
        ? [['', `… and ${grouped(holders - one.holders.length)} more`]]
        : []),
      ...(index === 0 && without ? [['', `${partsText(without)} without it`]] : []),
    ]),
  )
  const hidden = [...edges.shown, ...same.shown].reduce(
    (sum, { shared }) => sum + hiddenOf(shared),
    0,
  )
  return table(
    'Shared infrastructure, and since when each is known of an identity',
    ['VALUE', 'IDENTITY', 'ADDRESS', 'SINCE', 'EVENT'],
    [...ofSets, ...ofPairs],
    hidden,
  )
}

const infraRows = ({ kind, value, holders }: SharedInfra): string[][] =>
  holders.map(({ identity, ip, behind }, index) => [
    index === 0 ? `${kind} ${short(value, 32)}` : '',
    identity.slice(0, 8),
    ip ?? '-',
    at(behind?.first.time ?? null),
    behind?.first.event_id ?? 'no record that was read says so',
  ])

function reuseParts(explained: ReuseExplanation): string[] {
  const { principal, secret_printable, targets } = explained
  return [
    head(`reuse ${explained.id}`, [
      [
        'secret',
        `${secret_printable === null ? '-' : outsideText(secret_printable)} of ` +
          `${principal === null ? 'nobody named' : outsideText(principal)}`,
      ],
      ['kind', `${outsideText(explained.secret_kind)}, sha256 ${explained.secret_sha256}`],
      [
        'used',
        `${plural(explained.attempt_count, 'attempt')} on ${plural(explained.target_count, 'target')} ` +
          `by ${plural(explained.attackers, 'address', 'addresses')}`,
      ],
      ['seen', span(explained.first_seen, explained.last_seen)],
      ['because', explained.rule],
      ['confidence', `${number(explained.confidence)}: bytes are equal or they are not`],
    ]),
    table(
      'Targets, and the log records of the attempts',
      ['DECKY', 'SERVICE', 'ATTEMPTS', 'ADDRESSES', 'FIRST', 'LAST', 'FIRST EVENT'],
      targets.shown.map((target) => [
        outsideText(target.decky),
        outsideText(target.service),
        grouped(target.attempts),
        addressesText(target.addresses),
        at(target.first_seen),
        at(target.last_seen),
        target.behind?.first.event_id ??
          target.captured.shown[0] ??
          'no record that was read says so',
      ]),
      hiddenOf(targets),
    ),
  ]
}

function addressesText({ total, shown }: Listed<string>): string {
  const [first = '-'] = shown
  return total > 1 ? `${outsideText(first)} +${grouped(total - 1)}` : outsideText(first)
}

function doubtsText({ doubts }: Explanation): string {
  if (doubts.length === 0) return ''
  return `What does not hold, or not any more\n${doubts.map((doubt) => `  - ${doubt}\n`).join('')}`
}

function readText(explained: Explanation): string {
  const { read, addresses, cut } = explained.records
  const others = cut.length > 1 ? ` and ${grouped(cut.length - 1)} others` : ''
  const part =
    cut.length === 0
      ? ''
      : `Of ${outsideText(cut[0] ?? '')}${others} only the oldest and the newest; see --records.\n`
  const event = /"event_id":"([0-9a-f]{32})"/.exec(JSON.stringify(explained))?.[1]
  const next =
    event === undefined
      ? ''
      : `What became of an event: decnet pipeline explain-event ${event} ingest --capture FILE\n`
  const counts = `${plural(read, 'log record')} of ${plural(addresses, 'address', 'addresses')}`
  return `Read ${counts}.\n${part}${next}`
}
