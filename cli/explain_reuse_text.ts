/** Why a secret counts as used again, for people. */
import type { ReuseExplanation } from '../store/explain/explain_reuse.ts'
import type { Listed } from '../store/explain/learner.ts'
import { at, head, hiddenOf, NO_RECORD, number, plural, span, table } from './explanation_parts.ts'
import { outsideText } from './outside_text.ts'
import { grouped } from './text_table.ts'

export function reuseParts(explained: ReuseExplanation): string[] {
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
        target.behind?.first.event_id ?? target.captured.shown[0] ?? NO_RECORD,
      ]),
      hiddenOf(targets),
    ),
  ]
}

function addressesText({ total, shown }: Listed<string>): string {
  const [first = '-'] = shown
  return total > 1 ? `${outsideText(first)} +${grouped(total - 1)}` : outsideText(first)
}
