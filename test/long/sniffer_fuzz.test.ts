/** Damaged packets and damaged captures through the whole sniffer, the same ones at every run. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EngineError } from '../../engine/index.ts'
import { parseDecnetLine } from '../../protocols/decnet_log.ts'
import { pcapHeader, pcapRecord } from '../../protocols/pcap/capture_writer.ts'
import { DECKY, REMOTE } from '../operators/sniffed_packets.ts'
import { compiled, overFile, run, sniff } from '../pipelines/sniffing.ts'
import { ETHERNET, ipv4, ipv6, SYN, tcp, udp } from '../protocols/packet/frames.ts'
import {
  initialPacket,
  RFC_CLIENT_CRYPTO,
  RFC_SERVER_PACKET,
} from '../protocols/quic/initial_bytes.ts'
import { kexInit, packet as sshPacket, TEN_LISTS } from '../protocols/ssh/kexinit_bytes.ts'
import { CERTIFICATE } from '../protocols/tls/certificate_bytes.ts'
import { CLIENT_RECORD, message, record, SERVER_RECORD } from '../protocols/tls/hello_bytes.ts'
import { FORMS } from '../sources/pcap/captures.ts'
import { seededRandom } from './mutate.ts'
import { times } from './pipelines.ts'

const PACKETS = times('SNIFFER_PACKETS', 100_000)
const CAPTURES = times('SNIFFER_CAPTURES', 2000)
/** What the process may take more after the packets than before, MB. */
const MOST_MB = 400
const SEED = 20_260_301
const T = Date.UTC(2026, 2, 1)

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-sniffer-fuzz-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const counted24 = (bytes: Buffer) =>
  Buffer.concat([Buffer.from([0, bytes.length >> 8, bytes.length & 255]), bytes])
const FLIGHT = Buffer.concat([
  SERVER_RECORD,
  record(22, message(11, counted24(counted24(CERTIFICATE)))),
])
const SSH = Buffer.concat([Buffer.from('SSH-2.0-a\r\n'), sshPacket(kexInit(TEN_LISTS))])

/** Where the decky connects out, as a SYN-ACK says. */
const SERVED_BY_REMOTE = 2222

/** What a remote host and a decky say, `[from the remote, payload, protocol]`; cut into segments. */
const TALK: readonly (readonly [boolean, Buffer, 'tcp' | 'udp', number])[] = [
  [true, CLIENT_RECORD, 'tcp', 443],
  [false, FLIGHT, 'tcp', 443],
  [true, SSH, 'tcp', 22],
  [false, SSH, 'tcp', 22],
  [true, initialPacket({ frames: RFC_CLIENT_CRYPTO }), 'udp', 443],
  [false, RFC_SERVER_PACKET, 'udp', 443],
  [false, CLIENT_RECORD, 'tcp', 8443],
  [true, FLIGHT, 'tcp', 8443],
  [true, SSH, 'tcp', SERVED_BY_REMOTE],
]

/** Connection `n`, whole: IPv4 and IPv6, in one to many segments, ended or not. */
function conversation(n: number, random: () => number): Buffer[] {
  const port = 1024 + (n % 60_000)
  const isV6 = n % 5 === 0
  const frames: Buffer[] = []
  const add = (fromRemote: boolean, protocol: 6 | 17, segment: Buffer) => {
    if (isV6) frames.push(ipv6(protocol, segment))
    else {
      const [src, dst] = fromRemote ? [REMOTE, DECKY] : [DECKY, REMOTE]
      frames.push(ipv4(protocol, segment, { src, dst, id: frames.length }))
    }
  }
  const sequence = { true: Math.floor(random() * 2 ** 32), false: 7 }
  if (!isV6) frames.push(SYN)
  for (const [fromRemote, payload, protocol, service] of TALK) {
    if (random() < 0.5) continue
    const ports = fromRemote ? { src: port, dst: service } : { src: service, dst: port }
    if (protocol === 'udp') {
      add(fromRemote, 17, udp(payload, ports.dst, ports.src))
      continue
    }
    if (service === SERVED_BY_REMOTE) add(true, 6, tcp('', { ...ports, seq: 1, flags: 0x12 }))
    const size = 1 + Math.floor(random() * 600)
    for (let at = 0; at < payload.length; at += size) {
      const seq = sequence[`${fromRemote}`]
      const bytes = payload.subarray(at, at + size)
      add(fromRemote, 6, tcp(bytes, { ...ports, seq }))
      sequence[`${fromRemote}`] = (seq + bytes.length) % 2 ** 32
    }
  }
  if (random() < 0.5) add(true, 6, tcp('', { src: port, dst: 443, flags: 0x11 }))
  return frames
}

