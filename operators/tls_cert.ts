/** Certificates that servers show in clear, up to TLS 1.2. */
import { Type } from 'typebox'
import { type Draft, defineOperator, type Event } from '../engine/index.ts'
import type { Packet } from '../protocols/packet/packet.ts'
import {
  connectionOf,
  deckyOf,
  deckyPacket,
  directionOf,
  endpointsOf,
  isFromDecky,
  isOfStream,
} from '../protocols/sniffer/decky_packet.ts'
import { leafCertificate, parseCertificate } from '../protocols/tls/certificate.ts'
import { parseClientHello } from '../protocols/tls/client_hello.ts'
import { handshakeType } from '../protocols/tls/handshake_message.ts'
import {
  CLIENT_BYTES,
  endTls,
  feedTls,
  newTlsSide,
  SERVER_BYTES,
  type TlsSide,
} from '../protocols/tls/tls_side.ts'

/** One connection. */
interface Connection {
  remote?: TlsSide
  decky?: TlsSide
  /** server name the client asked for */
  sni?: string
  /** whether the decky sent the ServerHello; not there before one was seen */
  decky_is_server?: boolean
}

export const tlsCert = defineOperator({
  type: 'tls_cert',
  summary: 'The first certificate of a TLS server that a decky connects to, as an event.',
  promise:
    'Chains are put together from segments in any order, up to 64 KiB within 10 s. TLS 1.3 ' +
    'encrypts certificates: there is no event. A connection that is forgotten (`max_keys`, `ttl`) ' +
    'in the middle of its handshake gives none either.',
  config: Type.Object({
    own: Type.Boolean({
      default: false,
      description:
        'Also those that deckies show themselves, which tell nothing of an attacker; `direction` ' +
        'tells one from the other.',
    }),
  }),
  state: Type.Object({
    remote: Type.Optional(Type.Unknown({ description: 'What the remote end has said so far.' })),
    decky: Type.Optional(Type.Unknown({ description: 'What the decky has said so far.' })),
    sni: Type.Optional(Type.String({ description: 'The server name that was asked for.' })),
    decky_is_server: Type.Optional(Type.Boolean({ description: 'Who sent the ServerHello.' })),
  }),
  examples: [
    { title: 'As the sniffer has it', yaml: 'type: tls_cert\nmax_keys: 4096\nttl: 60s' },
    {
      title: 'What a server shows a decky that connects to it',
      yaml: 'type: tls_cert',
      run: {
        send: [
          {
            time: 1000,
            data: {
              link_type: 101,
              frame_b64:
                'RQACFwABQABABgAAxjNkB8AAAgoBu5xAAAAAZQAAAAFQGPrwAAAAABYDAwBCAgAAPgMDICEi' +
                'IyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8AwC8AABb/AQABAAALAAQDAAECABAABQAD' +
                'AmgyFgMDAaMLAAGfAAGcAAGZMIIBlTCCATygAwIBAgIUVGtu1gIV/1o1mFsZzfyKfzCMXZkw' +
                'CgYIKoZIzj0EAwIwFTETMBEGA1UEAwwKYzIuZXhhbXBsZTAeFw0yNjExMjgxOTQ3NTdaFw0z' +
                'NjExMjUxOTQ3NTdaMBUxEzARBgNVBAMMCmMyLmV4YW1wbGUwWTATBgcqhkjOPQIBBggqhkjO' +
                'PQMBBwNCAAS7gJgBCHO/a8HNTwqKWv86VVb2o2LhXGBQ0qkvrI5y0HWDjeEFSlI4AjAvMHNd' +
                'mcHAnh479tRjvYAoZAKRH3NYo2owaDAdBgNVHQ4EFgQUMfEjPheG+1E0ypYBuvLds4G8tAYw' +
                'HwYDVR0jBBgwFoAUMfEjPheG+1E0ypYBuvLds4G8tAYwDwYDVR0TAQH/BAUwAwEB/zAVBgNV' +
                'HREEDjAMggpjMi5leGFtcGxlMAoGCCqGSM49BAMCA0cAMEQCIGaNFNJgg1QyiP7vJr6CNP7b' +
                'CMp/TQghT2JqpctXkZUyAiAhqyBwDfrU0HmB1flNk5Hlk2VSrSYCvqr5J80W4QEVhQ==',
              wire_length: 535,
              decky: 'decky-a',
              from_decky: false,
            },
          },
        ],
        expect: [
          {
            topic: 'sniffer.tls_certificate',
            data: {
              src_ip: '198.51.100.7',
              subject_cn: 'c2.example',
              issuer: 'CN=c2.example',
              self_signed: 'true',
              sans: 'c2.example',
              direction: 'outbound',
            },
          },
        ],
      },
    },
  ],
  keyed: ({ own }) => ({
    wants(event) {
      const packet = deckyPacket(event)
      return packet !== undefined && isOfStream(packet)
    },
    key: connectionOf,
    init: (): Connection => ({}),
    step(connection: Connection, event, timers) {
      const packet = deckyPacket(event) as Packet
      const made = packet.hasPayload ? certificateEvent(connection, event, packet, own) : undefined
      if (packet.endsConnection) timers.forget()
      return made
    },
  }),
})

function certificateEvent(
  connection: Connection,
  event: Event,
  packet: Packet,
  own: boolean,
): Draft | undefined {
  const fromDecky = isFromDecky(event)
  const end = fromDecky ? 'decky' : 'remote'
  connection[end] ??= newTlsSide()
  const side = connection[end]
  const limit = own || !fromDecky ? SERVER_BYTES : CLIENT_BYTES
  for (const { type, bytes, start, end: stop } of feedTls(
    side,
    packet.payloadSeq,
    packet.payload,
    event.time,
    limit,
  )) {
    if (type === handshakeType.clientHello) {
      const sni = parseClientHello(bytes, start, stop)?.sni
      if (sni) connection.sni = sni
      endTls(side)
    } else if (type === handshakeType.serverHello) {
      connection.decky_is_server = fromDecky
      if (!fromDecky || own) continue
      // The certificate may be in the same segment.
      endTls(side)
      return undefined
    } else if (type === handshakeType.certificate && connection.decky_is_server === fromDecky) {
      endTls(side)
      return certificate(connection, event, packet, bytes.subarray(start, stop))
    }
  }
  return undefined
}

function certificate(
  { sni }: Connection,
  event: Event,
  packet: Packet,
  body: Uint8Array,
): Draft | undefined {
  const leaf = leafCertificate(body, 0, body.length)
  const read = leaf && parseCertificate(body, leaf.start, leaf.end)
  if (!read) return undefined
  const fromDecky = isFromDecky(event)
  // Where the ends were only guessed: who shows a certificate is the one that was connected to.
  const isFlipped = event.data.guessed === true && !fromDecky
  const ends = endpointsOf(packet, fromDecky === isFlipped)
  return {
    topic: 'sniffer.tls_certificate',
    time: event.time,
    data: {
      ...ends,
      subject_cn: read.subjectCn,
      issuer: read.issuer,
      self_signed: String(read.selfSigned),
      not_before: read.notBefore,
      not_after: read.notAfter,
      ...(read.sans.length > 0 ? { sans: read.sans.join(',') } : {}),
      ...(sni ? { sni } : {}),
      cert_sha256: read.sha256,
      direction: directionOf(event, isFlipped || fromDecky),
      decky: deckyOf(event, isFlipped ? ends.dst_ip : undefined),
    },
  }
}
