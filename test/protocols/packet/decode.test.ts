import { describe, expect, it } from 'vitest'
import { optionsSig } from '../../../protocols/fingerprint/options_sig.ts'
import { decodePacket } from '../../../protocols/packet/decode.ts'
import { TCP_FLAG } from '../../../protocols/packet/packet.ts'
import { readTcpOptions } from '../../../protocols/packet/tcp_options.ts'
import {
  decode,
  decoded,
  ETHERNET,
  hex,
  ipv4,
  ipv6,
  patched,
  SYN,
  tcp,
  udp,
  V6_DST,
} from './frames.ts'

const FIELDS_OF_SYN = {
  src: '203.0.113.7',
  dst: '192.0.2.10',
  srcPort: 40000,
  dstPort: 443,
  ttl: 57,
  tos: 74,
  ipId: 6699,
  ipLength: 60,
  ipOptionsLength: 0,
  dontFragment: true,
  moreFragments: false,
  reservedBit: false,
  seq: 809096241,
  ack: 0,
  tcpFlags: TCP_FLAG.SYN,
  window: 64240,
  urgentPointer: 0,
  tcpHeaderLength: 40,
  wirePayloadLength: 0,
  tunnelDepth: 0,
  isSyn: true,
}

const SLL = hex('00000001000602000000006300000800')

describe('a frame', () => {
  it.each([
    ['Ethernet', 1, ETHERNET],
    ['Ethernet with one VLAN tag', 1, hex('02000000000a020000000063810000640800')],
    ['Ethernet with QinQ', 1, hex('02000000000a02000000006388a8000a810000640800')],
    ['Ethernet with four tags', 1, hex(`02000000000a020000000063${'91000001'.repeat(4)}0800`)],
    ['Linux cooked', 113, SLL],
    ['Linux cooked with a VLAN tag', 113, hex('0000000100060200000000630000 8100 00640800')],
    ['Linux cooked v2', 276, hex('0800000000000002000100060200000000630000')],
    ['raw IP', 101, hex('')],
    ['raw IP by its number on BSD', 12, hex('')],
    ['raw IP by its number on OpenBSD', 14, hex('')],
    ['raw IPv4', 228, hex('')],
    ['loopback, little-endian', 0, hex('02000000')],
    ['loopback, big-endian', 0, hex('00000002')],
    ['OpenBSD loopback', 108, hex('00000002')],
    ['PPP', 9, hex('ff030021')],
    ['PPP without address and control', 9, hex('0021')],
    ['PPP with a short protocol', 9, hex('ff0321')],
  ])('of %s gives the packet in it', (_, linkType, prefix) => {
    const frame = Buffer.concat([prefix, SYN])
    const packet = decoded(frame, linkType)
    expect(packet).toMatchObject(FIELDS_OF_SYN)
    const options = readTcpOptions(frame, packet.optionsStart, packet.optionsEnd)
    expect(options).toMatchObject({ mss: 1460, windowScale: 7, ownTimestamp: 12345, bad: false })
    expect(optionsSig(options.kinds)).toBe('M,S,T,N,W')
  })

  it.each([
    ['Ethernet', 1, hex('02000000000a02000000006386dd')],
    ['raw IP', 101, hex('')],
    ['raw IPv6', 229, hex('')],
    ['loopback, NetBSD', 0, hex('18000000')],
    ['loopback, FreeBSD', 0, hex('1c000000')],
    ['loopback, macOS', 0, hex('1e000000')],
    ['loopback, Linux', 0, hex('0a000000')],
    ['OpenBSD loopback', 108, hex('00000018')],
    ['PPP', 9, hex('0057')],
  ])('of %s gives an IPv6 packet', (_, linkType, prefix) => {
    expect(decoded(Buffer.concat([prefix, ipv6(6, tcp('hi'))]), linkType)).toMatchObject({
      ipVersion: 6,
      src: '2001:db8::7',
      dst: '2001:db8::a',
      ttl: 57,
      tos: 0xab,
      flowLabel: 0x12345,
      ipId: 0,
      ipLength: 62,
      dstPort: 443,
      wirePayloadLength: 2,
    })
  })

  it.each([
    ['with five VLAN tags', 1, hex(`02000000000a020000000063${'81000001'.repeat(5)}0800`)],
    ['of 802.3', 1, hex('02000000000a02000000006305dc')],
    ['of ARP', 1, hex('02000000000a0200000000630806')],
    ['that announces IPv6 and holds IPv4', 1, hex('02000000000a02000000006386dd')],
    ['of raw IPv6 that holds IPv4', 229, hex('')],
    ['of another loopback family', 0, hex('07000000')],
    ['of PPP control', 9, hex('ff03c021')],
    ['of a link type that is not read', 147, hex('')],
  ])('%s is left out', (_, linkType, prefix) => {
    expect(decode(Buffer.concat([prefix, SYN]), linkType)).toBeUndefined()
  })

  it('may lie among others', () => {
    const bytes = Buffer.concat([Buffer.alloc(33, 0x45), SYN, Buffer.alloc(9, 0x45)])
    const packet = decodePacket(bytes, 33, 93, 101, 60, 5)
    expect(packet).toMatchObject({ ...FIELDS_OF_SYN, start: 33, end: 93, time: 5 })
    expect(packet?.toJSON().frame_b64).toBe(SYN.toString('base64'))
  })
})