type Damage = (frame: Buffer, random: () => number) => Buffer
const place = (length: number, random: () => number) => Math.floor(random() * length)

/** By what they do; some leave a frame as it is, so that what comes before and after still fits. */
const DAMAGES: readonly Damage[] = [
  (frame) => frame,
  (frame) => frame,
  (frame, random) => frame.subarray(0, place(frame.length + 1, random)),
  (frame, random) => Buffer.concat([frame, Buffer.alloc(place(60, random))]),
  // Anywhere, or behind the headers, where the parsers of hellos are.
  ...[0, 40, 60].map(
    (from): Damage =>
      (frame, random) => {
        const copy = Buffer.from(frame)
        for (let count = 1 + place(6, random); count > 0 && copy.length > from; count--) {
          copy[from + place(copy.length - from, random)] = place(256, random)
        }
        return copy
      },
  ),
  // Lengths are what parsers trust: ones, zeroes, and one more or less.
  (frame, random) => {
    const copy = Buffer.from(frame)
    const at = place(Math.max(1, copy.length - 1), random)
    if (copy.length < 2) return copy
    const value = [0, 0xffff, copy.readUInt16BE(at) + 1, copy.readUInt16BE(at) - 1][
      place(4, random)
    ]
    copy.writeUInt16BE((value ?? 0) & 0xffff, at)
    return copy
  },
  (frame, random) => {
    const at = place(frame.length, random)
    const part = frame.subarray(at, at + place(200, random))
    return Buffer.concat([frame.subarray(0, at), part, frame.subarray(at)])
  },
  (_frame, random) =>
    Buffer.from(Array.from({ length: place(120, random) }, () => place(256, random))),
]

/** Damaged, and in the wrong order, repeated or left out here and there. */
function* damaged(count: number, random: () => number): Generator<Buffer> {
  let made = 0
  for (let n = 0; made < count; n++) {
    const frames = conversation(n, random)
    if (n % 3 === 0) frames.sort(() => random() - 0.5)
    for (const frame of frames) {
      if (made >= count) return
      const damage = DAMAGES[place(DAMAGES.length, random)] as Damage
      yield damage(frame, random)
      made += 1
    }
  }
}

