/**
 * Broken hellos: every parser of them ends, throws nothing, and sees only the bytes it was given.
 * The last is told by putting the same bytes amid two different neighbours.
 */
import { describe, expect, it } from 'vitest'
import { hassh, hasshServer } from '../../protocols/fingerprint/hassh.ts'
import { ja3, ja3s } from '../../protocols/fingerprint/ja3.ts'
import { ja4 } from '../../protocols/fingerprint/ja4.ts'
import { type CryptoPiece, cryptoPieces } from '../../protocols/quic/crypto_frames.ts'
import { addPieces, newCryptoStream } from '../../protocols/quic/crypto_stream.ts'
import { newQuicHandshake, readQuicDatagram, startsInitial } from '../../protocols/quic/initial.ts'
import { readSshBanner, startsSsh } from '../../protocols/ssh/banner.ts'
import { readKexInit } from '../../protocols/ssh/kexinit.ts'
import { leafCertificate, parseCertificate } from '../../protocols/tls/certificate.ts'
import {
  offeredVersion,
  parseClientHello,
  resumptionNames,
} from '../../protocols/tls/client_hello.ts'
import { readHandshake, startsTls } from '../../protocols/tls/handshake_reader.ts'
import { negotiatedVersion, parseServerHello } from '../../protocols/tls/server_hello.ts'
import { tlsVersionName } from '../../protocols/tls/version_names.ts'
import { crypto, initialPacket, RFC_CLIENT_CRYPTO } from './quic/initial_bytes.ts'
import { kexInit, packet, TEN_LISTS } from './ssh/kexinit_bytes.ts'
import { CERTIFICATE } from './tls/certificate_bytes.ts'
import {
  CLIENT_RECORD,
  clientHello,
  counted8,
  hex,
  message,
  record,
  SERVER_RECORD,
  serverNames,
  u16s,
} from './tls/hello_bytes.ts'

type Read = (bytes: Uint8Array, start: number, end: number) => unknown

/** mulberry32: whole numbers below `limit`, the same ones for the same seed. */
function seeded(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}

type Random = ReturnType<typeof seeded>

/** Bytes that lengths and types are made of. */
const HOSTILE = [0, 1, 2, 3, 0x0a, 0x10, 0x14, 0x16, 0x1f, 0x30, 0x40, 0x7f, 0x80, 0x84, 0xc0, 0xff]

/** One way each of breaking bytes. */
const MUTATIONS: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => bytes.subarray(0, random(bytes.length + 1)),
  (bytes, random) => {
    const broken = Buffer.from(bytes)
    for (let times = 1 + random(4); times > 0; times--) {
      broken[random(broken.length)] = HOSTILE[random(HOSTILE.length)] ?? 0
    }
    return broken
  },
  (bytes, random) => {
    const broken = Buffer.from(bytes)
    const at = random(broken.length)
    broken[at] = (broken[at] ?? 0) ^ (1 << random(8))
    return broken
  },
  (bytes, random) => {
    const [one, other] = [random(bytes.length), random(bytes.length)]
    const [from, to] = [Math.min(one, other), Math.max(one, other)]
    const [head, part, tail] = [
      bytes.subarray(0, from),
      bytes.subarray(from, to),
      bytes.subarray(to),
    ]
    return random(2) === 0 ? Buffer.concat([head, tail]) : Buffer.concat([head, part, part, tail])
  },
  (bytes, random) => {
    const junk = Buffer.from(Array.from({ length: 1 + random(6) }, () => random(256)))
    const at = random(bytes.length + 1)
    return Buffer.concat([bytes.subarray(0, at), junk, bytes.subarray(at)])
  },
]

/** Views as copies, so that neighbours do not come into what is compared. */
const shown = (result: unknown): string =>
  JSON.stringify(result, (_, value) =>
    value?.bytes instanceof Uint8Array
      ? [value.type, value.offset, Buffer.from(bodyOf(value)).toString('hex')]
      : value,
  ) ?? 'undefined'

const bodyOf = (value: { bytes: Uint8Array; start?: number; end?: number }): Uint8Array =>
  value.bytes.subarray(value.start ?? 0, value.end ?? value.bytes.length)

const BEFORE = 11

function readTwice(read: Read, bytes: Buffer): string {
  const [one, other] = [0x00, 0xff].map((neighbour) => {
    const room = Buffer.alloc(BEFORE + bytes.length + 300, neighbour)
    room.set(bytes, BEFORE)
    return shown(read(room, BEFORE, BEFORE + bytes.length))
  })
  if (one !== other) throw new Error(`reads beyond its bytes: ${bytes.toString('hex')}`)
  return one ?? ''
}

