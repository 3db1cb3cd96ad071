/** Syslog over the network and over unix sockets, from daemons and from other hosts. */
import { type Static, Type } from 'typebox'
import {
  type Context,
  chunkOfLines,
  type Draft,
  defineSource,
  duration,
  EngineError,
  size,
} from '../engine/index.ts'
import { LISTEN_ADDRESS, parseListenAddress } from '../protocols/listen_address.ts'
import { quote } from '../protocols/quote.ts'
import { cutText } from '../protocols/utf8_text.ts'
import { lineDraft } from './lines/text_line.ts'
import { Arrivals } from './listen/arrivals.ts'
import type { Listener } from './listen/listener.ts'

const Address = Type.String({
  pattern: LISTEN_ADDRESS,
  description: '`tcp://HOST:PORT`, `udp://HOST:PORT`, `tls://HOST:PORT` or `unix:/path`.',
})

const Config = Type.Object({
  listen: Type.Union([Address, Type.Array(Address, { minItems: 1, maxItems: 64 })], {
    description:
      'One address or several: `tcp://HOST:PORT`, `udp://HOST:PORT`, `tls://HOST:PORT`, `unix:/path`.',
  }),
  tls: Type.Optional(
    Type.Object(
      {
        cert: Type.String({ description: 'PEM file with our certificate and its chain.' }),
        key: Type.String({ description: 'PEM file with its private key.' }),
        ca: Type.Optional(
          Type.String({ description: 'PEM file with the CAs that sign client certificates.' }),
        ),
        client_cert: Type.Enum(['required', 'optional', 'none'], {
          default: 'required',
          description: 'Whether a client must show a certificate; its CN becomes `peer_cn`.',
        }),
      },
      { description: 'Certificates of the `tls://` addresses.' },
    ),
  ),
  max_line: size({
    default: '256KiB',
    description:
      'Longest message in bytes; of a longer one the head is kept, with `truncated`. Each ' +
      'connection may hold this much memory.',
  }),
  max_connections: Type.Integer({
    default: 1024,
    minimum: 1,
    maximum: 65536,
    description: 'Connections held at once, for each address; more are closed at once.',
  }),
  idle_timeout: duration({
    default: '10m',
    description: 'Time without a byte after which a connection is closed; 0s: never.',
  }),
  queue: Type.Integer({
    default: 10_000,
    minimum: 1,
    maximum: 1_000_000,
    description: 'Events held for the pipeline; beyond it streams wait and datagrams are dropped.',
  }),
})

export const syslog = defineSource({
  type: 'syslog',
  summary:
    'Each message that arrives by TCP, UDP, TLS or a unix socket, octet-counted or one a line.',
  promise:
    'Not replayable: a message is lost if the process dies before it is written. Streams are held ' +
    'back when the pipeline is slow; datagrams are dropped and counted.',
  config: Config,
  examples: [
    {
      title: 'Deckies on the LAN',
      yaml: 'type: syslog\nlisten: [tcp://0.0.0.0:514, udp://0.0.0.0:514]',
    },
    {
      title: 'Agents of the fleet',
      yaml:
        'type: syslog\nlisten: tls://0.0.0.0:6514\ntls:\n  cert: /etc/decnet/ca/listener.pem\n' +
        '  key: /etc/decnet/ca/listener.key\n  ca: /etc/decnet/ca/ca.pem',
    },
    { title: 'Daemons of this host', yaml: 'type: syslog\nlisten: unix:/run/decnet/log.sock' },
  ],
  replayable: false,
  async *read(config, position: { received: number } | undefined, context) {
    let received = position?.received ?? 0
    const arrivals = new Arrivals(config.queue, context)
    const read = (line: string, at: number) => fromLine(line, at, config, false)
    const listeners = await openAll(config, arrivals, context)
    const stop = () => {
      for (const listener of listeners) listener.stop()
      arrivals.close()
    }
    context.signal.addEventListener('abort', stop, { once: true })
    try {
      if (context.signal.aborted) stop()
      for (;;) {
        const arrived = arrivals.take()
        received += arrived?.count ?? 0
        const position = { received }
        if (!arrived && arrivals.closed) return
        if (!arrived) await arrivals.ready()
        else if ('drafts' in arrived) yield { events: arrived.drafts, position }
        else yield chunkOfLines(arrived.lines, position, read)
      }
    } finally {
      context.signal.removeEventListener('abort', stop)
      await Promise.all(listeners.map((listener) => listener.close()))
    }
  },
  fromLine,
})

function fromLine(
  line: string,
  receivedAt: number,
  { max_line }: Static<typeof Config>,
  truncated?: boolean,
): Draft {
  return lineDraft(cutText(line, max_line, truncated), receivedAt)
}

/** Binds every address, or none. */
async function openAll(
  config: Static<typeof Config>,
  arrivals: Arrivals,
  context: Context,
): Promise<Listener[]> {
  const listeners: Listener[] = []
  try {
    for (const text of [config.listen].flat()) {
      listeners.push(await open(text, config, arrivals, context))
    }
  } catch (error) {
    await Promise.all(listeners.map((listener) => listener.close()))
    throw error
  }
  return listeners
}

async function open(
  text: string,
  config: Static<typeof Config>,
  arrivals: Arrivals,
  context: Context,
): Promise<Listener> {
  const address = parseListenAddress(text)
  if (!address) throw new EngineError('LISTEN_ADDRESS', `not an address: ${quote(text)}`)
  if (address.kind === 'udp') {
    const { listenDatagrams } = await import('./listen/datagram_transport.ts')
    return listenDatagrams(text, address, config, arrivals, context)
  }
  const { listenStream } = await import('./listen/stream_transport.ts')
  return listenStream(text, address, config, arrivals, context)
}
