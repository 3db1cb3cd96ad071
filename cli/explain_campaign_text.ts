/** Why identities are one campaign, for people. */
import type {
  CampaignEdge,
  CampaignExplanation,
  HandoffExplained,
  SharedInfra,
  Turn,
} from '../store/explain/campaign_explanation.ts'
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
import { outsideText } from './outside_text.ts'
import { grouped } from './text_table.ts'

export function campaignParts(explained: CampaignExplanation): string[] {
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
    (end ? behind?.last.event_id : behind?.first.event_id) ?? NO_RECORD,
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
    behind?.first.event_id ?? NO_RECORD,
  ])
