import { describe, expect, it } from 'vitest'
import { harness, type TestEvent } from '../../engine/harness.ts'
import { tlsCert } from '../../operators/tls_cert.ts'
import { attribute, bareCertificate, CERTIFICATE } from '../protocols/tls/certificate_bytes.ts'
import { CLIENT_RECORD, message, record, SERVER_RECORD } from '../protocols/tls/hello_bytes.ts'
import { withAndWithoutCrashes } from './after_crashes.ts'
import { connection, DECKY, FLAG, REMOTE, segments } from './sniffed_packets.ts'

const counted24 = (bytes: Buffer) =>
  Buffer.concat([
    Buffer.from([bytes.length >> 16, (bytes.length >> 8) & 255, bytes.length & 255]),
    bytes,
  ])

/** A Certificate message with those of a chain. */
const chain = (...certificates: readonly Buffer[]) =>
  message(11, counted24(Buffer.concat(certificates.map(counted24))))

/** ServerHello, then a chain, each in a record of its own. */
const flight = (...certificates: readonly Buffer[]) =>
  Buffer.concat([SERVER_RECORD, record(22, chain(...certificates))])

/** ServerHello and chain in one record. */
const coalesced = (...certificates: readonly Buffer[]) =>
  record(22, Buffer.concat([SERVER_RECORD.subarray(5), chain(...certificates)]))

/** A decky connects out to a server. */
const outbound = connection({ remotePort: 443, deckyPort: 50_000 })
const inbound = connection()
const certificatesOf = (config: object, ...events: TestEvent[]) =>
  harness(tlsCert, { ...config }).send(...events)

