/** Which country an IPv4 address was given to, by the statistics of the regional registries. */
import { isIpv4 } from './ip_address.ts'
import { type Ipv4Ranges, ipv4Number, ipv4Ranges, type RangesByStart } from './ipv4_ranges.ts'

/** Lines of one file that are read: the largest has some 200,000. */
const MAX_LINES = 2_000_000
const COUNTRY = /^[A-Z]{2}$/

/**
 * Reads delegated files, classic and extended. Of ranges that start at one address the later wins.
 * Lines of another kind, and broken ones, are passed over.
 * @returns countries, two letters each, by the addresses that were given to them
 * @see https://www.apnic.net/about-apnic/corporate-documents/documents/resource-guidelines/rir-statistics-exchange-format/
 */
export function delegatedRanges(files: readonly string[]): Ipv4Ranges<string> {
  const ranges: RangesByStart<string> = new Map()
  for (const text of files) {
    let at = 0
    for (let line = 0; line < MAX_LINES && at < text.length; line++) {
      const end = text.indexOf('\n', at)
      const stop = end < 0 ? text.length : end
      addLine(ranges, text.slice(at, stop))
      at = stop + 1
    }
  }
  return ipv4Ranges(ranges, (countries) => countries)
}

function addLine(ranges: RangesByStart<string>, line: string): void {
  const [, country = '', kind, first = '', size = '', , status = ''] = line.split('|', 8)
  if (kind !== 'ipv4' || !COUNTRY.test(country) || country === 'ZZ' || !isIpv4(first)) return
  if (!/^(allocated|assigned)\s*$/.test(status)) return
  const count = /^\d{1,10}$/.test(size) ? Number(size) : 0
  const start = ipv4Number(first)
  const end = start + count - 1
  if (count > 0 && end <= 0xffffffff) ranges.set(start, { end, value: country })
}
