import { describe, expect, it } from 'vitest'
import { ja4 } from '../../../protocols/fingerprint/ja4.ts'
import {
  newQuicHandshake,
  type QuicHandshake,
  readQuicDatagram,
  startsInitial,
} from '../../../protocols/quic/initial.ts'
import { initialKeys } from '../../../protocols/quic/initial_keys.ts'
import { quicVersion } from '../../../protocols/quic/long_header.ts'
import { parseClientHello } from '../../../protocols/tls/client_hello.ts'
import { parseServerHello } from '../../../protocols/tls/server_hello.ts'
import {
  CLIENT_RECORD,
  clientHello,
  hex,
  message,
  record,
  SERVER_RECORD,
} from '../tls/hello_bytes.ts'
import {
  crypto,
  DCID,
  initialPacket,
  RFC_CLIENT_CRYPTO,
  RFC_SERVER_PACKET,
} from './initial_bytes.ts'

const HELLO = CLIENT_RECORD.subarray(5)
const OTHER_DCID = hex('f067a5502a4262b5')
const PADDING = Buffer.alloc(900)

/** What each datagram gives: the type of a message, or undefined. The state is saved in between. */
function talk(...datagrams: (readonly [side: 'client' | 'server', bytes: Buffer])[]) {
  let state: QuicHandshake = newQuicHandshake()
  const given = datagrams.map(([side, bytes]) => {
    const found = readQuicDatagram(state, side, bytes, 0, bytes.length)
    state = JSON.parse(JSON.stringify(state))
    return found
  })
  return { state, given, types: given.map((found) => found?.type) }
}

const client = (frames: Buffer, other: Partial<Parameters<typeof initialPacket>[0]> = {}) =>
  ['client', initialPacket({ frames, ...other })] as const
const server = (frames: Buffer, other: Partial<Parameters<typeof initialPacket>[0]> = {}) =>
  ['server', initialPacket({ frames, side: 'server', to: Buffer.alloc(0), ...other })] as const

describe('the keys of QUIC', () => {
  it.each([
    [
      // RFC 9001 appendix A.1
      'client',
      quicVersion.v1,
      '1f369613dd76d5467730efcbe3b1a22d',
      'fa044b2f42a3fd3b46fb255c',
      '9f50449e04a0e810283a1e9933adedd2',
    ],
    [
      'server',
      quicVersion.v1,
      'cf3a5331653c364c88f0f379b6067e37',
      '0ac1493ca1905853b0bba03e',
      'c206b8d9b9f0f37644430b490eeaa314',
    ],
    [
      // RFC 9369 appendix A.1
      'client',
      quicVersion.v2,
      '8b1a0bc121284290a29e0971b5cd045d',
      '91f73e2351d8fa91660e909f',
      '45b95e15235d6f45a6b19cbcb0294ba9',
    ],
    [
      'server',
      quicVersion.v2,
      '82db637861d55e1d011f19ea71d5d2a7',
      'dd13c276499c0249d3310652',
      'edf6d05c83121201b436e16877593c3a',
    ],
  ] as const)('of the %s, version %i, are those of the RFC', (side, version, key, iv, hp) => {
    expect(initialKeys(version, DCID, side)).toEqual({ key, iv, hp })
  })
})