describe('tls_cert', () => {
  it('tells what a server shows a decky, and what the decky asked for', () => {
    const out = certificatesOf(
      {},
      outbound.decky(1000, CLIENT_RECORD),
      outbound.remote(1010, flight(CERTIFICATE)),
    )
    expect(out).toMatchObject([
      {
        topic: 'sniffer.tls_certificate',
        time: 1010,
        data: {
          src_ip: REMOTE,
          src_port: '443',
          dst_ip: DECKY,
          dst_port: '50000',
          subject_cn: 'lab.example',
          issuer: 'C=DE, ST=Hessen, L=Bad Vilbel, O=Lab, OU=Decoys, CN=lab.example',
          self_signed: 'true',
          not_before: '261128191518Z',
          not_after: '21090117191518Z',
          sans: 'lab.example,192.0.2.10,2001:db8::10,*.lab.example',
          sni: 'lab.example',
          direction: 'outbound',
          decky: 'decky-a',
        },
      },
    ])
    expect(out[0]?.data.cert_sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  it('says nothing of what a decky shows itself, unless told to', () => {
    const events = [inbound.remote(1000, CLIENT_RECORD), inbound.decky(1010, flight(CERTIFICATE))]
    expect(certificatesOf({}, ...events)).toEqual([])
    expect(certificatesOf({ own: true }, ...events)).toMatchObject([
      { data: { src_ip: REMOTE, dst_ip: DECKY, direction: 'inbound', sni: 'lab.example' } },
    ])
  })

  it('says nothing of it either where it comes in one record with the ServerHello', () => {
    for (const bytes of [coalesced(CERTIFICATE), flight(CERTIFICATE)]) {
      expect(certificatesOf({}, ...segments(inbound.decky, bytes, 100))).toEqual([])
      expect(certificatesOf({}, inbound.decky(1010, bytes))).toEqual([])
    }
  })

  it('does not take the certificate of a client for one of a server', () => {
    const client = Buffer.concat([CLIENT_RECORD, record(22, chain(CERTIFICATE))])
    for (const own of [false, true]) {
      expect(certificatesOf({ own }, inbound.remote(1000, client))).toEqual([])
    }
  })

  it('finds it behind a ServerHello in one record, in segments of any size', () => {
    const bytes = coalesced(CERTIFICATE)
    for (let size = 1; size < bytes.length; size += size < 20 ? 1 : 97) {
      const out = certificatesOf({}, ...segments(outbound.remote, bytes, size))
      expect(out, `in pieces of ${size}`).toHaveLength(1)
    }
  })

  it('finds it cut in two anywhere, the second half first', () => {
    const bytes = flight(CERTIFICATE)
    for (let at = 1; at < bytes.length; at++) {
      const [first, second] = [
        outbound.remote(1000, bytes.subarray(0, at), { seq: 7 }),
        outbound.remote(1001, bytes.subarray(at), { seq: 7 + at }),
      ]
      expect(certificatesOf({}, second, first), `at ${at}`).toHaveLength(1)
    }
  })

  it('waits for the whole of a long chain: over many segments and records, and up to 64 KiB', () => {
    const filler = bareCertificate({
      subject: attribute(
        '550403',
        Buffer.concat([Buffer.from([0x0c, 0x81, 100]), Buffer.alloc(100, 65)]),
      ),
    })
    const body = chain(CERTIFICATE, ...Array<Buffer>(300).fill(filler))
    expect(body.length).toBeGreaterThan(40_000)
    const records: Buffer[] = []
    for (let at = 0; at < body.length; at += 16_000) {
      records.push(record(22, body.subarray(at, at + 16_000)))
    }
    const bytes = Buffer.concat([SERVER_RECORD, ...records])
    const pieces = segments(outbound.remote, bytes, 1448)
    expect(certificatesOf({}, ...pieces)).toMatchObject([{ data: { subject_cn: 'lab.example' } }])
    // A window of them may come in the wrong order.
    const shuffled = [0, 10, 20].flatMap((from) => pieces.slice(from, from + 10).toReversed())
    const late = certificatesOf({}, ...shuffled, ...pieces.slice(30), ...pieces.slice(0, 30))
    expect(late).toMatchObject([{ data: { subject_cn: 'lab.example' } }])
    const tooLong = Buffer.from(bytes)
    // The length of the message, in its second and third byte.
    tooLong.writeUInt16BE(0x0100, SERVER_RECORD.length + 6)
    expect(certificatesOf({}, ...segments(outbound.remote, tooLong, 1448))).toEqual([])
  })

  it('tells of none that it cannot read, without failing', () => {
    const run = harness(tlsCert)
    for (const [n, cut] of [1, 20, 100, 300, CERTIFICATE.length - 1].entries()) {
      const { remote } = connection({ remotePort: 443, deckyPort: 50_000 + n })
      expect(run.send(remote(1000, flight(CERTIFICATE.subarray(0, cut))))).toEqual([])
    }
    expect(run.send(outbound.remote(1000, flight()))).toEqual([])
    expect(run.errors).toEqual([])
  })

  it('finds none where its ServerHello was lost', () => {
    expect(certificatesOf({}, outbound.remote(1000, record(22, chain(CERTIFICATE))))).toEqual([])
  })

  it('takes whoever shows one for the end that was connected to, where it was only guessed', () => {
    const [CLIENT, SERVER] = ['198.51.100.1', '203.0.113.9']
    const marks = { guessed: true, decky: '198-51-100-1' }
    const wrong = connection({
      ...{ remote: SERVER, remotePort: 2000, decky: CLIENT, deckyPort: 20, marks },
    })
    const out = certificatesOf({ own: true }, wrong.remote(1010, flight(CERTIFICATE)))
    expect(out).toMatchObject([
      { data: { src_ip: CLIENT, dst_ip: SERVER, direction: 'inbound', decky: '203-0-113-9' } },
    ])
  })

  it('names the direction between two deckies', () => {
    const inside = connection({ marks: { internal: true }, remotePort: 443, deckyPort: 50_000 })
    expect(certificatesOf({}, inside.remote(1, flight(CERTIFICATE)))).toMatchObject([
      { data: { direction: 'internal' } },
    ])
  })

  it('says the same after a crash anywhere', () => {
    const events = [
      outbound.decky(1000, CLIENT_RECORD),
      ...segments(outbound.remote, coalesced(CERTIFICATE), 100),
      outbound.remote(2000, '', { flags: FLAG.rst }),
    ]
    const { straight, crashing } = withAndWithoutCrashes(tlsCert, {}, events, 1e6)
    expect(straight).toHaveLength(1)
    expect(crashing).toEqual(straight)
  })

  it('forgets the connection unheard of for longest, beyond max_keys', () => {
    const run = harness(tlsCert, { max_keys: 5 })
    const many = Array.from({ length: 8 }, (_, n) =>
      segments(
        connection({ remotePort: 443, deckyPort: 1000 + n }).remote,
        flight(CERTIFICATE),
        400,
      ),
    )
    for (const [first] of many) if (first) run.send(first)
    expect(run.state).toMatchObject({ keys: 5, evictedByCount: 3 })
    const out = many.slice(3).flatMap((pieces) => run.send(...pieces.slice(1)))
    expect(out).toHaveLength(5)
  })
})
