/** Which country an IPv4 address was given to, by the statistics of the regional registries. */
import { isIpv4 } from './ip_address.ts'
import { isSpecialAddress } from './special_address.ts'

/** Address ranges by their start; a look-up is a binary search. */
export interface CountryRanges {
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  /** two letters each */
  readonly countries: readonly string[]
}

/** Lines of one file that are read: the largest has some 200,000. */
const MAX_LINES = 2_000_000
const COUNTRY = /^[A-Z]{2}$/

/**
 * Reads delegated files, classic and extended. Of ranges that start at one address the later wins.
 * Lines of another kind, and broken ones, are passed over.
 * @see https://www.apnic.net/about-apnic/corporate-documents/documents/resource-guidelines/rir-statistics-exchange-format/
 */
export function delegatedRanges(files: readonly string[]): CountryRanges {
  const ranges = new Map<number, { end: number; country: string }>()
  for (const text of files) {
    let at = 0
    for (let line = 0; line < MAX_LINES && at < text.length; line++) {
      const end = text.indexOf('\n', at)
      const stop = end < 0 ? text.length : end
      addLine(ranges, text.slice(at, stop))
      at = stop + 1
    }
  }
  const ordered = [...ranges].sort(([a], [b]) => a - b)
  return {
    starts: Uint32Array.from(ordered, ([start]) => start),
    ends: Uint32Array.from(ordered, ([, { end }]) => end),
    countries: ordered.map(([, { country }]) => country),
  }
}

function addLine(ranges: Map<number, { end: number; country: string }>, line: string): void {
  const [, country = '', kind, first = '', size = '', , status = ''] = line.split('|', 8)
  if (kind !== 'ipv4' || !COUNTRY.test(country) || country === 'ZZ' || !isIpv4(first)) return
  if (!/^(allocated|assigned)\s*$/.test(status)) return
  const count = /^\d{1,10}$/.test(size) ? Number(size) : 0
  const start = ipv4Number(first)
  const end = start + count - 1
  if (count > 0 && end <= 0xffffffff) ranges.set(start, { end, country })
}

/** @returns undefined for IPv6, addresses nobody was given, and what is no address */
export function countryOf(
  { starts, ends, countries }: CountryRanges,
  ip: string,
): string | undefined {
  if (!isIpv4(ip) || isSpecialAddress(ip)) return undefined
  const address = ipv4Number(ip)
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] as number) <= address) low = middle + 1
    else high = middle
  }
  if (low === 0 || address > (ends[low - 1] as number)) return undefined
  return countries[low - 1]
}

const ipv4Number = (ip: string): number =>
  ip.split('.').reduce((number, part) => number * 256 + Number(part), 0)
