/** What the fingerprints of a SYN are made of, out of a decoded packet. */
import type { Packet } from '../packet/packet.ts'
import { readTcpOptions } from '../packet/tcp_options.ts'
import type { SynFeatures, TcpOptionFeatures } from './syn_features.ts'

/** @param packet TCP over IPv4 or IPv6 */
export function synFeaturesOf(packet: Packet): SynFeatures {
  return {
    ipVersion: packet.ipVersion === 6 ? 6 : 4,
    ttl: packet.ttl,
    tos: packet.tos,
    ipId: packet.ipId,
    dontFragment: packet.dontFragment,
    reservedBit: packet.reservedBit,
    ipOptionsLength: packet.ipOptionsLength,
    flowLabel: packet.flowLabel,
    headerLength: packet.transportStart - packet.ipStart + packet.tcpHeaderLength,
    seq: packet.seq,
    ack: packet.ack,
    flags: packet.tcpFlags & NINE_BITS,
    window: packet.window,
    urgentPointer: packet.urgentPointer,
    payloadLength: packet.wirePayloadLength,
    options: optionFeaturesOf(packet),
  }
}

const NINE_BITS = 0x1ff

function optionFeaturesOf({ bytes, optionsStart, optionsEnd }: Packet): TcpOptionFeatures {
  const options = readTcpOptions(bytes, optionsStart, optionsEnd)
  const { kinds, mss, windowScale, ownTimestamp, peerTimestamp } = options
  return {
    kinds,
    kindCount: kinds.length,
    mss: mss ?? 0,
    windowScale: windowScale ?? -1,
    ownTimestamp: ownTimestamp ?? -1,
    peerTimestamp: peerTimestamp ?? -1,
    eolPadding: options.eolPadding,
    nonZeroAfterEol: options.nonZeroAfterEol,
    bad: options.bad,
  }
}
