/** What stands before the IP header in a captured frame, by link type. */
import { u8, u16, u32 } from './octets.ts'

/** Link types by the numbers that captures use, see https://www.tcpdump.org/linktypes.html */
export const LINK = {
  NULL: 0,
  EN10MB: 1,
  PPP: 9,
  RAW_12: 12,
  RAW_14: 14,
  RAW: 101,
  LOOP: 108,
  LINUX_SLL: 113,
  IPV4: 228,
  IPV6: 229,
  LINUX_SLL2: 276,
} as const

const SUPPORTED: ReadonlySet<number> = new Set(Object.values(LINK))

/** Whether frames of this link type can be read. */
export const isLinkType = (linkType: number): boolean => SUPPORTED.has(linkType)

const ETHERTYPE = { IPV4: 0x0800, IPV6: 0x86dd } as const

/** Tags that a frame may carry before its protocol: 802.1Q, 802.1ad and the older QinQ. */
const isVlan = (type: number) => type === 0x8100 || type === 0x88a8 || type === 0x9100
const MOST_TAGS = 4

/**
 * Finds the IP header of a frame.
 * @param start offset of the frame in `bytes`
 * @param end offset behind its last captured byte
 * @returns the offset of an IP header whose version is what the link announced, or -1: another
 *   protocol, another link type, or too short. At least one byte is there.
 */
export function ipHeaderAt(
  bytes: Uint8Array,
  start: number,
  end: number,
  linkType: number,
): number {
  switch (linkType) {
    case LINK.EN10MB:
      return behindEthertype(bytes, start + 12, start + 14, end)
    case LINK.LINUX_SLL:
      return behindEthertype(bytes, start + 14, start + 16, end)
    case LINK.LINUX_SLL2:
      return behindEthertype(bytes, start, start + 20, end)
    case LINK.RAW:
    case LINK.RAW_12:
    case LINK.RAW_14:
      return start < end ? start : -1
    case LINK.IPV4:
      return ofVersion(bytes, start, end, 4)
    case LINK.IPV6:
      return ofVersion(bytes, start, end, 6)
    case LINK.NULL:
    case LINK.LOOP:
      return behindFamily(bytes, start, end)
    case LINK.PPP:
      return behindPpp(bytes, start, end)
    default:
      return -1
  }
}

/** The IP header of an Ethernet frame at `start`, or -1; tunnels carry whole frames too. */
export const behindEthernet = (bytes: Uint8Array, start: number, end: number): number =>
  behindEthertype(bytes, start + 12, start + 14, end)

/** `at` if an IP header may begin there that `ethertype` announced, else -1. */
export function ofEthertype(bytes: Uint8Array, at: number, end: number, ethertype: number): number {
  if (ethertype === ETHERTYPE.IPV4) return ofVersion(bytes, at, end, 4)
  if (ethertype === ETHERTYPE.IPV6) return ofVersion(bytes, at, end, 6)
  return -1
}

/** `at` if an IP header of that version may begin there, else -1. */
export const ofVersion = (bytes: Uint8Array, at: number, end: number, version: number): number =>
  at < end && u8(bytes, at) >> 4 === version ? at : -1

function behindEthertype(bytes: Uint8Array, typeAt: number, at: number, end: number): number {
  if (at > end) return -1
  let type = u16(bytes, typeAt)
  for (let tags = 0; isVlan(type); tags++) {
    if (tags === MOST_TAGS || at + 4 > end) return -1
    type = u16(bytes, at + 2)
    at += 4
  }
  return ofEthertype(bytes, at, end, type)
}

/** BSD loopback: the family in the byte order of the host that captured, or of the network. */
function behindFamily(bytes: Uint8Array, start: number, end: number): number {
  if (start + 4 > end) return -1
  const first = u32(bytes, start)
  // Families are small, so the order in which one reads as small is the one it was written in.
  const family = first < 0x10000 ? first : swapped(first)
  if (family === AF_INET) return ofVersion(bytes, start + 4, end, 4)
  return AF_INET6.has(family) ? ofVersion(bytes, start + 4, end, 6) : -1
}

const AF_INET = 2
/** Linux, NetBSD and OpenBSD, FreeBSD, macOS */
const AF_INET6: ReadonlySet<number> = new Set([10, 24, 28, 30])

const swapped = (word: number) =>
  ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0

/** PPP (RFC 1661, RFC 1662): address and control may be left out, so may the protocol's high byte. */
function behindPpp(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  if (at + 2 <= end && u16(bytes, at) === 0xff03) at += 2
  if (at + 2 > end) return -1
  const short = (u8(bytes, at) & 1) === 1
  const protocol = short ? u8(bytes, at) : u16(bytes, at)
  at += short ? 1 : 2
  if (protocol === 0x0021) return ofVersion(bytes, at, end, 4)
  return protocol === 0x0057 ? ofVersion(bytes, at, end, 6) : -1
}
