/** Domains that an attacker wanted mail delivered to; local parts are never kept. */
import type { Fields } from './record_data.ts'

/** Domain → what is known. JSON; times are event time, ms. */
export type MailTargets = Record<string, MailTarget>
type MailTarget = { count: number; asked: boolean; first: number; last: number }

/** Domains of one attacker, and addresses of one message. */
const MAX_DOMAINS = 200
const MAX_ADDRESSES = 100
const MAX_LIST = 16 * 1024
const RESERVED = new Set(['invalid', 'test', 'localhost', 'local', 'example'])
/** RFC 1035 section 2.3.4 allows 253 characters; a top-level domain has two letters at least. */
const ADDRESS =
  /^<?[^\s@<>]{1,256}@((?:[a-z0-9-]{1,63}\.){1,16}([a-z]{2,63}|xn--[a-z0-9-]{1,59}))>?$/i

/** @returns how many domains there was no room for */
export function addMail(
  targets: MailTargets,
  time: number,
  { service, event_type, fields }: { service: string; event_type: string; fields: Fields },
): number {
  if (service !== 'smtp' && service !== 'smtp_relay') return 0
  if (event_type === 'rcpt_to' || event_type === 'rcpt_denied') {
    return add(targets, time, domainsOf(fields.value), true)
  }
  if (event_type !== 'message_accepted') return 0
  return add(targets, time, domainsOf(fields.rcpt_to), false)
}

/** @param asked an RCPT: each counts. A message counts only where no RCPT told of the domain. */
function add(
  targets: MailTargets,
  time: number,
  domains: Iterable<string>,
  asked: boolean,
): number {
  let dropped = 0
  for (const domain of domains) {
    const known = Object.hasOwn(targets, domain) ? targets[domain] : undefined
    if (known) {
      if (asked || !known.asked) known.count += 1
      known.asked ||= asked
      known.first = Math.min(known.first, time)
      known.last = Math.max(known.last, time)
    } else if (Object.keys(targets).length < MAX_DOMAINS) {
      targets[domain] = { count: 1, asked, first: time, last: time }
    } else dropped += 1
  }
  return dropped
}

/** @returns each domain once, in lower case; those that can never get mail are left out */
function domainsOf(list: unknown): Set<string> {
  const domains = new Set<string>()
  if (typeof list !== 'string') return domains
  for (const address of list.slice(0, MAX_LIST).split(',', MAX_ADDRESSES)) {
    const [, domain, top] = ADDRESS.exec(address.trim()) ?? []
    if (domain === undefined || domain.length > 253) continue
    if (!RESERVED.has((top ?? '').toLowerCase())) domains.add(domain.toLowerCase())
  }
  return domains
}

/** Rows of the table `smtp_targets`, by domain. */
export const describeMail = (targets: MailTargets, isoOf: (time: number) => string) =>
  Object.keys(targets)
    .sort()
    .map((domain) => {
      const { count, first, last } = targets[domain] as MailTarget
      return { domain, count, first_seen: isoOf(first), last_seen: isoOf(last) }
    })
