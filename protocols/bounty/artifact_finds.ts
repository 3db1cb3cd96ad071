/** Files and mails that an attacker left. */
import type { Fields } from '../record_data.ts'
import { type Find, longText, NOTHING, shortText } from './bounty.ts'

/** What there is of each that was stored. */
export function artifactFinds(eventType: string, fields: Fields): readonly Find[] {
  const stored_as = longText(fields.stored_as)
  if (stored_as === null) return NOTHING
  const stored = { stored_as, sha256: shortText(fields.sha256), size: shortText(fields.size) }
  if (eventType === 'file_captured') {
    return [
      artifact('file', {
        ...stored,
        orig_path: longText(fields.orig_path),
        attribution: shortText(fields.attribution),
        writer_comm: shortText(fields.writer_comm),
      }),
    ]
  }
  if (eventType !== 'message_stored') return NOTHING
  return [
    artifact('mail', {
      ...stored,
      subject: longText(fields.subject),
      from_hdr: longText(fields.from_hdr),
      to_hdr: longText(fields.to_hdr),
      mail_from: longText(fields.mail_from),
      rcpt_to: longText(fields.rcpt_to),
      attachment_count: shortText(fields.attachment_count),
      content_type: shortText(fields.content_type),
    }),
  ]
}

const artifact = (kind: 'file' | 'mail', payload: Find['payload']): Find => ({
  bounty_type: 'artifact',
  payload: { kind, ...payload },
})
