/** IPv4 (RFC 791) and IPv6 (RFC 8200) headers. */
import { u8, u16 } from './octets.ts'
import type { Packet } from './packet.ts'

/**
 * Where what the IP header carries lies, in offsets into the packet's bytes: one object for all
 * packets, since it is read before the next header is.
 */
export interface Carried {
  start: number
  /** Behind the last byte that was captured. */
  end: number
  /** Behind the last byte there was on the wire. */
  wireEnd: number
}

/**
 * Reads the IP header at `carried.start` into `packet`, and moves `carried` to what is inside it.
 * What comes behind the packet's own length, such as Ethernet padding, is cut off.
 * @returns false where there is no usable packet: malformed, cut, or a fragment but the first
 */
export function readIpHeader(packet: Packet, carried: Carried): boolean {
  if (carried.start >= carried.end) return false
  const version = u8(packet.bytes, carried.start) >> 4
  if (version === 4) return readIpv4(packet, carried)
  return version === 6 && readIpv6(packet, carried)
}

const IPV4_HEADER = 20
const FRAGMENT_OFFSET = 0x1fff
const MORE_FRAGMENTS = 0x2000
const DONT_FRAGMENT = 0x4000
const RESERVED = 0x8000

function readIpv4(packet: Packet, carried: Carried): boolean {
  const { bytes } = packet
  const at = carried.start
  const headerLength = (u8(bytes, at) & 15) * 4
  if (headerLength < IPV4_HEADER || at + headerLength > carried.end) return false
  // Segmentation offload leaves 0 there: the card will fill it in, the capture was made before.
  const length = u16(bytes, at + 2) || carried.wireEnd - at
  if (length < headerLength) return false
  const fragment = u16(bytes, at + 6)
  if ((fragment & FRAGMENT_OFFSET) !== 0) return false
  packet.ipVersion = 4
  packet.ipStart = at
  packet.ipLength = length
  packet.ipOptionsLength = headerLength - IPV4_HEADER
  packet.tos = u8(bytes, at + 1)
  packet.flowLabel = 0
  packet.ipId = u16(bytes, at + 4)
  packet.reservedBit = (fragment & RESERVED) !== 0
  packet.dontFragment = (fragment & DONT_FRAGMENT) !== 0
  packet.moreFragments = (fragment & MORE_FRAGMENTS) !== 0
  packet.ttl = u8(bytes, at + 8)
  packet.protocol = u8(bytes, at + 9)
  carried.start = at + headerLength
  carried.wireEnd = at + length
  carried.end = Math.min(carried.end, carried.wireEnd)
  return true
}

const IPV6_HEADER = 40

function readIpv6(packet: Packet, carried: Carried): boolean {
  const { bytes } = packet
  const at = carried.start
  if (at + IPV6_HEADER > carried.end) return false
  // 0 stands for a jumbogram (RFC 2675) and, like in IPv4, for offload.
  const payload = u16(bytes, at + 4) || carried.wireEnd - at - IPV6_HEADER
  const words = u16(bytes, at)
  packet.ipVersion = 6
  packet.ipStart = at
  packet.ipLength = IPV6_HEADER + payload
  packet.ipOptionsLength = 0
  packet.tos = (words >> 4) & 255
  packet.flowLabel = ((words & 15) << 16) | u16(bytes, at + 2)
  packet.ipId = 0
  packet.reservedBit = false
  packet.dontFragment = false
  packet.moreFragments = false
  packet.ttl = u8(bytes, at + 7)
  carried.start = at + IPV6_HEADER
  carried.wireEnd = carried.start + payload
  carried.end = Math.min(carried.end, carried.wireEnd)
  return walkExtensions(packet, carried, u8(bytes, at + 6))
}

const HOP_BY_HOP = 0
const ROUTING = 43
const FRAGMENT = 44
const DESTINATION_OPTIONS = 60
const MOBILITY = 135
const MOST_EXTENSIONS = 8

function walkExtensions(packet: Packet, carried: Carried, next: number): boolean {
  const { bytes } = packet
  for (let extensions = 0; isExtension(next); extensions++) {
    const at = carried.start
    if (extensions === MOST_EXTENSIONS || at + 8 > carried.end) return false
    let length = (u8(bytes, at + 1) + 1) * 8
    if (next === FRAGMENT) {
      length = 8
      const fragment = u16(bytes, at + 2)
      if (fragment >> 3 !== 0) return false
      packet.moreFragments ||= (fragment & 1) === 1
    }
    if (at + length > carried.end) return false
    next = u8(bytes, at)
    carried.start = at + length
  }
  packet.protocol = next
  return true
}

const isExtension = (next: number): boolean =>
  next === HOP_BY_HOP ||
  next === ROUTING ||
  next === FRAGMENT ||
  next === DESTINATION_OPTIONS ||
  next === MOBILITY