describe(`${PACKETS} damaged packets`, () => {
  it('go through the whole sniffer: no failure, no dead letter, each line whole', async () => {
    const random = seededRandom(SEED)
    const records = [pcapHeader(1)]
    let time = T
    for (const frame of damaged(PACKETS, random)) {
      // Clocks jump, too: a second back, a minute ahead.
      time += random() < 0.001 ? ([-1000, 60_000][place(2, random)] ?? 0) : random()
      const ethernet = Buffer.concat([ETHERNET, frame])
      if ((frame[0] ?? 0) >> 4 === 6) ethernet.writeUInt16BE(0x86dd, 12)
      records.push(pcapRecord(ethernet, time, ethernet.length + (random() < 0.1 ? 100 : 0)))
    }
    const path = (name: string) => join(dir, name)
    writeFileSync(path('fuzz.pcap'), Buffer.concat(records))
    const deckies = [
      { name: 'decky-a', ip: DECKY },
      { name: 'decky-6', ip: '2001:db8::a' },
    ]
    writeFileSync(path('state.json'), JSON.stringify({ config: { deckies } }))
    const env = {
      DECNET_STATE_FILE: path('state.json'),
      DECNET_INGEST_LOG_FILE: path('decnet.log'),
    }
    // Without its five minutes between repeats, so that every event is made into a line.
    const text = overFile('sniffer', path('fuzz.pcap')).replace('window: 300s', 'window: 0s')
    const before = process.memoryUsage.rss()
    const { report, messages } = await run(compiled(text, 'sniffer.yaml', env), path('live'))
    const grown = (process.memoryUsage.rss() - before) / 2 ** 20
    const nodes = report.pipelines.sniffer?.nodes ?? {}
    expect(report.pipelines.sniffer?.sources.packets?.read).toBe(PACKETS)
    for (const [name, node] of Object.entries(nodes)) {
      expect([name, node.dead_lettered, node.errors]).toEqual([name, 0, 0])
    }
    const lines = readFileSync(path('decnet.log'), 'utf8').trimEnd().split('\n')
    expect(lines).toHaveLength(nodes.log?.in ?? 0)
    const types = new Map<string, number>()
    for (const line of lines) {
      const { record: read } = parseDecnetLine(line, { receivedAt: T })
      expect([read.service, read.attacker_ip === 'Unknown']).toEqual(['sniffer', false])
      types.set(read.event_type, (types.get(read.event_type) ?? 0) + 1)
    }
    // Enough is left whole that every kind of event comes out.
    expect([...types.keys()].sort()).toEqual([
      'quic_client_hello',
      'quic_session',
      'ssh_client_banner',
      'ssh_client_kex',
      'ssh_server_kex',
      'tcp_flow_timing',
      'tcp_syn_fingerprint',
      'tls_certificate',
      'tls_client_hello',
      'tls_session',
    ])
    expect(messages.length).toBeGreaterThan(1000)
    expect(grown).toBeLessThan(MOST_MB)
    process.stdout.write(
      `sniffer, fuzz: ${report.wallSeconds.toFixed(1)} s, ${Math.round(grown)} MB, ${JSON.stringify(Object.fromEntries(types))}\n`,
    )
  })

  it('give the same events whatever the batches', async () => {
    const path = join(dir, 'fuzz.pcap')
    const some = join(dir, 'some.pcap')
    writeFileSync(some, readFileSync(path).subarray(0, 1_000_000))
    const [one, seven, many] = await Promise.all(
      [1, 7, 512].map(async (size) => JSON.stringify(await sniff(some, {}, size))),
    )
    expect(one?.length).toBeGreaterThan(100_000)
    expect([seven === one, many === one]).toEqual([true, true])
  })
})

describe(`${CAPTURES} damaged captures`, () => {
  it('are read as far as they go, or refused with a reason', async () => {
    const random = seededRandom(SEED)
    const reasons = new Map<string, number>()
    const file = join(dir, 'damaged')
    for (let n = 0; n < CAPTURES; n++) {
      const [, make] = FORMS[n % FORMS.length] as (typeof FORMS)[number]
      const whole = make(20)
      const bytes = damageCapture(whole, random)
      writeFileSync(file, bytes)
      const outcome = await sniff(file).then(
        () => 'read',
        (error) => (error instanceof EngineError ? error.code : `${error}`),
      )
      reasons.set(outcome, (reasons.get(outcome) ?? 0) + 1)
    }
    process.stdout.write(
      `sniffer, damaged captures: ${JSON.stringify(Object.fromEntries(reasons))}\n`,
    )
    expect([...reasons.keys()].sort()).toEqual(['CAPTURE', 'read'])
    expect(reasons.get('read')).toBeGreaterThan(CAPTURES / 4)
  })
})

function damageCapture(whole: Buffer, random: () => number): Buffer {
  const kind = place(4, random)
  if (kind === 0) return whole.subarray(0, place(whole.length + 1, random))
  const copy = Buffer.from(whole)
  // Mostly in the first 200 bytes, where the headers of files, blocks and packers are.
  const reach = kind === 1 ? Math.min(200, copy.length) : copy.length
  for (let count = 1 + place(8, random); count > 0; count--) {
    copy[place(reach, random)] = [0, 255, place(256, random)][place(3, random)] ?? 0
  }
  return kind === 3 ? Buffer.concat([copy, copy.subarray(place(copy.length, random))]) : copy
}
