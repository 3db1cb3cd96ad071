/** Captures for the benchmarks of the sniffer: scans of many senders, and sessions of TLS and SSH. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { pcapHeader } from '../protocols/pcap/capture_writer.ts'
import { PCAP_RECORD_BYTES } from '../protocols/pcap/pcap_format.ts'
import { kexInit, packet as sshPacket } from '../test/protocols/ssh/kexinit_bytes.ts'
import { CERTIFICATE } from '../test/protocols/tls/certificate_bytes.ts'
import {
  CLIENT_RECORD,
  clientHello,
  hex,
  message,
  record,
  SERVER_RECORD,
  serverHello,
} from '../test/protocols/tls/hello_bytes.ts'

/** Addresses of the deckies, and the state file that names them. */
export const DECKIES = [1, 2, 3, 4].map((last) => `192.0.2.${last}`)
export const STATE = JSON.stringify({
  config: { deckies: DECKIES.map((ip, index) => ({ ip, name: `decky-${index + 1}` })) },
})

const EN10MB = 1
const ETHERNET = 14
const IP = 20
const TCP = 20
/** ms since the epoch of the first packet; the next is this much later, in microseconds. */
const BEGIN = 1_760_000_000
const STEP = 20
const FIRST_DECKY = 0xc0000201

/** Puts frames together in one buffer, and that into a file whenever it is full. */
class CaptureFile {
  readonly #file: number
  readonly #buffer = Buffer.alloc(1024 * 1024)
  #at = 0
  #packets = 0

