/** Reads the features of SYNs out of bytes, the way p0f reads options; for tests only. */
import type { SynFeatures, TcpOptionFeatures } from '../../../protocols/fingerprint/syn_features.ts'

export interface TestPacket extends SynFeatures {
  readonly source: string
  readonly destination: string
  readonly sourcePort: number
  readonly destinationPort: number
  readonly destinationNumber: number
}

/** A SYN of Linux, to vary. */
export function synFeatures(
  changes: Partial<Omit<SynFeatures, 'options'>> = {},
  options: Partial<Omit<TcpOptionFeatures, 'kinds' | 'kindCount'>> & { kinds?: number[] } = {},
): SynFeatures {
  const kinds = options.kinds ?? [2, 4, 8, 1, 3]
  return {
    ipVersion: 4,
    ttl: 57,
    tos: 0,
    ipId: 6699,
    dontFragment: true,
    reservedBit: false,
    ipOptionsLength: 0,
    flowLabel: 0,
    headerLength: 60,
    seq: 809096241,
    ack: 0,
    flags: 2,
    window: 64240,
    urgentPointer: 0,
    payloadLength: 0,
    ...changes,
    options: {
      mss: 1460,
      windowScale: 7,
      ownTimestamp: 12345,
      peerTimestamp: 0,
      eolPadding: 0,
      nonZeroAfterEol: false,
      bad: false,
      ...options,
      kinds: Uint8Array.from(kinds),
      kindCount: kinds.length,
    },
  }
}

export function readIp(ip: Buffer): TestPacket | undefined {
  const version = (ip[0] ?? 0) >> 4
  if (version === 6) return readIpv6(ip)
  if (version !== 4 || ip.length < 20 || ip[9] !== 6) return undefined
  const header = ((ip[0] ?? 0) & 15) * 4
  const fragment = ip.readUInt16BE(6)
  if (header < 20 || ip.length < header + 20 || (fragment & 0x1fff) !== 0) return undefined
  const total = ip.readUInt16BE(2) || ip.length
  const tcp = readTcp(ip.subarray(header, total), total - header)
  return (
    tcp && {
      ...tcp,
      ipVersion: 4,
      ttl: ip[8] ?? 0,
      tos: ip[1] ?? 0,
      ipId: ip.readUInt16BE(4),
      dontFragment: (fragment & 0x4000) !== 0,
      reservedBit: (fragment & 0x8000) !== 0,
      ipOptionsLength: header - 20,
      flowLabel: 0,
      headerLength: header + tcp.headerLength,
      source: [...ip.subarray(12, 16)].join('.'),
      destination: [...ip.subarray(16, 20)].join('.'),
      destinationNumber: ip.readUInt32BE(16),
    }
  )
}

function readIpv6(ip: Buffer): TestPacket | undefined {
  if (ip.length < 60 || ip[6] !== 6) return undefined
  const length = ip.readUInt16BE(4)
  const tcp = readTcp(ip.subarray(40, 40 + length), length)
  const first = ip.readUInt32BE(0)
  return (
    tcp && {
      ...tcp,
      ipVersion: 6,
      ttl: ip[7] ?? 0,
      tos: (first >>> 20) & 0xff,
      ipId: 0,
      dontFragment: false,
      reservedBit: false,
      ipOptionsLength: 0,
      flowLabel: first & 0xfffff,
      headerLength: 40 + tcp.headerLength,
      source: ipv6(ip.subarray(8, 24)),
      destination: ipv6(ip.subarray(24, 40)),
      destinationNumber: 0,
    }
  )
}

/** As p0f prints it, without `::`. */
const ipv6 = (bytes: Buffer): string =>
  Array.from({ length: 8 }, (_, at) => bytes.readUInt16BE(at * 2).toString(16)).join(':')

function readTcp(tcp: Buffer, onWire: number) {
  if (tcp.length < 20) return undefined
  const header = ((tcp[12] ?? 0) >> 4) * 4
  if (header < 20 || header > tcp.length) return undefined
  return {
    sourcePort: tcp.readUInt16BE(0),
    destinationPort: tcp.readUInt16BE(2),
    seq: tcp.readUInt32BE(4),
    ack: tcp.readUInt32BE(8),
    flags: tcp.readUInt16BE(12) & 0x1ff,
    window: tcp.readUInt16BE(14),
    urgentPointer: tcp.readUInt16BE(18),
    payloadLength: onWire - header,
    headerLength: header,
    options: readOptions(tcp.subarray(20, header)),
  }
}

export function readOptions(bytes: Buffer): TcpOptionFeatures {
  const found = {
    kinds: new Uint8Array(40),
    kindCount: 0,
    mss: 0,
    windowScale: -1,
    ownTimestamp: -1,
    peerTimestamp: -1,
    eolPadding: 0,
    nonZeroAfterEol: false,
    bad: false,
  }
  for (let at = 0; at < bytes.length; ) {
    const kind = bytes[at] ?? 0
    found.kinds[found.kindCount++] = kind
    if (kind === 0) {
      const rest = bytes.subarray(at + 1)
      found.eolPadding = rest.length
      found.nonZeroAfterEol = rest.some((byte) => byte !== 0)
      break
    }
    if (kind === 1) {
      at += 1
      continue
    }
    const length = bytes[at + 1] ?? 0
    if (length < 2 || at + length > bytes.length) {
      found.bad = true
      break
    }
    if (kind === 2 && length === 4) found.mss = bytes.readUInt16BE(at + 2)
    if (kind === 3 && length === 3) found.windowScale = bytes[at + 2] ?? 0
    if (kind === 8 && length === 10) {
      found.ownTimestamp = bytes.readUInt32BE(at + 2)
      found.peerTimestamp = bytes.readUInt32BE(at + 6)
    }
    at += length
  }
  return found
}

/** The IP packets of a pcap file (Ethernet with VLAN tags, raw IP, null, Linux cooked). */
export function* ipPackets(file: Buffer): Generator<Buffer> {
  const little = [0xd4c3b2a1, 0x4d3cb2a1].includes(file.readUInt32BE(0))
  const word = (at: number) => (little ? file.readUInt32LE(at) : file.readUInt32BE(at))
  const link = word(20) & 0xffff
  for (let at = 24; at + 16 <= file.length; ) {
    const length = word(at + 8)
    const ip = ipOf(file.subarray(at + 16, at + 16 + length), link)
    if (ip && ip.length > 0) yield ip
    at += 16 + length
  }
}

function ipOf(frame: Buffer, link: number): Buffer | undefined {
  if (link === 101 || link === 12 || link === 228 || link === 229) return frame
  if (link === 0) return frame.subarray(4)
  if (link === 113) return frame.subarray(16)
  if (link !== 1 || frame.length < 14) return undefined
  let at = 12
  while ([0x8100, 0x88a8, 0x9100].includes(frame.readUInt16BE(at)) && at + 6 < frame.length) at += 4
  return frame.subarray(at + 2)
}
