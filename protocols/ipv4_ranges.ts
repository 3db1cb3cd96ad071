/** What is known of ranges of IPv4 addresses, by binary search. */
import { isIpv4 } from './ip_address.ts'
import { isSpecialAddress } from './special_address.ts'

/** Ranges in the order of their starts; `values[i]` is of the addresses `starts[i]` to `ends[i]`. */
export interface Ipv4Ranges<T> {
  readonly starts: Uint32Array
  /** inclusive */
  readonly ends: Uint32Array
  readonly values: ArrayLike<T>
}

/** Ranges by their start: of those that start at one address the later wins. */
export type RangesByStart<T> = Map<number, { readonly end: number; readonly value: T }>

/** @param pack makes what the values are kept in, e.g. numbers of four bytes each */
export function ipv4Ranges<T>(
  ranges: RangesByStart<T>,
  pack: (values: readonly T[]) => ArrayLike<T>,
): Ipv4Ranges<T> {
  const ordered = [...ranges].sort(([a], [b]) => a - b)
  return {
    starts: Uint32Array.from(ordered, ([start]) => start),
    ends: Uint32Array.from(ordered, ([, { end }]) => end),
    values: pack(ordered.map(([, { value }]) => value)),
  }
}

/**
 * @returns of the last range that starts at the address or before it; undefined where that ends
 *   before it, for IPv6, addresses that are nobody's on the Internet, and what is no address
 */
export function valueAt<T>({ starts, ends, values }: Ipv4Ranges<T>, ip: string): T | undefined {
  if (!isIpv4(ip) || isSpecialAddress(ip)) return undefined
  const address = ipv4Number(ip)
  let low = 0
  let high = starts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((starts[middle] as number) <= address) low = middle + 1
    else high = middle
  }
  return low > 0 && address <= (ends[low - 1] as number) ? values[low - 1] : undefined
}

/** @param ip what `isIpv4` takes */
export const ipv4Number = (ip: string): number =>
  ip.split('.').reduce((number, part) => number * 256 + Number(part), 0)
