/** Explanations as tables for a terminal. Every text in them that an attacker chose is escaped. */
import type { Explanation } from '../store/explain/explain.ts'
import { attackerParts } from './explain_attacker_text.ts'
import { campaignParts } from './explain_campaign_text.ts'
import { identityParts } from './explain_identity_text.ts'
import { reuseParts } from './explain_reuse_text.ts'
import { plural } from './explanation_parts.ts'
import { outsideText } from './outside_text.ts'
import { grouped } from './text_table.ts'

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
