/** Finds in a log record what is worth keeping about the attacker: fingerprints, leaks, artifacts. */
import { UNKNOWN_ADDRESS } from '../attacker_address.ts'
import { parseIp } from '../ip_address.ts'
import type { IpNetwork } from '../ip_network.ts'
import type { Fields } from '../record_data.ts'
import { artifactFinds } from './artifact_finds.ts'
import {
  type BountyRecord,
  type Find,
  fingerprint,
  longText,
  NOTHING,
  shortText,
} from './bounty.ts'
import { httpFinds } from './http_finds.ts'
import { proberFinds } from './prober_finds.ts'
import { snifferFinds } from './sniffer_finds.ts'

/** One of a row of the table bounty; two rows with equal type, address and payload are one. */
export interface Bounty extends Find {
  readonly attacker_ip: string
  readonly service: string
  readonly decky: string
}

/**
 * Never throws, whatever the record holds; the same record gives the same bounties. There are six of
 * one at most, each with a payload of some kilobytes: values are cut.
 * @param trusted proxies in front of the deckies: what their headers say of a client is true
 * @returns in the order of the clauses of spec/ingest-and-profile.md section 1.5, and the HASSH of a
 *   client last; a credential is none of them, see `decodeSecret`
 * @example bountiesOf(record, [])[0]?.payload.fingerprint_type // 'http_useragent'
 */
export function bountiesOf(record: BountyRecord, trusted: readonly IpNetwork[]): readonly Bounty[] {
  const { fields } = record
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) return NO_BOUNTIES
  const finds = findsOf(record, fields as Fields, trusted)
  if (finds.length === 0) return NO_BOUNTIES
  const { decky, service } = record
  const attacker_ip = addressOf(record, fields as Fields)
  return finds.map(({ bounty_type, payload }) => ({
    bounty_type,
    attacker_ip,
    service,
    decky,
    payload,
  }))
}

const NO_BOUNTIES: readonly Bounty[] = []

/** A probe has no attacker of its own: it is about whom it was sent to. */
function addressOf({ service, attacker_ip }: BountyRecord, { target_ip }: Fields): string {
  if (service !== 'prober') return attacker_ip
  return (typeof target_ip === 'string' ? parseIp(target_ip) : undefined) ?? UNKNOWN_ADDRESS
}

function findsOf(
  record: BountyRecord,
  fields: Fields,
  trusted: readonly IpNetwork[],
): readonly Find[] {
  const { service, event_type } = record
  let finds = NOTHING
  if (fields.headers !== undefined) finds = httpFinds(record, fields.headers, trusted)
  if (event_type === 'version') finds = both(finds, vncFinds(fields))
  if (service === 'sniffer') finds = both(finds, snifferFinds(fields))
  if (service === 'prober') finds = both(finds, proberFinds(fields))
  if (fields.stored_as !== undefined) finds = both(finds, artifactFinds(event_type, fields))
  if (KEX_EVENTS.has(event_type)) finds = both(finds, hasshFinds(fields))
  return finds
}

const both = (some: readonly Find[], more: readonly Find[]): readonly Find[] => {
  if (more.length === 0) return some
  return some.length === 0 ? more : [...some, ...more]
}

function vncFinds({ client_version }: Fields): readonly Find[] {
  const value = shortText(client_version)
  return value === null ? NOTHING : [fingerprint('vnc_client_version', { value })]
}

/** What the sniffer and Cowrie say when a client has offered its algorithms. */
const KEX_EVENTS = new Set(['ssh_client_kex', 'hassh'])

/** Sniffer and Cowrie name the lists alike, so that one client is one bounty. */
function hasshFinds(fields: Fields): readonly Find[] {
  const hash = shortText(fields.hassh)
  if (hash === null) return NOTHING
  return [
    fingerprint('hassh', {
      hash,
      kex_algorithms: longText(fields.kex_algorithms),
      encryption_c2s: longText(fields.encryption_c2s),
      mac_c2s: longText(fields.mac_c2s),
      compression_c2s: longText(fields.compression_c2s),
    }),
  ]
}
