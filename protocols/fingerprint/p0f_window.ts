/** p0f's rule of the window: stacks size it as a multiple of the segment or the packet. */

/** What the rule looks at. */
export interface WindowContext {
  readonly ipVersion: 4 | 6
  readonly mss: number
  /** IP and TCP header together in bytes; 0 where it is not known */
  readonly headerLength: number
  /** the sender put a timestamp other than 0 into the packet */
  readonly hasOwnTimestamp: boolean
  /** the MSS of the SYN that a SYN-ACK answers; 0 on a SYN, or where it is not known */
  readonly peerMss: number
}

const SMALLEST_MSS = 100
const TIMESTAMP_BYTES = 12
const IPV4_HEADERS = 40
const IPV6_HEADERS = 60
const ETHERNET_MTU = 1500

/**
 * @returns N for `mss*N`, -N for `mtu*N`, 0 for a window that is no multiple of anything in the list.
 *   The first divisor that fits counts: MSS; MSS less a timestamp, if there is one; the MSS of
 *   Ethernet (1460, 1448; over IPv6 1440 and 1428 too); then as MTU: MSS with 40 bytes, MSS with
 *   this packet's headers, over IPv6 MSS with 60 bytes, 1500; at last the peer's MSS, and that less
 *   a timestamp
 * @see p0f README, section on window sizes
 */
export function windowMultiple(window: number, context: WindowContext): number {
  const { mss, ipVersion, headerLength, hasOwnTimestamp, peerMss } = context
  if (window === 0 || mss < SMALLEST_MSS) return 0
  const v6 = ipVersion === 6
  if (window % mss === 0) return window / mss
  if (hasOwnTimestamp && window % (mss - TIMESTAMP_BYTES) === 0) {
    return window / (mss - TIMESTAMP_BYTES)
  }
  if (window % ETHERNET_MSS === 0) return window / ETHERNET_MSS
  if (window % ETHERNET_MSS_TS === 0) return window / ETHERNET_MSS_TS
  if (v6 && window % ETHERNET_MSS_V6 === 0) return window / ETHERNET_MSS_V6
  if (v6 && window % ETHERNET_MSS_V6_TS === 0) return window / ETHERNET_MSS_V6_TS
  if (window % (mss + IPV4_HEADERS) === 0) return -window / (mss + IPV4_HEADERS)
  if (window % (mss + headerLength) === 0) return -window / (mss + headerLength)
  if (v6 && window % (mss + IPV6_HEADERS) === 0) return -window / (mss + IPV6_HEADERS)
  if (window % ETHERNET_MTU === 0) return -window / ETHERNET_MTU
  if (peerMss > 0 && window % peerMss === 0) return window / peerMss
  if (peerMss > TIMESTAMP_BYTES && window % (peerMss - TIMESTAMP_BYTES) === 0) {
    return window / (peerMss - TIMESTAMP_BYTES)
  }
  return 0
}

const ETHERNET_MSS = ETHERNET_MTU - IPV4_HEADERS
const ETHERNET_MSS_TS = ETHERNET_MSS - TIMESTAMP_BYTES
const ETHERNET_MSS_V6 = ETHERNET_MTU - IPV6_HEADERS
const ETHERNET_MSS_V6_TS = ETHERNET_MSS_V6 - TIMESTAMP_BYTES

/**
 * The other way round: the windows that `windowMultiple` gives `multiple` for, the likeliest first.
 * The peer's MSS is not in the text of a signature, so windows made of it are missing.
 */
export function windowsOfMultiple(multiple: number, context: WindowContext): number[] {
  const { mss, headerLength } = context
  const divisors =
    multiple > 0
      ? [
          mss,
          mss - TIMESTAMP_BYTES,
          ETHERNET_MSS,
          ETHERNET_MSS_TS,
          ETHERNET_MSS_V6,
          ETHERNET_MSS_V6_TS,
        ]
      : [mss + IPV4_HEADERS, mss + headerLength, mss + IPV6_HEADERS, ETHERNET_MTU]
  const windows = divisors
    .map((divisor) => divisor * Math.abs(multiple))
    .filter((window) => window <= 0xffff && windowMultiple(window, context) === multiple)
  return [...new Set(windows)]
}
