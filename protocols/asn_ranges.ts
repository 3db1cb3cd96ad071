/** Which autonomous system announces an IPv4 address, by the table of iptoasn.com. */
import { isIpv4 } from './ip_address.ts'
import { type Ipv4Ranges, ipv4Number, ipv4Ranges, type RangesByStart } from './ipv4_ranges.ts'

/** Lines that are read: the table has some 600,000. */
const MAX_LINES = 4_000_000
const NUMBER = /^\d{1,10}$/
const MAX_ASN = 2 ** 32 - 1

/**
 * Reads `start TAB end TAB number …` lines, both ends inclusive. Of ranges that start at one address
 * the later wins; 0 says that nobody announces it. Other lines, and broken ones, are passed over.
 * @returns numbers of autonomous systems, by the addresses that they announce
 * @see spec/geoip.md section 8; https://iptoasn.com
 */
export function asnRanges(text: string): Ipv4Ranges<number> {
  const ranges: RangesByStart<number> = new Map()
  let at = 0
  for (let line = 0; line < MAX_LINES && at < text.length; line++) {
    const newline = text.indexOf('\n', at)
    const stop = newline < 0 ? text.length : newline
    const [first = '', last = '', number = ''] = text.slice(at, stop).split('\t', 3)
    at = stop + 1
    const asn = NUMBER.test(number.trim()) ? Number(number) : 0
    if (asn === 0 || asn > MAX_ASN || !isIpv4(first) || !isIpv4(last)) continue
    const [start, end] = [ipv4Number(first), ipv4Number(last)]
    if (end >= start) ranges.set(start, { end, value: asn })
  }
  return ipv4Ranges(ranges, (asns) => Uint32Array.from(asns))
}
