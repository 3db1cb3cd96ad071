/** TCP (RFC 9293), UDP (RFC 768) and ICMPv6 (RFC 4443) headers. */
import type { Carried } from './ip_header.ts'
import { u16, u32 } from './octets.ts'
import { type Packet, PROTOCOL } from './packet.ts'

/**
 * Reads what `packet.protocol` names at `carried.start` into `packet`.
 * @returns false for another protocol, and for a header that is malformed or cut
 */
export function readTransportHeader(packet: Packet, carried: Carried): boolean {
  packet.transportStart = carried.start
  switch (packet.protocol) {
    case PROTOCOL.TCP:
      return readTcp(packet, carried)
    case PROTOCOL.UDP:
      return readUdp(packet, carried)
    case PROTOCOL.ICMPV6:
      return readIcmpv6(packet, carried)
    default:
      return false
  }
}

const TCP_HEADER = 20

function readTcp(packet: Packet, { start, end, wireEnd }: Carried): boolean {
  if (start + TCP_HEADER > end) return false
  const { bytes } = packet
  const flags = u16(bytes, start + 12)
  const headerLength = (flags >> 12) * 4
  if (headerLength < TCP_HEADER || start + headerLength > end) return false
  packet.srcPort = u16(bytes, start)
  packet.dstPort = u16(bytes, start + 2)
  packet.seq = u32(bytes, start + 4)
  packet.ack = u32(bytes, start + 8)
  packet.tcpFlags = flags & 0xfff
  packet.window = u16(bytes, start + 14)
  packet.urgentPointer = u16(bytes, start + 18)
  packet.tcpHeaderLength = headerLength
  packet.optionsStart = start + TCP_HEADER
  packet.optionsEnd = start + headerLength
  setPayload(packet, start + headerLength, end, wireEnd)
  return true
}

const UDP_HEADER = 8

function readUdp(packet: Packet, { start, end, wireEnd }: Carried): boolean {
  if (start + UDP_HEADER > end) return false
  const { bytes } = packet
  // 0 stands for a jumbogram, RFC 2675 section 4. A first fragment holds less than the datagram.
  const length = u16(bytes, start + 4) || wireEnd - start
  if (length < UDP_HEADER) return false
  packet.srcPort = u16(bytes, start)
  packet.dstPort = u16(bytes, start + 2)
  const wireStop = Math.min(start + length, wireEnd)
  setPayload(packet, start + UDP_HEADER, Math.min(end, wireStop), wireStop)
  return true
}

const ICMPV6_HEADER = 4

function readIcmpv6(packet: Packet, { start, end, wireEnd }: Carried): boolean {
  if (packet.ipVersion !== 6 || start + ICMPV6_HEADER > end) return false
  setPayload(packet, start, end, wireEnd)
  return true
}

function setPayload(packet: Packet, start: number, end: number, wireEnd: number): void {
  packet.payloadStart = start
  packet.payloadEnd = end
  packet.wirePayloadLength = wireEnd - start
}