  constructor(path: string) {
    this.#file = openSync(path, 'w')
    writeSync(this.#file, pcapHeader(EN10MB))
  }

  get packets(): number {
    return this.#packets
  }

  add(segment: Segment): void {
    const { options, payload } = segment
    const length = ETHERNET + IP + TCP + options.length + payload.length
    if (this.#at + PCAP_RECORD_BYTES + length > this.#buffer.length) this.#flush()
    const bytes = this.#buffer
    const micros = this.#packets * STEP
    let at = bytes.writeUInt32LE(BEGIN + Math.floor(micros / 1e6), this.#at)
    at = bytes.writeUInt32LE(micros % 1e6, at)
    at = bytes.writeUInt32LE(length, at)
    at = bytes.writeUInt32LE(length, at)
    ETHERNET_HEADER.copy(bytes, at)
    at += ETHERNET
    at = bytes.writeUInt32BE((0x45000000 | (length - ETHERNET)) >>> 0, at)
    at = bytes.writeUInt16BE(segment.id, at)
    at = bytes.writeUInt16BE(segment.df ? 0x4000 : 0, at)
    at = bytes.writeUInt32BE(((segment.ttl << 24) | (6 << 16)) >>> 0, at)
    at = bytes.writeUInt32BE(segment.src, at)
    at = bytes.writeUInt32BE(segment.dst, at)
    bytes.writeUInt16BE(ipChecksum(bytes, at - IP), at - 10)
    at = bytes.writeUInt16BE(segment.srcPort, at)
    at = bytes.writeUInt16BE(segment.dstPort, at)
    at = bytes.writeUInt32BE(segment.seq, at)
    at = bytes.writeUInt32BE(segment.ack, at)
    at = bytes.writeUInt16BE((((TCP + options.length) / 4) << 12) | segment.flags, at)
    at = bytes.writeUInt16BE(segment.window, at)
    at = bytes.writeUInt32BE(0, at)
    options.copy(bytes, at)
    payload.copy(bytes, at + options.length)
    this.#at = at + options.length + payload.length
    this.#packets += 1
  }

  close(): void {
    this.#flush()
    closeSync(this.#file)
  }

  #flush(): void {
    writeSync(this.#file, this.#buffer, 0, this.#at)
    this.#at = 0
  }
}

interface Segment {
  readonly src: number
  readonly dst: number
  readonly srcPort: number
  readonly dstPort: number
  readonly id: number
  readonly df: boolean
  readonly ttl: number
  readonly seq: number
  readonly ack: number
  readonly flags: number
  readonly window: number
  readonly options: Buffer
  readonly payload: Buffer
}

const ETHERNET_HEADER = hex('02000000000a 020000000063 0800')

/** p0f looks at no packet whose header does not add up. */
function ipChecksum(bytes: Buffer, start: number): number {
  let sum = 0
  for (let at = start; at < start + IP; at += 2)
    sum += at === start + 10 ? 0 : bytes.readUInt16BE(at)
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}

interface Stack {
  readonly ttl: number
  readonly window: number
  readonly df: boolean
  readonly options: Buffer
  /** of the n-th SYN */
  readonly id: (n: number) => number
}

const counting = (n: number) => n & 0xffff
const mixed = (n: number) => Math.imul(n, 0x9e3779b1) >>> 16
const NOTHING: Buffer = Buffer.alloc(0)

const LINUX: Stack = {
  ...{ ttl: 64, window: 64240, df: true, id: mixed },
  options: hex('020405b4 0402 080a00003039 00000000 01 030307'),
}
const STACKS: readonly Stack[] = [
  LINUX,
  { ttl: 128, window: 64240, df: true, id: counting, options: hex('020405b4 01 030308 0101 0402') },
  { ttl: 128, window: 8192, df: true, id: counting, options: hex('020405b4 01 030302 0101 0402') },
  {
    ...{ ttl: 64, window: 65535, df: true, id: () => 0 },
    options: hex('020405b4 01 030306 0101 080a00003039 00000000 0402 0000'),
  },
  {
    ...{ ttl: 64, window: 65535, df: true, id: mixed },
    options: hex('020405b4 01 030306 0402 080a00003039 00000000'),
  },
  { ttl: 58, window: 1024, df: false, id: mixed, options: hex('020405b4') },
  { ttl: 255, window: 65535, df: false, id: () => 54321, options: NOTHING },
]

const SYN = 0x02
const ACK = 0x10
const PUSH = 0x18
const FIN = 0x11

/** Finds its way through 32 bits without meeting a number twice. */
const scattered = (n: number): number => Math.imul(n + 1, 0x9e3779b1) >>> 0

/**
 * SYNs, each source with one stack, hops and way to count of its own.
 * @param sources at most 2^20; at random addresses
 */
export function writeScan(path: string, packets: number, sources: number): void {
  const file = new CaptureFile(path)
  for (let n = 0; n < packets; n++) {
    const source = scattered(n) % sources
    const stack = STACKS[source % STACKS.length] as Stack
    file.add({
      ...stack,
      src: (scattered(source) & 0x3fffffff) | 0x40000000,
      dst: FIRST_DECKY + (n & 3),
      srcPort: 1024 + (n % 60_000),
      dstPort: scattered(n >>> 2) & 0x3ff,
      id: stack.id(n),
      ttl: stack.ttl - (source % 20),
      seq: scattered(n * 3),
      ...{ ack: 0, flags: SYN, payload: NOTHING },
    })
  }
  file.close()
}

/**
 * One SYN to the first decky, from an address that nobody else has.
 * @param last byte of the address
 * @returns the address
 */
export function writeMarker(path: string, last: number): string {
  const file = new CaptureFile(path)
  file.add({
    ...LINUX,
    ...{ src: 0xc6336400 + last, dst: FIRST_DECKY, srcPort: 1024, dstPort: 1, id: 1 },
    ...{ seq: 1, ack: 0, flags: SYN, payload: NOTHING },
  })
  file.close()
  return `198.51.100.${last}`
}

/** Both sides' parts of a connection, the client's first. */
type Talk = readonly (readonly ['client' | 'server', Buffer])[]

const bulk = (count: number): Talk =>
  Array.from({ length: count }, () => ['server', record(23, Buffer.alloc(1395, 0x5a))] as const)

const u24 = (value: number) => Buffer.from([value >> 16, (value >> 8) & 255, value & 255])
const chain = Buffer.concat(
  Array.from({ length: 3 }, () => Buffer.concat([u24(CERTIFICATE.length), CERTIFICATE])),
)
const LISTS = [
  'curve25519-sha256,curve25519-sha256@libssh.org,ecdh-sha2-nistp256,diffie-hellman-group16-sha512',
  'ssh-ed25519,ecdsa-sha2-nistp256,rsa-sha2-512,rsa-sha2-256',
  ...Array(2).fill('chacha20-poly1305@openssh.com,aes128-ctr,aes256-ctr,aes256-gcm@openssh.com'),
  ...Array(2).fill('umac-64-etm@openssh.com,hmac-sha2-256-etm@openssh.com,hmac-sha2-256'),
  ...['none,zlib@openssh.com', 'none,zlib@openssh.com', '', ''],
]

const TALKS: readonly { port: number; talk: Talk }[] = [
  {
    port: 443,
    talk: [
      ['client', CLIENT_RECORD],
      ['server', SERVER_RECORD],
      ['server', record(22, message(11, Buffer.concat([u24(chain.length), chain])))],
      ['client', record(20, Buffer.from([1]))],
      ...bulk(16),
    ],
  },
  {
    port: 8443,
    talk: [
      ['client', record(22, message(1, clientHello({ extensions: [[43, hex('020304')]] })))],
      ['server', record(22, message(2, serverHello({ extensions: [[43, hex('0304')]] })))],
      ...bulk(16),
    ],
  },
  {
    port: 22,
    talk: [
      ['client', Buffer.from('SSH-2.0-OpenSSH_9.2p1\r\n')],
      ['server', Buffer.from('SSH-2.0-OpenSSH_8.4\r\n')],
      ['client', sshPacket(kexInit(LISTS), 6)],
      ['server', sshPacket(kexInit(LISTS), 6)],
      ...bulk(16),
    ],
  },
]

const SEGMENT = 1400
/** Sessions that are open at once, their packets in turns. */
const TOGETHER = 64

/**
 * Sessions of TLS 1.2 with certificates, TLS 1.3 and SSH, with data, from 500 sources; a few packets
 * more than asked for, so that all of them end.
 */
export function writeSessions(path: string, packets: number): number {
  const file = new CaptureFile(path)
  for (let session = 0; file.packets < packets; session += TOGETHER) {
    let open = Array.from({ length: TOGETHER }, (_, index) => sessionOf(session + index))
    while (open.length > 0) {
      open = open.filter((segments) => {
        const { value, done } = segments.next()
        if (!done) file.add(value)
        return !done
      })
    }
  }
  file.close()
  return file.packets
}

function* sessionOf(number: number): Generator<Segment, undefined> {
  const { port, talk } = TALKS[number % TALKS.length] as (typeof TALKS)[number]
  const client = { src: 0x0a000000 + (number % 500), srcPort: 1024 + (number % 60_000) }
  const server = { src: FIRST_DECKY + (number & 3), srcPort: port }
  const next = { client: scattered(number), server: scattered(number * 7) }
  let id = number
  const segment = (
    from: 'client' | 'server',
    flags: number,
    payload: Buffer = NOTHING,
  ): Segment => {
    const to = from === 'client' ? 'server' : 'client'
    const [here, there] = from === 'client' ? [client, server] : [server, client]
    const isSyn = (flags & SYN) !== 0
    const made = {
      ...here,
      ...{ dst: there.src, dstPort: there.srcPort, ttl: 64, df: true, window: 64240 },
      ...{ id: id++ & 0xffff, seq: next[from], ack: flags === SYN ? 0 : next[to], flags, payload },
      options: isSyn ? LINUX.options : NOTHING,
    }
    next[from] = (next[from] + payload.length + (isSyn || flags === FIN ? 1 : 0)) >>> 0
    return made
  }
  yield segment('client', SYN)
  yield segment('server', SYN | ACK)
  yield segment('client', ACK)
  for (const [from, bytes] of talk) {
    for (let at = 0; at < bytes.length; at += SEGMENT) {
      yield segment(from, PUSH, bytes.subarray(at, at + SEGMENT))
    }
  }
  yield segment('client', FIN)
  yield segment('server', FIN)
  yield segment('client', ACK)
}
