/** Why addresses are one identity, for people. */
import type { IdentityExplanation, SharedExplained } from '../store/explain/identity_explanation.ts'
import {
  at,
  bridgeText,
  head,
  hiddenOf,
  mergedLine,
  NO_RECORD,
  number,
  partsText,
  plural,
  short,
  span,
  table,
} from './explanation_parts.ts'
import { grouped } from './text_table.ts'

export function identityParts(explained: IdentityExplanation): string[] {
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
    link.behind?.first.event_id ?? NO_RECORD,
    // Two who hold it are one link.
    holders > 2 || index === 0 ? bridgeText(link.bridge) : '',
  ])
  const hidden = links.total - shown.length
  if (hidden > 0) rows.push(['', `… and ${grouped(hidden)} more`])
  return [...rows, ...notes.map((note) => ['', '', '', '', note])]
}
