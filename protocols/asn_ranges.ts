/** Which autonomous system announces an IPv4 address, by the table of iptoasn.com. */
import { isIpv4 } from './ip_address.ts'
import { isSpecialAddress } from './special_address.ts'

/** Address ranges by their start; a look-up is a binary search. */
export interface AsnRanges {
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  readonly asns: Uint32Array
}

/** Lines that are read: the table has some 600,000. */
const MAX_LINES = 4_000_000
const NUMBER = /^\d{1,10}$/
const MAX_ASN = 2 ** 32 - 1

/**
 * Reads `start TAB end TAB number …` lines, both ends inclusive. Of ranges that start at one address
 * the later wins; 0 says that nobody announces it. Other lines, and broken ones, are passed over.
 * @see spec/geoip.md section 8; https://iptoasn.com
 */
export function asnRanges(text: string): AsnRanges {
  const ranges = new Map<number, { end: number; asn: number }>()
  let at = 0
  for (let line = 0; line < MAX_LINES && at < text.length; line++) {
    const newline = text.indexOf('\n', at)
    const stop = newline < 0 ? text.length : newline
    const [first = '', last = '', number = ''] = text.slice(at, stop).split('\t', 3)
    at = stop + 1
    const asn = NUMBER.test(number.trim()) ? Number(number) : 0
    if (asn === 0 || asn > MAX_ASN || !isIpv4(first) || !isIpv4(last)) continue
    const [start, end] = [ipv4Number(first), ipv4Number(last)]
    if (end >= start) ranges.set(start, { end, asn })
  }
  const ordered = [...ranges].sort(([a], [b]) => a - b)
  return {
    starts: Uint32Array.from(ordered, ([start]) => start),
    ends: Uint32Array.from(ordered, ([, { end }]) => end),
    asns: Uint32Array.from(ordered, ([, { asn }]) => asn),
  }
}

/** @returns undefined for IPv6, addresses that nobody announces, and what is no address */
export function asnOf({ starts, ends, asns }: AsnRanges, ip: string): number | undefined {
  if (!isIpv4(ip) || isSpecialAddress(ip)) return undefined
  const address = ipv4Number(ip)
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] as number) <= address) low = middle + 1
    else high = middle
  }
  return low > 0 && address <= (ends[low - 1] as number) ? asns[low - 1] : undefined
}

const ipv4Number = (ip: string): number =>
  ip.split('.').reduce((number, part) => number * 256 + Number(part), 0)