const tlsClient: Read = (bytes, start, end) => {
  const hello = parseClientHello(bytes, start, end)
  if (!hello) return undefined
  const names = [resumptionNames(hello), tlsVersionName(offeredVersion(hello))]
  return [hello, ja3(hello), ja4(hello, 't'), ja4(hello, 'q'), names]
}
const tlsServer: Read = (bytes, start, end) => {
  const hello = parseServerHello(bytes, start, end)
  return hello && [hello, ja3s(hello), tlsVersionName(negotiatedVersion(hello))]
}
const certificate: Read = (bytes, start, end) => {
  const leaf = leafCertificate(bytes, start, end)
  return leaf && [leaf.end - leaf.start, parseCertificate(bytes, leaf.start, leaf.end)]
}
const tlsDirection: Read = (bytes, start, end) => {
  const read = readHandshake(bytes, start, end)
  if (read.state === 'more' && read.need <= end - start) throw new Error('asks for what it has')
  const parsed = read.messages.map(({ type, bytes, start, end }) =>
    (type === 1 ? tlsClient : type === 2 ? tlsServer : certificate)(bytes, start, end),
  )
  return [read, parsed, startsTls(bytes, start, end)]
}
const sshDirection: Read = (bytes, start, end) => {
  const banner = readSshBanner(bytes, start, end)
  if (banner.state !== 'found') return [banner, startsSsh(bytes, start, end)]
  const read = readKexInit(bytes, banner.next, end)
  const prints = read.state === 'found' ? [hassh(read.kex), hasshServer(read.kex)] : []
  return [banner.text, banner.next - start, read, prints]
}
const quicClient: Read = (bytes, start, end) => {
  const state = newQuicHandshake()
  const given = readQuicDatagram(state, 'client', bytes, start, end)
  return [given, state, startsInitial(bytes, start, end)]
}
const quicFrames: Read = (bytes, start, end) => {
  const pieces: CryptoPiece[] = []
  cryptoPieces(bytes.subarray(start, end), pieces)
  const stream = newCryptoStream()
  return [pieces, addPieces(stream, pieces), stream]
}

const resuming = clientHello({
  sessionId: Buffer.alloc(32, 1),
  extensions: [
    [0, serverNames([1, Buffer.from('other')], [0, Buffer.from('lab.example')])],
    [35, hex('0102')],
    [41, hex('00')],
    [42, hex('')],
    [43, counted8(u16s([0x0304, 0x0303]))],
  ],
})
const chain = Buffer.concat([hex('00026b 000268'), CERTIFICATE])
const flight = Buffer.concat([
  SERVER_RECORD,
  record(22, message(11, chain).subarray(0, 300)),
  record(22, message(11, chain).subarray(300)),
  record(22, message(14, hex(''))),
])
const ssh = Buffer.concat([Buffer.from('SSH-2.0-a\r\n'), packet(kexInit(TEN_LISTS))])
const frames = Buffer.concat([
  hex('0001 02 05 00 01 00 01 00'),
  crypto(60, RFC_CLIENT_CRYPTO.subarray(64)),
  crypto(0, RFC_CLIENT_CRYPTO.subarray(4, 64)),
])

const CASES: readonly (readonly [string, Read, Buffer, number])[] = [
  ['a ClientHello', tlsClient, CLIENT_RECORD.subarray(9), 20_000],
  ['a ClientHello that resumes', tlsClient, resuming, 20_000],
  ['a ServerHello', tlsServer, SERVER_RECORD.subarray(9), 20_000],
  ['a Certificate', certificate, chain, 20_000],
  ['the client of TLS', tlsDirection, CLIENT_RECORD, 20_000],
  ['the server of TLS', tlsDirection, flight, 20_000],
  ['one side of SSH', sshDirection, ssh, 20_000],
  ['the frames of QUIC', quicFrames, frames, 20_000],
  // Opening costs, and a changed byte ends nearly all of these at the tag.
  ['the client of QUIC', quicClient, initialPacket({ frames, token: hex('aabb') }), 4000],
]

describe('bytes that are broken', () => {
  it.each(CASES)('in %s are read to their end and no further, at every cut', (_, read, bytes) => {
    for (let end = 0; end <= bytes.length; end++) readTwice(read, bytes.subarray(0, end))
  })

  it.each(CASES)('in %s are read to their end and no further', (_, read, bytes, times) => {
    const random = seeded(times + bytes.length)
    const intact = readTwice(read, bytes)
    let others = 0
    for (let time = 0; time < times; time++) {
      let broken = bytes
      for (let round = random(3); round >= 0 && broken.length > 0; round--) {
        const mutate = MUTATIONS[random(MUTATIONS.length)]
        if (mutate) broken = mutate(broken, random)
      }
      if (readTwice(read, broken) !== intact) others += 1
    }
    expect(others).toBeGreaterThan(times / 2)
  })
})
