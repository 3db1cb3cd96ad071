/** Addresses that are nobody's on the Internet. */
import { isIpv4 } from './ip_address.ts'

/**
 * Unspecified, private, shared, loopback, link-local, multicast, reserved.
 * Not blocks for documentation and benchmarks, unlike `addressCategory`: what an attacker names is
 * kept, also where it only stands for another.
 * @param ip as `parseIp` spells it; what is no address is not special
 * @see RFC 6890
 */
export function isSpecialAddress(ip: string): boolean {
  if (!isIpv4(ip)) return /^(?:::1?$|fe[89ab][0-9a-f]:|f[cd][0-9a-f]{2}:|ff[0-9a-f]{2}:)/.test(ip)
  const [a = 0, b = 0] = ip.split('.', 2).map(Number)
  if (a === 0 || a === 10 || a === 127 || a >= 224) return true
  if (a === 100) return b >= 64 && b < 128
  return (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168) || (a === 169 && b === 254)
}
