/** What kind of address an address is, by the special-purpose registries. */
import { addressGroups } from './ip_address.ts'
import { type IpNetwork, isInNetwork, parseNetwork } from './ip_network.ts'

export type AddressCategory =
  | 'unspecified'
  | 'loopback'
  | 'link_local'
  | 'multicast'
  | 'reserved'
  | 'private'
  | 'public'

const blocks = (texts: string): readonly IpNetwork[] =>
  texts.split(' ').map((text) => {
    const network = parseNetwork(text)
    if (!network) throw new Error(`${text} is no block of addresses`)
    return network
  })

/**
 * In the order in which they are asked. Private is what no router of the Internet carries to one
 * host: shared space (RFC 6598), documentation, benchmarks and protocol assignments are.
 */
const CATEGORIES: readonly (readonly [AddressCategory, readonly IpNetwork[]])[] = [
  ['unspecified', blocks('0.0.0.0 ::')],
  ['loopback', blocks('127.0.0.0/8 ::1')],
  ['link_local', blocks('169.254.0.0/16 fe80::/10')],
  ['multicast', blocks('224.0.0.0/4 ff00::/8')],
  ['reserved', blocks('240.0.0.0/4')],
  [
    'private',
    blocks(
      '0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.168.0.0/16 ' +
        '198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 ' +
        'fc00::/7 fec0::/10 2001::/23 2001:db8::/32 2002::/16 3fff::/20',
    ),
  ],
  ['public', blocks('0.0.0.0/0 2000::/3')],
]

/**
 * @param ip an address that `parseIp` takes
 * @returns `reserved` also for IPv6 outside of what has been allocated to anybody
 * @see RFC 6890; IANA's special-purpose registries of IPv4 and IPv6
 */
export function addressCategory(ip: string): AddressCategory {
  const groups = addressGroups(ip) ?? []
  const found = CATEGORIES.find(([, networks]) =>
    networks.some((network) => isInNetwork(network, groups)),
  )
  return found?.[0] ?? 'reserved'
}