describe('an IPv4 packet', () => {
  it('ends at its total length, not with the padding of the frame', () => {
    const frame = Buffer.concat([ETHERNET, ipv4(6, tcp()), Buffer.alloc(6)])
    const packet = decoded(frame, 1)
    expect([packet.payload.length, packet.wirePayloadLength]).toEqual([0, 0])
  })

  it('without a total length, as offload leaves it, goes to the end of the frame', () => {
    const packet = decoded(patched(ipv4(6, tcp('data')), 2, '0000'))
    expect([packet.payload.toString(), packet.wirePayloadLength]).toEqual(['data', 4])
  })

  it('cut by the snap length says how long its payload was', () => {
    const whole = ipv4(6, tcp('x'.repeat(1000)))
    const packet = decoded(whole.subarray(0, 50), 101, whole.length)
    expect([packet.payload.length, packet.wirePayloadLength]).toEqual([10, 1000])
  })

  it('with options is read behind them', () => {
    const plain = ipv4(6, tcp('data'))
    const frame = Buffer.concat([plain.subarray(0, 20), hex('94040000'), plain.subarray(20)])
    const packet = decoded(patched(patched(frame, 0, '46'), 2, Buffer.from([0, frame.length])))
    expect(packet).toMatchObject({ ipOptionsLength: 4, srcPort: 40000, wirePayloadLength: 4 })
  })

  it('that is a first fragment is used as far as it goes', () => {
    const packet = decoded(ipv4(6, tcp('part'), { fragment: 0x2000 }))
    expect([packet.moreFragments, packet.payload.toString()]).toEqual([true, 'part'])
    const datagram = decoded(ipv4(17, patched(udp('part'), 4, '0400'), { fragment: 0x2000 }))
    expect([datagram.payload.toString(), datagram.wirePayloadLength]).toEqual(['part', 4])
  })

  it('shows its reserved bit', () => {
    expect(decoded(ipv4(6, tcp(), { fragment: 0x8000 })).reservedBit).toBe(true)
  })

  it.each([
    ['is a later fragment', ipv4(6, tcp(), { fragment: 0x0001 })],
    ['has a header length below five words', patched(SYN, 0, '44')],
    ['has a header longer than the capture', patched(SYN.subarray(0, 30), 0, '4f')],
    ['is shorter than its own header', patched(SYN, 2, '0013')],
    ['carries another protocol', ipv4(1, Buffer.alloc(8))],
    ['carries ICMPv6', ipv4(58, Buffer.alloc(8))],
    ['has a TCP data offset below five', patched(SYN, 32, '40')],
    ['has TCP options beyond the capture', SYN.subarray(0, 59)],
    ['has TCP options beyond its total length', patched(SYN, 2, '003b')],
    ['has a UDP length below eight', ipv4(17, patched(udp('data'), 4, '0007'))],
    ['is empty', Buffer.alloc(0)],
  ])('that %s is left out', (_, frame) => {
    expect(decode(frame)).toBeUndefined()
  })

  it.each([
    ['SYN and FIN', 0x003, true],
    ['SYN with ECE and CWR', 0x0c2, true],
    ['SYN with NS', 0x102, true],
    ['SYN and ACK', 0x012, false],
    ['ACK', 0x010, false],
  ])('with %s is a SYN: %s', (_, flags, isSyn) => {
    const packet = decoded(ipv4(6, tcp('', { flags })))
    expect([packet.isSyn, packet.tcpFlags]).toEqual([isSyn, flags])
  })
})

