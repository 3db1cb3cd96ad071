/** One decoded IP packet: numbers read once, and offsets into the bytes it was captured with. */
import { ipv4Text, ipv6Text } from './address_text.ts'

/** IP protocol numbers that are read. */
export const PROTOCOL = { TCP: 6, UDP: 17, ICMPV6: 58 } as const

/** TCP control bits, RFC 9293 section 3.1; the ninth is NS (RFC 3540) or AE. */
export const TCP_FLAG = {
  FIN: 0x001,
  SYN: 0x002,
  RST: 0x004,
  PSH: 0x008,
  ACK: 0x010,
  URG: 0x020,
  ECE: 0x040,
  CWR: 0x080,
  NS: 0x100,
} as const

/** The packet's event data: the frame itself, from which everything else is read again. */
export interface PacketJson {
  readonly link_type: number
  readonly frame_b64: string
  /** Bytes of the frame on the wire, as many as `frame_b64` or more. */
  readonly wire_length: number
}

/**
 * Made by `decodePacket`, which sets every field. Offsets are into `bytes`, ends behind the last
 * byte. In a tunnel all fields but the frame's own are those of the innermost packet.
 */
export class Packet {
  /** What the frame was captured into, other frames too. */
  readonly bytes: Buffer
  /** The frame is `bytes[start..end)`. */
  readonly start: number
  readonly end: number
  readonly linkType: number
  /** Bytes of the frame on the wire. */
  readonly wireLength: number
  /** Capture time, ms since the epoch with a fraction. */
  readonly time: number

  /** 4 or 6 */
  ipVersion = 4
  /** Offset of the IP header. */
  ipStart = 0
  /** Total length of the IP packet on the wire, its header included. */
  ipLength = 0
  /** IPv4 options, bytes; 0 for IPv6, whatever extension headers there are. */
  ipOptionsLength = 0
  /** TTL, or IPv6 hop limit. */
  ttl = 0
  /** ToS octet, or IPv6 traffic class: DSCP in the upper six bits, ECN in the lower two. */
  tos = 0
  /** IPv6 only, else 0. */
  flowLabel = 0
  /** IPv4 identification; 0 for IPv6, which has none. */
  ipId = 0
  dontFragment = false
  /** Further fragments follow: this is the first one, as far as it goes. */
  moreFragments = false
  /** The bit of RFC 791 that must be zero is set. */
  reservedBit = false
  /** `PROTOCOL.TCP`, `.UDP` or `.ICMPV6`. */
  protocol = 0
  /** Tunnel headers taken off, 0 to 4: who sent this packet is what its sender says. */
  tunnelDepth = 0

  /** Offset of the TCP, UDP or ICMPv6 header. */
  transportStart = 0
  /** 0 for ICMPv6, like `dstPort`. */
  srcPort = 0
  dstPort = 0
  /** TCP only, like all up to `optionsEnd`; 0 otherwise. 32 bits, raw. */
  seq = 0
  ack = 0
  /** Twelve bits, see `TCP_FLAG`; those above NS are reserved. */
  tcpFlags = 0
  /** As on the wire, not scaled. */
  window = 0
  urgentPointer = 0
  /** Bytes, 20 to 60. */
  tcpHeaderLength = 0
  optionsStart = 0
  optionsEnd = 0
  /** Captured payload behind the TCP or UDP header; for ICMPv6 the message with its header. */
  payloadStart = 0
  payloadEnd = 0
  /** Bytes of the payload on the wire: more than were captured, if the snap length cut it. */
  wirePayloadLength = 0

  #src: string | undefined
  #dst: string | undefined

  constructor(
    bytes: Buffer,
    start: number,
    end: number,
    linkType: number,
    wireLength: number,
    time: number,
  ) {
    this.bytes = bytes
    this.start = start
    this.end = end
    this.linkType = linkType
    this.wireLength = wireLength
    this.time = time
  }

  /** Source address: RFC 5952, an IPv4-mapped one as IPv4. */
  get src(): string {
    this.#src ??= this.#address(12, 8)
    return this.#src
  }

  /** Destination address, spelled like `src`. */
  get dst(): string {
    this.#dst ??= this.#address(16, 24)
    return this.#dst
  }

  #address(v4Offset: number, v6Offset: number): string {
    return this.ipVersion === 4
      ? ipv4Text(this.bytes, this.ipStart + v4Offset)
      : ipv6Text(this.bytes, this.ipStart + v6Offset)
  }

  /** What was captured of the payload; shares memory with `bytes`. */
  get payload(): Buffer {
    return this.bytes.subarray(this.payloadStart, this.payloadEnd)
  }

  /** Whether some of the payload was captured. */
  get hasPayload(): boolean {
    return this.payloadEnd > this.payloadStart
  }

  /** FIN or RST: what comes from these ports next is another connection. */
  get endsConnection(): boolean {
    return (this.tcpFlags & (TCP_FLAG.FIN | TCP_FLAG.RST)) !== 0
  }

  /** Sequence number of the first byte of payload: a SYN takes one of its own. */
  get payloadSeq(): number {
    return (this.tcpFlags & TCP_FLAG.SYN) === 0 ? this.seq : (this.seq + 1) >>> 0
  }

  /** SYN without ACK, whatever else is set. */
  get isSyn(): boolean {
    return this.protocol === PROTOCOL.TCP && (this.tcpFlags & SYN_ACK) === TCP_FLAG.SYN
  }

  /** `packetFromJson` reads it back. */
  toJSON(): PacketJson {
    return {
      link_type: this.linkType,
      frame_b64: this.bytes.toString('base64', this.start, this.end),
      wire_length: this.wireLength,
    }
  }
}

const SYN_ACK = TCP_FLAG.SYN | TCP_FLAG.ACK
