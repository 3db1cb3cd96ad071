/** TLS clients and sessions, told by what both sides say before anything is encrypted. */
import { Type } from 'typebox'
import { type Data, type Draft, defineOperator, type Event } from '../engine/index.ts'
import { type Packet, PROTOCOL } from '../protocols/packet/packet.ts'
import {
  newQuicHandshake,
  type QuicHandshake,
  readQuicDatagram,
  startsInitial,
} from '../protocols/quic/initial.ts'
import {
  connectionOf,
  deckyOf,
  deckyPacket,
  directionOf,
  endpointsOf,
  isFromDecky,
  isOfStream,
} from '../protocols/sniffer/decky_packet.ts'
import { type ClientFields, clientFields, sessionFields } from '../protocols/sniffer/tls_fields.ts'
import { parseClientHello } from '../protocols/tls/client_hello.ts'
import { type HandshakeMessage, handshakeType } from '../protocols/tls/handshake_message.ts'
import { parseServerHello } from '../protocols/tls/server_hello.ts'
import {
  CLIENT_BYTES,
  endTls,
  feedTls,
  newTlsSide,
  type TlsSide,
} from '../protocols/tls/tls_side.ts'

/** One connection. */
interface Connection {
  /** what each end has sent, over TCP */
  remote?: TlsSide
  decky?: TlsSide
  quic?: QuicHandshake
  /** of the ClientHello, until a ServerHello has answered it */
  hello?: ClientFields
  /** which end sent the ClientHello, or the first QUIC packet */
  decky_is_client?: boolean
}

export const tlsHello = defineOperator({
  type: 'tls_hello',
  summary: 'TLS and QUIC hellos as events: JA3, JA3S, JA4, server name, versions, ALPN.',
  promise:
    'Hellos are put together from segments in any order, over records, and QUIC datagrams. At most ' +
    '16 KiB of each direction are read, for 10 s. A connection that is forgotten (`max_keys`, ' +
    '`ttl`) in the middle of its hello gives no event.',
  config: Type.Object({}),
  state: Type.Object({
    remote: Type.Optional(Type.Unknown({ description: 'What the remote end has said so far.' })),
    decky: Type.Optional(Type.Unknown({ description: 'What the decky has said so far.' })),
    quic: Type.Optional(Type.Unknown({ description: 'Keys and pieces of a QUIC handshake.' })),
    hello: Type.Optional(Type.Unknown({ description: 'Fields of an unanswered ClientHello.' })),
    decky_is_client: Type.Optional(Type.Boolean({ description: 'Who sent the ClientHello.' })),
  }),
  examples: [
    { title: 'As the sniffer has it', yaml: 'type: tls_hello\nmax_keys: 16384\nttl: 60s' },
    {
      title: 'A ClientHello in one segment',
      yaml: 'type: tls_hello',
      run: {
        send: [
          {
            time: 1000,
            data: {
              link_type: 101,
              frame_b64:
                'RQAAvQABQABABgAAywBxB8AAAgqcQAG7AAAAZQAAAAFQGPrwAAAAABYDAQCQAQAAjAMDAAEC' +
                'AwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8AAAoqKhMBEwLAK8AvAQAAWTo6AAAAAAAQ' +
                'AA4AAAtsYWIuZXhhbXBsZQAXAAAACgAKAAhKSgAdABcAGAALAAIBAAAQAA4ADAJoMghodHRw' +
                'LzEuMQANAAgABgQDCAQEAQArAAcGWloDBAMD',
              wire_length: 189,
              decky: 'decky-a',
              from_decky: false,
            },
          },
        ],
        expect: [
          {
            topic: 'sniffer.tls_client_hello',
            data: {
              src_ip: '203.0.113.7',
              sni: 'lab.example',
              ja3: '675eee9b7e52c1b8a8596c3b608a7050',
              ja4: 't13d0407h2_e00fd9ffaebd_1fdf4de06b7e',
              direction: 'inbound',
            },
          },
        ],
      },
    },
  ],
  keyed: () => ({
    wants(event) {
      const packet = deckyPacket(event)
      if (!packet) return false
      if (packet.protocol !== PROTOCOL.UDP) return isOfStream(packet)
      return startsInitial(packet.bytes, packet.payloadStart, packet.payloadEnd)
    },
    key(event) {
      const key = connectionOf(event)
      return deckyPacket(event)?.protocol === PROTOCOL.UDP ? `udp ${key}` : key
    },
    init: (): Connection => ({}),
    step(connection: Connection, event, timers) {
      const packet = deckyPacket(event) as Packet
      if (packet.protocol === PROTOCOL.UDP) return quicHellos(connection, event, packet)
      const made = packet.hasPayload ? tcpHellos(connection, event, packet) : undefined
      if (packet.endsConnection) timers.forget()
      return made
    },
  }),
})