describe('a QUIC hello', () => {
  it('of RFC 9001 is read, and so is the answer', () => {
    const frames = Buffer.concat([RFC_CLIENT_CRYPTO, Buffer.alloc(1162 - RFC_CLIENT_CRYPTO.length)])
    const packet = initialPacket({ frames })
    // Head and tail of the packet that the RFC prints: the builder of these tests is right, too.
    expect(packet.toString('hex', 0, 32)).toBe(
      'c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11',
    )
    expect(packet.toString('hex', 1184)).toBe('e221af44860018ab0856972e194cd934')
    const { given } = talk(['client', packet], ['server', RFC_SERVER_PACKET])
    const [first, second] = given
    const hello = first && parseClientHello(first.bytes, first.start, first.end)
    expect(hello).toMatchObject({ sni: 'example.com', alpn: ['alpn'], ciphers: [0x1301, 0x1302] })
    expect(hello && ja4(hello, 'q').ja4).toMatch(/^q13d0211an_/)
    const answer = second && parseServerHello(second.bytes, second.start, second.end)
    expect(answer).toMatchObject({ cipher: 0x1301, selectedVersion: 0x0304 })
  })

  it('of version 2 is read', () => {
    const { types } = talk(client(crypto(0, HELLO), { version: quicVersion.v2 }))
    expect(types).toEqual([1])
  })

  it('is put together from frames in any order, also over datagrams', () => {
    const [a, b, c] = [HELLO.subarray(0, 40), HELLO.subarray(40, 90), HELLO.subarray(90)]
    const orders = [
      [crypto(90, c), crypto(0, a), crypto(40, b)],
      [crypto(40, b), crypto(90, c), crypto(0, a)],
      [crypto(0, a), crypto(20, HELLO.subarray(20, 100)), crypto(90, c)],
      [crypto(0, a), crypto(0, a), crypto(40, Buffer.concat([b, c]))],
    ]
    for (const frames of orders) {
      expect(talk(client(Buffer.concat(frames))).types).toEqual([1])
      const { given, types, state } = talk(...frames.map((frame) => client(frame)))
      expect(types.slice(0, -1)).toEqual(new Array(frames.length - 1).fill(undefined))
      const last = given.at(-1)
      expect(last && Buffer.from(last.bytes.subarray(last.start, last.end))).toEqual(
        HELLO.subarray(4),
      )
      expect(state.client).toEqual({ ranges: [], over: true })
    }
  })

  it('may be cut anywhere, over two datagrams in either order', () => {
    for (let cut = 1; cut < HELLO.length; cut++) {
      const head = client(crypto(0, HELLO.subarray(0, cut)))
      const tail = client(crypto(cut, HELLO.subarray(cut)))
      expect(talk(head, tail).types).toEqual([undefined, 1])
      expect(talk(tail, head).types).toEqual([undefined, 1])
    }
  })

  it('stands among padding, pings and acknowledgements', () => {
    const ack = hex('02 05 00 01 00 01 00')
    const withEcn = hex('03 4005 00 00 00 01 02 03')
    const frames = Buffer.concat([hex('0001'), ack, withEcn, crypto(0, HELLO), PADDING])
    expect(talk(client(frames)).types).toEqual([1])
  })

  it('is given once, and the answer of the server once', () => {
    const answer = SERVER_RECORD.subarray(5)
    const { types } = talk(
      client(crypto(0, HELLO)),
      client(crypto(0, HELLO)),
      server(crypto(0, answer.subarray(0, 30))),
      server(crypto(30, answer.subarray(30))),
      server(crypto(0, answer)),
      client(hex('02000000'.padEnd(80, '0')), { to: OTHER_DCID }),
    )
    expect(types).toEqual([1, undefined, undefined, 2, undefined, undefined])
  })

  it('begins anew after a Retry, and for another connection between the same ports', () => {
    const retry = { dcid: OTHER_DCID, token: Buffer.alloc(40, 1) }
    const answer = server(crypto(0, SERVER_RECORD.subarray(5)), { dcid: OTHER_DCID })
    const head = client(crypto(0, HELLO.subarray(0, 50)))
    expect(talk(head, client(crypto(0, HELLO), retry), answer).types).toEqual([undefined, 1, 2])
    const again = client(crypto(0, HELLO), { dcid: OTHER_DCID })
    expect(talk(client(crypto(0, HELLO)), again, answer).types).toEqual([1, 1, 2])
  })

  it('is found behind another packet of the same datagram', () => {
    const [, first] = client(crypto(50, HELLO.subarray(50)))
    const [, second] = client(crypto(0, HELLO.subarray(0, 50)))
    // 0-RTT: the same header without a token, and nothing in it that we could open.
    const zeroRtt = Buffer.concat([hex('d300000001 08'), DCID, hex('00 14'), Buffer.alloc(20)])
    const together = Buffer.concat([first, zeroRtt, second])
    expect(talk(['client', together]).types).toEqual([1])
  })

  it('is not taken from the server, nor an answer from the client', () => {
    const { types } = talk(client(crypto(0, SERVER_RECORD.subarray(5))), server(crypto(0, HELLO)))
    expect(types).toEqual([undefined, undefined])
  })

  it('is not there before the first packet of the client', () => {
    expect(talk(['server', RFC_SERVER_PACKET]).types).toEqual([undefined])
  })

  it('that is larger than the limit is given up', () => {
    const { types, state } = talk(
      client(crypto(0, message(1, Buffer.alloc(20_000)).subarray(0, 99))),
    )
    expect(types).toEqual([undefined])
    expect(state.client).toEqual({ ranges: [], over: true })
  })

  it('keeps no more than the limit of what a peer sends out of order', () => {
    const datagrams = Array.from({ length: 400 }, (_, index) =>
      client(crypto(1 + index * 41, Buffer.alloc(40, index)), { number: index }),
    )
    const { state } = talk(...datagrams)
    expect(state.client.ranges.length).toBe(64)
    expect(JSON.stringify(state).length).toBeLessThan(8000)
  })

  it('damaged in any byte changes nothing', () => {
    const [, packet] = client(crypto(0, HELLO))
    for (let at = 0; at < packet.length; at++) {
      const damaged = Buffer.from(packet)
      damaged[at] = (damaged[at] ?? 0) ^ 0x55
      const { types, state } = talk(['client', damaged])
      expect([types, state], `byte ${at}`).toEqual([[undefined], newQuicHandshake()])
    }
  })

  it('cut at any byte changes nothing', () => {
    const [, packet] = client(crypto(0, HELLO))
    for (let end = 0; end < packet.length; end++) {
      const { types, state } = talk(['client', packet.subarray(0, end)])
      expect([types, state], `cut at ${end}`).toEqual([[undefined], newQuicHandshake()])
    }
  })

  it('is told by the first bytes of a datagram', () => {
    const [, packet] = client(crypto(0, HELLO))
    expect(startsInitial(packet, 0, packet.length)).toBe(true)
    expect(startsInitial(packet, 0, 6)).toBe(false)
    expect(startsInitial(record(22, clientHello({})), 0, 20)).toBe(false)
    // A short header, another version, a Handshake packet.
    for (const start of ['430000000108', 'c3ff00001d08', 'e30000000108', 'c36b3343cf08']) {
      expect(startsInitial(hex(`${start}00`), 0, 7)).toBe(false)
    }
  })
})
