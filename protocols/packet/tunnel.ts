/** Tunnels whose inner packet is read in place of the outer one. */
import type { Carried } from './ip_header.ts'
import { behindEthernet, ofEthertype, ofVersion } from './link_layer.ts'
import { u8, u16 } from './octets.ts'
import { type Packet, PROTOCOL } from './packet.ts'

const IPV4_IN_IP = 4
const IPV6_IN_IP = 41
const GRE = 47

/**
 * @param carried where what the IP header carries begins and ends
 * @returns the offset of the IP header within, -1 if this is no tunnel or carries something else
 */
export function innerIpHeaderAt(packet: Packet, carried: Carried): number {
  switch (packet.protocol) {
    case IPV4_IN_IP:
      return ofVersion(packet.bytes, carried.start, carried.end, 4)
    case IPV6_IN_IP:
      return ofVersion(packet.bytes, carried.start, carried.end, 6)
    case GRE:
      return behindGre(packet.bytes, carried.start, carried.end)
    case PROTOCOL.UDP:
      return behindUdp(packet.bytes, carried.start, carried.end)
    default:
      return -1
  }
}

const TRANSPARENT_ETHERNET = 0x6558
const ERSPAN = 0x88be
const ERSPAN_3 = 0x22eb

/** RFC 2784 and RFC 2890; version 1 (PPTP) carries PPP in pieces and is left alone. */
function behindGre(bytes: Uint8Array, start: number, end: number): number {
  if (start + 4 > end) return -1
  const flags = u16(bytes, start)
  // Routing and version: RFC 2784 2.3, an implementation must drop what has any of these set.
  if ((flags & 0x4007) !== 0) return -1
  const sequenced = (flags & 0x1000) !== 0
  let at = start + 4
  if ((flags & 0x8000) !== 0) at += 4
  if ((flags & 0x2000) !== 0) at += 4
  if (sequenced) at += 4
  if (at > end) return -1
  const type = u16(bytes, start + 2)
  switch (type) {
    case TRANSPARENT_ETHERNET:
      return behindEthernet(bytes, at, end)
    case ERSPAN:
      // Type II has a sequence number and a header of its own, type I neither.
      return behindEthernet(bytes, sequenced ? at + 8 : at, end)
    case ERSPAN_3:
      // The last bit of its header says that a platform's own subheader follows.
      return behindEthernet(bytes, (u8(bytes, at + 11) & 1) === 1 ? at + 20 : at + 12, end)
    default:
      return ofEthertype(bytes, at, end, type)
  }
}

const UDP_HEADER = 8
const VXLAN_PORT = 4789
const VXLAN_GPE_PORT = 4790
const GENEVE_PORT = 6081

function behindUdp(bytes: Uint8Array, start: number, end: number): number {
  if (start + UDP_HEADER + 8 > end) return -1
  switch (u16(bytes, start + 2)) {
    case VXLAN_PORT:
      return behindVxlan(bytes, start + UDP_HEADER, end)
    case VXLAN_GPE_PORT:
      return behindVxlanGpe(bytes, start + UDP_HEADER, end)
    case GENEVE_PORT:
      return behindGeneve(bytes, start + UDP_HEADER, end)
    default:
      return -1
  }
}

/** RFC 7348 section 5: the I flag must be set. */
const behindVxlan = (bytes: Uint8Array, at: number, end: number): number =>
  (u8(bytes, at) & 0x08) !== 0 ? behindEthernet(bytes, at + 8, end) : -1

/** draft-ietf-nvo3-vxlan-gpe section 3: version 0; without the P flag it is plain VXLAN. */
function behindVxlanGpe(bytes: Uint8Array, at: number, end: number): number {
  const flags = u8(bytes, at)
  if ((flags & 0x04) === 0) return behindVxlan(bytes, at, end)
  if ((flags & 0x30) !== 0) return -1
  switch (u8(bytes, at + 3)) {
    case 1:
      return ofVersion(bytes, at + 8, end, 4)
    case 2:
      return ofVersion(bytes, at + 8, end, 6)
    case 3:
      return behindEthernet(bytes, at + 8, end)
    default:
      return -1
  }
}

/** RFC 8926 section 3.4: version 0, options in words of four bytes. */
function behindGeneve(bytes: Uint8Array, start: number, end: number): number {
  const first = u8(bytes, start)
  if (first >> 6 !== 0) return -1
  const at = start + 8 + (first & 0x3f) * 4
  const type = u16(bytes, start + 2)
  return type === TRANSPARENT_ETHERNET
    ? behindEthernet(bytes, at, end)
    : ofEthertype(bytes, at, end, type)
}