function tcpHellos(connection: Connection, event: Event, packet: Packet): Draft[] | undefined {
  const fromDecky = isFromDecky(event)
  const end = fromDecky ? 'decky' : 'remote'
  connection[end] ??= newTlsSide()
  const side = connection[end]
  const messages = feedTls(side, packet.payloadSeq, packet.payload, event.time, CLIENT_BYTES)
  if (messages.length === 0) return undefined
  const events: Draft[] = []
  for (const message of messages) {
    const made = helloEvent(connection, event, packet, message, 't')
    if (made === 'retry') connection[end] = newTlsSide()
    else {
      endTls(side)
      if (made) events.push(made)
    }
  }
  return events
}

function quicHellos(connection: Connection, event: Event, packet: Packet): Draft | undefined {
  connection.quic ??= newQuicHandshake()
  connection.decky_is_client ??= isFromDecky(event)
  const from = connection.decky_is_client === isFromDecky(event) ? 'client' : 'server'
  const { bytes, payloadStart, payloadEnd } = packet
  const message = readQuicDatagram(connection.quic, from, bytes, payloadStart, payloadEnd)
  const made = message && helloEvent(connection, event, packet, message, 'q')
  return made === 'retry' ? undefined : made
}

/** @returns `retry` for a HelloRetryRequest: the hello it asks for is not the one that counts */
function helloEvent(
  connection: Connection,
  event: Event,
  packet: Packet,
  { type, bytes, start, end }: HandshakeMessage,
  transport: 't' | 'q',
): Draft | 'retry' | undefined {
  if (type === handshakeType.clientHello) {
    const hello = parseClientHello(bytes, start, end)
    // After a HelloRetryRequest there is a second one, whose fingerprint is not the client's choice.
    if (!hello || connection.hello) return undefined
    connection.hello = clientFields(hello, transport)
    connection.decky_is_client = isFromDecky(event)
    const { ja4 } = connection.hello
    const fields = { ...connection.hello, ...(transport === 'q' ? { ja4_quic: ja4 } : {}) }
    return draft(connection, event, packet, transport === 'q' ? QUIC_HELLO : TLS_HELLO, fields)
  }
  if (type !== handshakeType.serverHello) return undefined
  const hello = parseServerHello(bytes, start, end)
  if (!hello) return undefined
  if (hello.helloRetryRequest) return 'retry'
  connection.decky_is_client ??= !isFromDecky(event)
  const fields = sessionFields(hello, connection.hello)
  delete connection.hello
  return draft(connection, event, packet, transport === 'q' ? QUIC_SESSION : TLS_SESSION, fields)
}

const TLS_HELLO = 'sniffer.tls_client_hello'
const TLS_SESSION = 'sniffer.tls_session'
const QUIC_HELLO = 'sniffer.quic_client_hello'
const QUIC_SESSION = 'sniffer.quic_session'

function draft(
  connection: Connection,
  event: Event,
  packet: Packet,
  topic: string,
  fields: Data,
): Draft {
  const deckyIsClient = connection.decky_is_client === true
  // Where the ends were only guessed, what they say outdoes the guess: the client is the remote.
  const isFlipped = event.data.guessed === true && deckyIsClient
  const ends = endpointsOf(packet, isFromDecky(event) === isFlipped)
  return {
    topic,
    time: event.time,
    data: {
      ...ends,
      ...fields,
      direction: directionOf(event, isFlipped || !deckyIsClient),
      decky: deckyOf(event, isFlipped ? ends.dst_ip : undefined),
    },
  }
}
