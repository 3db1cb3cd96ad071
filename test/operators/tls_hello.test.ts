import { describe, expect, it } from 'vitest'
import { harness, type TestEvent } from '../../engine/harness.ts'
import { tlsHello } from '../../operators/tls_hello.ts'
import { ipv4, udp } from '../protocols/packet/frames.ts'
import {
  initialPacket,
  RFC_CLIENT_CRYPTO,
  RFC_SERVER_PACKET,
} from '../protocols/quic/initial_bytes.ts'
import {
  CLIENT_RECORD,
  clientHello,
  counted16,
  hex,
  message,
  record,
  SERVER_RECORD,
  serverHello,
  serverNames,
  u16Bytes,
} from '../protocols/tls/hello_bytes.ts'
import { withAndWithoutCrashes } from './after_crashes.ts'
import { connection, cutAt, DECKY, FLAG, frameEvent, REMOTE, segments } from './sniffed_packets.ts'

const JA3 = '675eee9b7e52c1b8a8596c3b608a7050'
const JA4 = 't13d0407h2_e00fd9ffaebd_1fdf4de06b7e'
const JA3S = '1089ea6f0461a29006cc96dfe7a11d80'
const JA4S_RAW = '771,49199,65281-11-16'

const { remote, decky } = connection()
const hellosOf = (...events: TestEvent[]) => harness(tlsHello).send(...events)
const topics = (out: readonly { topic: string }[]) => out.map(({ topic }) => topic)
const HELLO = 'sniffer.tls_client_hello'
const SESSION = 'sniffer.tls_session'

