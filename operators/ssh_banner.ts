/** SSH clients and servers, told by their first line and the algorithms they offer. */
import { Type } from 'typebox'
import { type Draft, defineOperator, type Event } from '../engine/index.ts'
import { hassh, hasshServer } from '../protocols/fingerprint/hassh.ts'
import { type Packet, PROTOCOL, TCP_FLAG } from '../protocols/packet/packet.ts'
import {
  connectionOf,
  deckyOf,
  deckyPacket,
  directionOf,
  endpointsOf,
  isFromDecky,
  isOfStream,
} from '../protocols/sniffer/decky_packet.ts'
import { readSshBanner, startsSsh } from '../protocols/ssh/banner.ts'
import { type KexInit, readKexInit } from '../protocols/ssh/kexinit.ts'
import { keepHead } from '../protocols/tcp/stream_head.ts'
import { feedStart, finish, newStart, type StreamStart } from '../protocols/tcp/stream_start.ts'

/** What one end has said. */
interface Side {
  readonly start: StreamStart
  /** its first line, once that is whole */
  banner?: string
}

/** One connection. */
interface Connection {
  remote?: Side
  decky?: Side
  /** address and port of the end that was connected to, where a SYN-ACK has told */
  server?: string
}

/** A banner and a KEXINIT packet: RFC 4253 section 6.1 allows it 35,000 bytes, none has them. */
const LIMIT = 16 * 1024
/** A server may send lines of text before its banner. */
const TRIES = 8

export const sshBanner = defineOperator({
  type: 'ssh_banner',
  summary: 'SSH banners and key exchange offers as events, with HASSH and HASSHServer.',
  promise:
    'Both are put together from segments in any order, up to 16 KiB within 10 s, on any port. One ' +
    'banner and one offer per end of a connection. A connection that is forgotten (`max_keys`, ' +
    '`ttl`) before gives none.',
  config: Type.Object({
    own: Type.Boolean({
      default: false,
      description:
        'Also what the decky says itself, which tells nothing of an attacker; `direction` and the ' +
        'topic tell one from the other.',
    }),
  }),
  state: Type.Object({
    remote: Type.Optional(Type.Unknown({ description: 'What the remote end has said so far.' })),
    decky: Type.Optional(Type.Unknown({ description: 'What the decky has said so far.' })),
    server: Type.Optional(Type.String({ description: 'Which end was connected to.' })),
  }),
  examples: [
    { title: 'As the sniffer has it', yaml: 'type: ssh_banner\nmax_keys: 16384\nttl: 60s' },
    {
      title: 'The first line of a client',
      yaml: 'type: ssh_banner',
      run: {
        send: [
          {
            time: 1000,
            data: {
              link_type: 101,
              frame_b64: 'RQAAMwABQABABgAAywBxB8AAAgqcQAAWAAAAZQAAAAFQGPrwAAAAAFNTSC0yLjAtYQ0K',
              wire_length: 51,
              decky: 'decky-a',
              from_decky: false,
            },
          },
        ],
        expect: [
          {
            topic: 'sniffer.ssh_client_banner',
            data: { src_ip: '203.0.113.7', ssh_version: 'SSH-2.0-a' },
          },
        ],
      },
    },
  ],
  keyed: ({ own }) => ({
    wants(event) {
      const packet = deckyPacket(event)
      if (packet?.protocol !== PROTOCOL.TCP) return false
      return isOfStream(packet) || isTelling(event, packet)
    },
    key: connectionOf,
    init: (): Connection => ({}),
    step(connection: Connection, event, timers) {
      const packet = deckyPacket(event) as Packet
      if (isTelling(event, packet)) connection.server = `${packet.src} ${packet.srcPort}`
      const made = packet.hasPayload ? heard(connection, event, packet, own) : undefined
      if (packet.endsConnection) timers.forget()
      return made
    },
  }),
})

const SYN_ACK = TCP_FLAG.SYN | TCP_FLAG.ACK

/**
 * Whether a packet says that it is not the decky that was connected to, or which end it is. What
 * deckies answer to a flood of SYNs must not take the place of connections.
 */
const isTelling = (event: Event, { tcpFlags }: Packet): boolean =>
  (tcpFlags & SYN_ACK) === SYN_ACK && (event.data.guessed === true || !isFromDecky(event))

const deckyIsClient = (event: Event, packet: Packet, { server }: Connection): boolean =>
  server !== undefined && isFromDecky(event) !== (server === `${packet.src} ${packet.srcPort}`)

function heard(
  connection: Connection,
  event: Event,
  packet: Packet,
  own: boolean,
): Draft[] | undefined {
  const fromDecky = isFromDecky(event)
  if (fromDecky && !own) return undefined
  const end = fromDecky ? 'decky' : 'remote'
  connection[end] ??= { start: newStart() }
  const side = connection[end]
  const options = { begins: startsSsh, limit: LIMIT, tries: TRIES }
  const whole = feedStart(side.start, packet.payloadSeq, packet.payload, event.time, options)
  if (!whole || !side.start.head) return undefined
  const banner = readSshBanner(whole, 0, whole.length)
  if (banner.state === 'none') {
    finish(side.start)
    return undefined
  }
  if (banner.state === 'more') {
    keepHead(side.start.head, whole)
    return undefined
  }
  const isClient = fromDecky === deckyIsClient(event, packet, connection)
  const events: Draft[] = []
  if (side.banner === undefined) {
    side.banner = banner.text
    if (isClient) events.push(draft(connection, event, packet, CLIENT_BANNER, {}, banner.text))
  }
  const read = readKexInit(whole, banner.next, whole.length)
  if (read.state === 'more' && whole.length < LIMIT) keepHead(side.start.head, whole)
  else finish(side.start)
  if (read.state === 'found') {
    const [topic, fields] = isClient
      ? [CLIENT_KEX, clientKex(read.kex)]
      : [SERVER_KEX, serverKex(read.kex)]
    events.push(draft(connection, event, packet, topic, fields, banner.text))
  }
  return events
}

const CLIENT_BANNER = 'sniffer.ssh_client_banner'
const CLIENT_KEX = 'sniffer.ssh_client_kex'
const SERVER_KEX = 'sniffer.ssh_server_kex'

function clientKex(kex: KexInit) {
  const read = hassh(kex)
  return {
    hassh: read.hassh,
    hassh_raw: read.raw,
    kex_algorithms: kex.kex,
    encryption_c2s: kex.encryptionC2s,
    mac_c2s: kex.macC2s,
    compression_c2s: kex.compressionC2s,
  }
}

function serverKex(kex: KexInit) {
  const read = hasshServer(kex)
  return {
    hassh_server: read.hassh,
    hassh_server_raw: read.raw,
    kex_algorithms: kex.kex,
    encryption_s2c: kex.encryptionS2c,
    mac_s2c: kex.macS2c,
    compression_s2c: kex.compressionS2c,
  }
}

function draft(
  connection: Connection,
  event: Event,
  packet: Packet,
  topic: string,
  fields: Readonly<Record<string, string>>,
  version: string,
): Draft {
  const outbound = deckyIsClient(event, packet, connection)
  // Where the ends were only guessed: who was connected to is the decky.
  const isFlipped = event.data.guessed === true && outbound
  const ends = endpointsOf(packet, isFromDecky(event) === isFlipped)
  return {
    topic,
    time: event.time,
    data: {
      ...ends,
      ...fields,
      ssh_version: version,
      direction: directionOf(event, isFlipped || !outbound),
      decky: deckyOf(event, isFlipped ? ends.dst_ip : undefined),
    },
  }
}
