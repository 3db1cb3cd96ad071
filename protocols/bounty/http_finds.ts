/** What the headers of a request tell. */
import { addressCategory } from '../address_category.ts'
import { addressGroups, parseIp } from '../ip_address.ts'
import { type IpNetwork, isInNetwork } from '../ip_network.ts'
import { type Header, loggedHeaders } from '../logged_headers.ts'
import {
  type BountyRecord,
  type Find,
  fingerprint,
  longText,
  NOTHING,
  shortText,
} from './bounty.ts'
import { headerQuirks } from './header_quirks.ts'
import { proxyClaim, proxyHeaders } from './proxy_claim.ts'
import { userAgentClass } from './user_agent.ts'

/**
 * User-Agent, address leak or spoofed source, header quirks. Method and path are left out: of a
 * directory buster they would make a bounty per path.
 * @param headers the field
 * @param trusted proxies whose claims are no attacker's
 */
export function httpFinds(
  record: BountyRecord,
  headers: unknown,
  trusted: readonly IpNetwork[],
): readonly Find[] {
  const sent = loggedHeaders(headers)
  if (sent.length === 0) return NOTHING
  const finds = userAgentFinds(sent)
  if (record.service !== 'http' && record.service !== 'https') return finds
  const claim = claimFind(record.attacker_ip, sent, trusted)
  if (claim) finds.push(claim)
  finds.push(fingerprint('http_quirks', { ...headerQuirks(sent) }))
  return finds
}

function userAgentFinds(headers: readonly Header[]): Find[] {
  const agent = headers.find(([name]) => name.toLowerCase() === 'user-agent')?.[1]
  if (agent === undefined) return []
  const value = longText(agent) ?? ''
  return [fingerprint('http_useragent', { value, ...userAgentClass(agent) })]
}

function claimFind(
  attackerIp: string,
  headers: readonly Header[],
  trusted: readonly IpNetwork[],
): Find | undefined {
  const seen = proxyHeaders(headers)
  const claim = proxyClaim(seen)
  const source_ip = parseIp(attackerIp)
  if (!claim || source_ip === undefined || claim.ip === source_ip) return undefined
  const source = addressGroups(source_ip) ?? []
  if (trusted.some((network) => isInNetwork(network, source))) return undefined
  const headers_seen = Object.fromEntries(
    Object.entries(seen).map(([name, value]) => [name, shortText(value)]),
  )
  const told = { source_ip, source_header: claim.header, headers_seen }
  const claim_category = addressCategory(claim.ip)
  return claim_category === 'public'
    ? { bounty_type: 'ip_leak', payload: { ...told, real_ip_claim: claim.ip } }
    : fingerprint('spoofed_source', { ...told, claimed_ip: claim.ip, claim_category })
}
