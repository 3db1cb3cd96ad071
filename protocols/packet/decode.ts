/** A captured frame to the packet in it. */
import { type Carried, readIpHeader } from './ip_header.ts'
import { ipHeaderAt } from './link_layer.ts'
import { Packet, PROTOCOL } from './packet.ts'
import { readTransportHeader } from './transport_header.ts'
import { innerIpHeaderAt } from './tunnel.ts'

/** Tunnels within tunnels that are followed; real captures have two. */
const MOST_TUNNELS = 4

/**
 * Decodes one frame. Nothing is copied: the packet refers to `bytes`. Checksums are not verified,
 * since offload makes those of outgoing packets wrong; IP fragments are not put together.
 * @param start offset of the frame in `bytes`
 * @param end offset behind its last captured byte
 * @param wireLength bytes of the frame on the wire
 * @param time ms since the epoch
 * @returns the TCP, UDP or ICMPv6 packet, the innermost one where it is in tunnels; undefined for
 *   anything else, and for headers that are malformed, cut, or in a fragment but the first
 */
export function decodePacket(
  bytes: Buffer,
  start: number,
  end: number,
  linkType: number,
  wireLength: number,
  time: number,
): Packet | undefined {
  const stop = Math.min(end, bytes.length)
  const ipAt = ipHeaderAt(bytes, start, stop, linkType)
  if (ipAt < 0) return undefined
  const onWire = Math.max(wireLength, stop - start)
  const packet = new Packet(bytes, start, stop, linkType, onWire, time)
  carried.start = ipAt
  carried.end = stop
  carried.wireEnd = start + onWire
  return readPacket(packet, 0) ? packet : undefined
}

/** Where the reading is: set anew for each packet, so that none has to be made for it. */
const carried: Carried = { start: 0, end: 0, wireEnd: 0 }

function readPacket(packet: Packet, depth: number): boolean {
  const { start, end, wireEnd } = carried
  if (!readIpHeader(packet, carried)) return false
  const inner = depth < MOST_TUNNELS ? innerIpHeaderAt(packet, carried) : -1
  if (inner >= 0) {
    const isUdp = packet.protocol === PROTOCOL.UDP
    carried.start = inner
    if (readPacket(packet, depth + 1)) return true
    // A UDP port is no proof of a tunnel: what makes no sense within may be somebody's data.
    if (!isUdp) return false
    carried.start = start
    carried.end = end
    carried.wireEnd = wireEnd
    readIpHeader(packet, carried)
  }
  packet.tunnelDepth = depth
  return readTransportHeader(packet, carried)
}
