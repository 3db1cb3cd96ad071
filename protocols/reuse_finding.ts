/** One secret of one principal, and where it was tried: folded attempt by attempt. */
import { UNKNOWN_ADDRESS } from './attacker_address.ts'
import { isoTime } from './iso_time.ts'
import { namedUuid } from './named_uuid.ts'

/** What makes two attempts attempts with the same credential. */
export interface ReuseKey {
  readonly sha256: string
  readonly kind: string
  /** empty where there is none */
  readonly principal: string
}

/** All that is kept of one credential, whoever tried it. JSON; times are event time, ms. */
export type ReuseTally = {
  attempts: number
  first: number
  last: number
  /** distinct `[decky,service]` pairs as JSON text, in order of appearance */
  targets: string[]
  ips: string[]
  uuids: string[]
}

/** One try. */
export interface Attempt {
  readonly time: number
  readonly attackerIp: string
  /** null: nobody knows yet */
  readonly attackerUuid: string | null
  readonly decky: string
  readonly service: string
}

/** How much of one credential is kept. */
export interface ReuseBounds {
  readonly maxTargets: number
  readonly maxAddresses: number
}

export const newTally = (): ReuseTally => ({
  attempts: 0,
  first: 0,
  last: 0,
  targets: [],
  ips: [],
  uuids: [],
})

const SHA_LENGTH = 64

/** Text of a key; the parts can be told apart again, whatever characters they hold. */
export const reuseKeyText = ({ sha256, kind, principal }: ReuseKey): string =>
  `${sha256}${kind.length} ${kind}${principal}`

/** @param text as `reuseKeyText` makes it */
export function readReuseKey(text: string): ReuseKey {
  const blank = text.indexOf(' ', SHA_LENGTH)
  const end = blank + 1 + Number(text.slice(SHA_LENGTH, blank))
  return {
    sha256: text.slice(0, SHA_LENGTH),
    kind: text.slice(blank + 1, end),
    principal: text.slice(end),
  }
}

/** What an attempt added: members of a list, or nothing; `full` names lists that had no room. */
export interface Growth {
  readonly grown: boolean
  readonly full: readonly ('target' | 'address')[]
}

/**
 * Counts an attempt. A target is a decky and a service that were seen together. An address that
 * nobody could tell counts as attempt and target, and is not listed.
 */
export function addAttempt(tally: ReuseTally, attempt: Attempt, bounds: ReuseBounds): Growth {
  const { time, attackerIp, attackerUuid, decky, service } = attempt
  tally.first = tally.attempts === 0 ? time : Math.min(tally.first, time)
  tally.last = tally.attempts === 0 ? time : Math.max(tally.last, time)
  tally.attempts += 1
  const full: Growth['full'][number][] = []
  const target = JSON.stringify([decky, service])
  let grown = add(tally.targets, target, bounds.maxTargets, () => full.push('target'))
  if (attackerIp !== UNKNOWN_ADDRESS) {
    const hasRoom = add(tally.ips, attackerIp, bounds.maxAddresses, () => full.push('address'))
    grown ||= hasRoom
    // The uuids of addresses that are not listed are not listed either.
    if (!full.includes('address')) grown = addUuid(tally, attackerUuid, bounds) || grown
  }
  return { grown, full }
}

/** Adds who an address belongs to, once that is known. @returns whether that is news */
export const addUuid = (tally: ReuseTally, uuid: string | null, bounds: ReuseBounds): boolean =>
  uuid !== null && add(tally.uuids, uuid, bounds.maxAddresses, () => undefined)

/** The lists are short enough to be looked through: their bounds are what an attempt costs at most. */
function add(list: string[], member: string, most: number, onFull: () => void): boolean {
  if (list.includes(member)) return false
  if (list.length >= most) {
    onFull()
    return false
  }
  list.push(member)
  return true
}

/**
 * The row of a finding. A principal that is empty is none.
 * @param now when it is told, ms
 * @see spec/credential-reuse.md section 3
 */
export function describeReuse(
  { sha256, kind, principal }: ReuseKey,
  tally: ReuseTally,
  now: number,
) {
  const pairs = tally.targets.map((target) => JSON.parse(target) as [string, string])
  return {
    id: namedUuid('credential_reuse', sha256, kind, principal),
    secret_sha256: sha256,
    secret_kind: kind,
    principal: principal === '' ? null : principal,
    principal_key: principal,
    attacker_uuids: [...tally.uuids],
    attacker_ips: [...tally.ips],
    deckies: [...new Set(pairs.map(([decky]) => decky))],
    services: [...new Set(pairs.map(([, service]) => service))],
    target_count: tally.targets.length,
    attempt_count: tally.attempts,
    confidence: 1,
    first_seen: isoTime(tally.first),
    last_seen: isoTime(tally.last),
    updated_at: isoTime(now),
  }
}

/** What others are told of a finding: neither the secret nor its hash nor the principal. */
export function announceReuse(row: ReturnType<typeof describeReuse>) {
  const { id, secret_kind, target_count, attacker_uuids, attacker_ips, deckies, services } = row
  return { id, secret_kind, target_count, attacker_uuids, attacker_ips, deckies, services }
}
