/** Addresses that no webhook may reach: what is ours, our neighbours', or nobody's. */
import { BlockList, isIP } from 'node:net'

// spec/webhooks.md section 7. IPv4-mapped addresses are in ::/8, so all of them are refused.
const IPV4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10], // of carriers
  ['127.0.0.0', 8],
  ['169.254.0.0', 16], // where clouds tell machines their keys
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
]
const IPV6: readonly (readonly [string, number])[] = [
  ['::', 8],
  ['64:ff9b::', 96],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4
  ['3fff::', 20],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
]

// One list each: in a list of both, ::/8 holds every IPv4 address, as the mapped one it could be.
const forbidden4 = new BlockList()
for (const [net, prefix] of IPV4) forbidden4.addSubnet(net, prefix, 'ipv4')
const forbidden6 = new BlockList()
for (const [net, prefix] of IPV6) forbidden6.addSubnet(net, prefix, 'ipv6')

/** @returns false also for what is no address at all */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  // A zone names an interface of ours.
  if (family === 0 || address.includes('%')) return false
  return family === 6 ? !forbidden6.check(address, 'ipv6') : !forbidden4.check(address)
}