describe('tls_hello', () => {
  it('tells of a ClientHello what the sheet tells', () => {
    const out = hellosOf(remote(1000, CLIENT_RECORD))
    expect(out).toMatchObject([
      {
        topic: HELLO,
        time: 1000,
        data: {
          src_ip: REMOTE,
          src_port: '40000',
          dst_ip: DECKY,
          dst_port: '443',
          ja3: JA3,
          ja3_raw: '771,4865-4866-49195-49199,0-23-10-11-16-13-43,29-23-24,0',
          ja4: JA4,
          tls_version: 'TLS 1.3',
          sni: 'lab.example',
          alpn: 'h2,http/1.1',
          raw_ciphers: '4865-4866-49195-49199',
          raw_extensions: '0-23-10-11-16-13-43',
          direction: 'inbound',
          decky: 'decky-a',
        },
      },
    ])
  })

  it('tells of the answer what it is, and whose question it answers', () => {
    const out = hellosOf(remote(1000, CLIENT_RECORD), decky(1010, SERVER_RECORD))
    expect(topics(out)).toEqual([HELLO, SESSION])
    expect(out[1]?.data).toMatchObject({
      src_ip: REMOTE,
      dst_ip: DECKY,
      ja3s: JA3S,
      ja3s_raw: JA4S_RAW,
      tls_version: 'TLS 1.2',
      ja3: JA3,
      ja4: JA4,
      sni: 'lab.example',
      alpn: 'h2,http/1.1',
    })
  })

  it('tells of an answer whose question was not seen', () => {
    const out = hellosOf(decky(1010, SERVER_RECORD))
    expect(out).toMatchObject([{ topic: SESSION, data: { src_ip: REMOTE, direction: 'inbound' } }])
    expect(out[0]?.data).not.toHaveProperty('ja3')
  })

  it('finds the same hello once, cut in two at byte 60', () => {
    const out = hellosOf(...cutAt(remote, CLIENT_RECORD, 60))
    expect(out).toMatchObject([{ time: 1001, data: { ja3: JA3, ja4: JA4 } }])
  })

  it('finds none where the last byte is missing', () => {
    const run = harness(tlsHello)
    expect(run.send(remote(1000, CLIENT_RECORD.subarray(0, -1)))).toEqual([])
    expect(run.advanceTo(1e9)).toEqual([])
    expect(run.errors).toEqual([])
  })

  it('finds it cut anywhere, in either order, in pieces of any size, and each piece twice', () => {
    for (let at = 1; at < CLIENT_RECORD.length; at++) {
      const [first, second] = cutAt(remote, CLIENT_RECORD, at)
      const expected = [{ data: { ja3: JA3 } }]
      expect(hellosOf(first, second)).toMatchObject(expected)
      expect(hellosOf(second, first), `the other way round at ${at}`).toMatchObject(expected)
      expect(hellosOf(first, first, second, second)).toMatchObject(expected)
      expect(hellosOf(...segments(remote, CLIENT_RECORD, at))).toMatchObject(expected)
    }
  })

  it('finds it where sequence numbers start over in the middle', () => {
    const pieces = segments(
      (time, bytes, parts) => remote(time, bytes, { seq: (parts?.seq ?? 0) >>> 0 }),
      CLIENT_RECORD,
      50,
      { seq: 2 ** 32 - 60 },
    )
    expect(hellosOf(...pieces)).toMatchObject([{ data: { ja3: JA3 } }])
  })

  it('waits for a first segment that was lost until it is sent again', () => {
    const [first, second, third] = segments(remote, CLIENT_RECORD, 50)
    if (!first || !second || !third) throw new Error('too few')
    expect(hellosOf(second, third)).toEqual([])
    expect(hellosOf(second, third, { ...first, time: 1300 })).toMatchObject([{ time: 1300 }])
  })

  it('does not put together what comes more than ten seconds apart', () => {
    const [first, second] = cutAt(remote, CLIENT_RECORD, 60)
    expect(hellosOf(first, { ...second, time: 11_000 })).toHaveLength(1)
    expect(hellosOf(first, { ...second, time: 11_001 })).toEqual([])
  })

  it('reads data that a SYN brings along', () => {
    const syn = remote(1000, CLIENT_RECORD.subarray(0, 60), { flags: FLAG.syn, seq: 100 })
    const rest = remote(1001, CLIENT_RECORD.subarray(60), { seq: 161 })
    expect(hellosOf(syn, rest)).toMatchObject([{ data: { ja3: JA3 } }])
  })

  it('finds a ServerHello with the certificate behind it, or cut over records', () => {
    const body = SERVER_RECORD.subarray(5)
    const both = record(22, Buffer.concat([body, message(11, Buffer.alloc(3000))]))
    const cut = Buffer.concat([record(22, body.subarray(0, 9)), record(22, body.subarray(9))])
    for (const bytes of [both, cut]) {
      expect(hellosOf(...segments(decky, bytes, 1400))).toMatchObject([{ data: { ja3s: JA3S } }])
    }
  })

  it('finds a hello of many segments, as post-quantum keys make them', () => {
    const key = Buffer.concat([u16Bytes(0x11ec), counted16(Buffer.alloc(1216, 5))])
    const big = record(
      22,
      message(
        1,
        clientHello({
          extensions: [
            [0, serverNames([0, Buffer.from('big.example')])],
            [51, counted16(key)],
          ],
        }),
      ),
    )
    expect(big.length).toBeGreaterThan(1280)
    for (const size of [100, 536, 1200]) {
      const pieces = segments(remote, big, size)
      expect(hellosOf(...pieces)).toMatchObject([{ data: { sni: 'big.example' } }])
    }
  })

  it('waits for the ServerHello that follows a HelloRetryRequest', () => {
    const retry = serverHello({
      random: hex('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c'),
      extensions: [[43, hex('0304')]],
    })
    const retryBytes = Buffer.concat([record(22, message(2, retry)), record(20, hex('01'))])
    const second = record(22, message(1, clientHello({ ciphers: [0x1302] })))
    const last = record(22, message(2, serverHello({ extensions: [[43, hex('0304')]] })))
    const events = [
      remote(1000, CLIENT_RECORD, { seq: 101 }),
      decky(1010, retryBytes, { seq: 901 }),
      remote(1020, second, { seq: 101 + CLIENT_RECORD.length }),
      decky(1030, last, { seq: 901 + retryBytes.length }),
    ]
    const out = hellosOf(...events)
    expect(topics(out)).toEqual([HELLO, SESSION])
    expect(out[1]).toMatchObject({
      time: 1030,
      data: { ja3: JA3, ja4: JA4, tls_version: 'TLS 1.3' },
    })
    // The change of cipher may have a segment of its own.
    const split = [
      events[0] as TestEvent,
      decky(1010, retryBytes.subarray(0, -6), { seq: 901 }),
      decky(1011, retryBytes.subarray(-6), { seq: 901 + retryBytes.length - 6 }),
      ...events.slice(2),
    ]
    expect(topics(hellosOf(...split))).toEqual([HELLO, SESSION])
  })

  it('finds TLS that begins after some talk in clear', () => {
    const hello = 'EHLO lab\r\n'
    const out = hellosOf(
      remote(1000, hello, { seq: 101 }),
      remote(1001, 'STARTTLS\r\n', { seq: 101 + hello.length }),
      remote(1002, CLIENT_RECORD, { seq: 121 }),
    )
    expect(topics(out)).toEqual([HELLO])
  })

  it('begins anew after FIN and RST: ports are used again', () => {
    for (const flags of [FLAG.fin | FLAG.ack, FLAG.rst]) {
      const run = harness(tlsHello)
      const once = (time: number) => [
        remote(time, CLIENT_RECORD, { seq: 101 + time }),
        remote(time + 1, '', { flags }),
      ]
      expect(run.send(...once(1000), ...once(2000))).toHaveLength(2)
      expect(run.state?.keys).toBe(0)
    }
  })

  it('keeps nothing of SYNs and of packets without payload', () => {
    const run = harness(tlsHello)
    run.send(remote(1, '', { flags: FLAG.syn }), decky(2, '', { flags: FLAG.syn | FLAG.ack }))
    run.send(remote(3, '', { flags: FLAG.ack }))
    expect(run.state?.keys).toBe(0)
  })

  describe('who is who', () => {
    it('is the decky where it connects out', () => {
      const out = connection({ remotePort: 443, deckyPort: 50_000 })
      const found = hellosOf(out.decky(1000, CLIENT_RECORD), out.remote(1010, SERVER_RECORD))
      expect(found).toMatchObject([
        { topic: HELLO, data: { src_ip: REMOTE, src_port: '443', direction: 'outbound' } },
        {
          topic: SESSION,
          data: { src_ip: REMOTE, dst_ip: DECKY, direction: 'outbound', ja3: JA3 },
        },
      ])
    })

    it('is internal between two deckies', () => {
      const inside = connection({ marks: { internal: true } })
      expect(hellosOf(inside.remote(1000, CLIENT_RECORD))).toMatchObject([
        { data: { direction: 'internal' } },
      ])
    })

    it('is told by the hellos where it was only guessed, and the ports mislead', () => {
      // The client has the lower port, so each packet has been taken for one of the other side.
      const [CLIENT, SERVER] = ['198.51.100.1', '203.0.113.9']
      const marks = { guessed: true, decky: '198-51-100-1' }
      const wrong = connection({
        ...{ remote: SERVER, remotePort: 2000, decky: CLIENT, deckyPort: 20, marks },
      })
      const out = hellosOf(wrong.decky(1000, CLIENT_RECORD), wrong.remote(1010, SERVER_RECORD))
      const ends = { src_ip: CLIENT, src_port: '20', dst_ip: SERVER, dst_port: '2000' }
      const expected = { ...ends, direction: 'inbound', decky: '203-0-113-9' }
      expect(out).toMatchObject([{ data: expected }, { data: { ...expected, ja3: JA3 } }])
    })
  })

  describe('over QUIC', () => {
    const datagram = (payload: Buffer, fromDecky = false, time = 1000) =>
      frameEvent(
        fromDecky
          ? ipv4(17, udp(payload, 50_000, 443), { src: DECKY, dst: REMOTE })
          : ipv4(17, udp(payload)),
        time,
        { decky: 'decky-a', from_decky: fromDecky },
      )
    const first = initialPacket({ frames: RFC_CLIENT_CRYPTO })

    it('finds the hellos of RFC 9001', () => {
      const out = hellosOf(datagram(first), datagram(RFC_SERVER_PACKET, true, 1010))
      expect(topics(out)).toEqual(['sniffer.quic_client_hello', 'sniffer.quic_session'])
      expect(out[0]?.data).toMatchObject({
        src_ip: REMOTE,
        src_port: '50000',
        dst_port: '443',
        sni: 'example.com',
        direction: 'inbound',
      })
      expect(out[0]?.data.ja4).toMatch(/^q13d/)
      expect(out[0]?.data.ja4_quic).toBe(out[0]?.data.ja4)
      expect(out[1]?.data).toMatchObject({ src_ip: REMOTE, ja4: out[0]?.data.ja4 })
    })

    it('finds them after a crash in between', () => {
      const events = [datagram(first), datagram(RFC_SERVER_PACKET, true, 1010)]
      const { straight, crashing } = withAndWithoutCrashes(tlsHello, {}, events, 1e6)
      expect(straight).toHaveLength(2)
      expect(crashing).toEqual(straight)
    })

    it('keeps nothing of other datagrams', () => {
      const run = harness(tlsHello)
      run.send(datagram(Buffer.from('hello')), datagram(Buffer.alloc(0)))
      expect(run.state?.keys).toBe(0)
    })
  })

  it('says the same after a crash anywhere', () => {
    const events = [
      ...segments(remote, CLIENT_RECORD, 20).toReversed().slice(-3),
      ...segments(remote, CLIENT_RECORD, 20),
      ...segments(decky, SERVER_RECORD, 15, { time: 2000 }),
    ]
    const { straight, crashing } = withAndWithoutCrashes(tlsHello, {}, events, 1e6)
    expect(topics(straight)).toEqual([HELLO, SESSION])
    expect(crashing).toEqual(straight)
  })

  it('keeps connections apart, and beyond max_keys forgets the one unheard of for longest', () => {
    const run = harness(tlsHello, { max_keys: 10, ttl: '60s' })
    const many = Array.from({ length: 12 }, (_, n) => connection({ remotePort: 1000 + n }))
    for (const one of many) run.send(one.remote(1000, CLIENT_RECORD.subarray(0, 60), { seq: 1 }))
    expect(run.state).toMatchObject({ keys: 10, evictedByCount: 2 })
    const rest = many.map((one) => one.remote(1001, CLIENT_RECORD.subarray(60), { seq: 61 }))
    expect(run.send(...rest.slice(2))).toHaveLength(10)
    expect(run.send(...rest.slice(0, 2))).toEqual([])
    run.advanceTo(70_000)
    expect(run.state?.keys).toBe(0)
  })

  it('holds 16 KiB of a direction at most', () => {
    const run = harness(tlsHello)
    const endless = Buffer.concat([hex('1603010100010000fffc0303'), Buffer.alloc(200_000)])
    for (const event of segments(remote, endless, 60_000)) run.send(event)
    for (const event of segments(decky, endless, 1400, { time: 2000 })) run.send(event)
    run.crashAndRestore()
    expect(run.errors).toEqual([])
  })
})