describe('an IPv6 packet', () => {
  const extension = (next: number, words = 0) =>
    Buffer.alloc(8 + words * 8).fill(Buffer.from([next, words]), 0, 2)

  it('is read behind its extension headers', () => {
    const chain = [extension(43), extension(60, 2), extension(135), extension(44), extension(6)]
    const packet = decoded(ipv6(0, Buffer.concat([...chain, tcp('data')])))
    expect(packet).toMatchObject({ protocol: 6, srcPort: 40000, ipOptionsLength: 0 })
    expect([packet.payload.toString(), packet.wirePayloadLength]).toEqual(['data', 4])
  })

  it('may have eight of them and no more', () => {
    const chain = (count: number) => [
      ...new Array<Buffer>(count - 1).fill(extension(60)),
      extension(6),
    ]
    expect(decode(ipv6(60, Buffer.concat([...chain(8), tcp()])))).toBeDefined()
    expect(decode(ipv6(60, Buffer.concat([...chain(9), tcp()])))).toBeUndefined()
  })

  it('that is a first fragment is used, a later one is not', () => {
    const fragment = (word: string) => ipv6(44, Buffer.concat([hex(`0600${word}00000001`), tcp()]))
    expect(decoded(fragment('0001')).moreFragments).toBe(true)
    expect(decode(fragment('0008'))).toBeUndefined()
  })

  it('spells an IPv4-mapped address as IPv4', () => {
    const packet = decoded(ipv6(6, tcp(), '00000000000000000000ffffcb007107', V6_DST))
    expect([packet.src, packet.dst]).toEqual(['203.0.113.7', '2001:db8::a'])
  })

  it('carries ICMPv6 as a message without ports', () => {
    const packet = decoded(ipv6(58, hex('8700123400000000')))
    expect(packet).toMatchObject({ protocol: 58, srcPort: 0, dstPort: 0, wirePayloadLength: 8 })
    expect(packet.payload[0]).toBe(135)
  })
})

describe('a UDP datagram', () => {
  it('ends at its own length', () => {
    const packet = decoded(ipv4(17, Buffer.concat([udp('data'), Buffer.alloc(5)])))
    expect(packet).toMatchObject({ protocol: 17, srcPort: 50000, dstPort: 443, seq: 0 })
    expect([packet.payload.toString(), packet.wirePayloadLength]).toEqual(['data', 4])
  })
})

describe('a tunnel', () => {
  const frame = Buffer.concat([ETHERNET, SYN])
  it.each([
    ['IPv4 in IPv4', ipv4(4, SYN)],
    ['IPv4 in IPv6', ipv6(4, SYN)],
    ['GRE', ipv4(47, Buffer.concat([hex('00000800'), SYN]))],
    [
      'GRE with checksum, key and sequence number',
      ipv4(47, Buffer.concat([hex(`b0000800${'00'.repeat(12)}`), SYN])),
    ],
    ['GRE with Ethernet', ipv4(47, Buffer.concat([hex('00006558'), frame]))],
    ['ERSPAN I', ipv4(47, Buffer.concat([hex('000088be'), frame]))],
    ['ERSPAN II', ipv4(47, Buffer.concat([hex(`100088be${'00'.repeat(12)}`), frame]))],
    ['ERSPAN III', ipv4(47, Buffer.concat([hex(`100022eb${'00'.repeat(16)}`), frame]))],
    [
      'ERSPAN III with a subheader',
      ipv4(47, Buffer.concat([hex(`100022eb${'00'.repeat(15)}01${'00'.repeat(8)}`), frame])),
    ],
    ['VXLAN', ipv4(17, udp(Buffer.concat([hex('0800000000000100'), frame]), 4789))],
    ['VXLAN GPE', ipv4(17, udp(Buffer.concat([hex('0c00000100000100'), SYN]), 4790))],
    [
      'Geneve with options',
      ipv4(17, udp(Buffer.concat([hex('0140655800000100 00000000'), frame]), 6081)),
    ],
    ['Geneve with IPv4', ipv4(17, udp(Buffer.concat([hex('0000080000000100'), SYN]), 6081))],
  ])('of %s gives the inner packet', (_, outer) => {
    expect(decoded(outer)).toMatchObject({ ...FIELDS_OF_SYN, tunnelDepth: 1 })
  })

  it('of IPv6 in IPv4 gives the inner packet', () => {
    expect(decoded(ipv4(41, ipv6(6, tcp())))).toMatchObject({ src: '2001:db8::7', tunnelDepth: 1 })
  })

  it('is followed four levels deep', () => {
    const nested = (levels: number): Buffer => (levels === 0 ? SYN : ipv4(4, nested(levels - 1)))
    expect(decoded(nested(4)).tunnelDepth).toBe(4)
    expect(decode(nested(5))).toBeUndefined()
  })

  it('that only looks like one by its port is a datagram', () => {
    const payload = Buffer.concat([hex('0800000000000100'), ETHERNET, ipv4(1, Buffer.alloc(8))])
    const packet = decoded(ipv4(17, udp(payload, 4789)))
    expect(packet).toMatchObject({ src: '203.0.113.7', dstPort: 4789, tunnelDepth: 0 })
    expect(packet.payload).toEqual(payload)
  })

  it.each([
    ['GRE with routing', ipv4(47, Buffer.concat([hex('40000800'), SYN]))],
    ['GRE version 1', ipv4(47, Buffer.concat([hex('00010800'), SYN]))],
    ['GRE with something else', ipv4(47, Buffer.concat([hex('0000880b'), SYN]))],
  ])('of %s is left out', (_, outer) => {
    expect(decode(outer)).toBeUndefined()
  })
})
