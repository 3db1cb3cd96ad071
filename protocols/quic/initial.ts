/** The hellos of a QUIC connection, from its Initial packets. */
import { type HandshakeMessage, handshakeType } from '../tls/handshake_message.ts'
import { type CryptoPiece, cryptoPieces } from './crypto_frames.ts'
import { addPieces, type CryptoStream, newCryptoStream } from './crypto_stream.ts'
import { type InitialKeys, initialKeys } from './initial_keys.ts'
import { openInitial } from './initial_packet.ts'
import { type LongHeader, readLongHeader } from './long_header.ts'

export { startsInitial } from './long_header.ts'

/** A datagram that packs more packets is read no further; three are usual. */
const MAX_PACKETS = 8

/** What is known of a connection. Plain data, some 45 KiB at most, so that it can be saved. */
export interface QuicHandshake {
  /** Where the keys come from, in hex; `''` before the first Initial packet of the client. */
  dcid: string
  client_keys: InitialKeys | undefined
  /** Made when the server first answers: most scanners get no answer. */
  server_keys: InitialKeys | undefined
  client: CryptoStream
  server: CryptoStream
}

/** A connection of which nothing has been seen. */
export const newQuicHandshake = (): QuicHandshake => ({
  dcid: '',
  client_keys: undefined,
  server_keys: undefined,
  client: newCryptoStream(),
  server: newCryptoStream(),
})

/**
 * Takes in one datagram, `bytes[start..end)`. Those of one side may come in any order, but the keys
 * are in the client's first. Packets that are damaged, foreign or not Initial change nothing; a new
 * connection between the same ports, or the same one after a Retry, begins the state anew.
 * @returns the ClientHello or ServerHello when the datagram makes it whole, once per connection
 * @see RFC 9000 section 17.2.2, RFC 9001 section 5, RFC 9369
 */
export function readQuicDatagram(
  state: QuicHandshake,
  side: 'client' | 'server',
  bytes: Uint8Array,
  start: number,
  end: number,
): HandshakeMessage | undefined {
  const pieces: CryptoPiece[] = []
  let at = start
  for (let count = 0; count < MAX_PACKETS; count++) {
    const header = readLongHeader(bytes, at, end)
    if (!header) break
    const open = side === 'client' ? openClient : openServer
    const frames = header.initial ? open(state, bytes, header) : undefined
    if (frames) cryptoPieces(frames, pieces)
    at = header.end
  }
  const message = addPieces(state[side], pieces)
  return message?.type === HELLO_OF[side] ? message : undefined
}

const HELLO_OF = { client: handshakeType.clientHello, server: handshakeType.serverHello } as const

function openClient(
  state: QuicHandshake,
  bytes: Uint8Array,
  header: LongHeader,
): Buffer | undefined {
  const frames = state.client_keys && openInitial(bytes, header, state.client_keys)
  if (frames) return frames
  // Further packets go to the id that the server chose, under the keys of the first: only a new
  // connection, or one told to retry, opens with the id it is sent to.
  const dcid = bytes.subarray(header.dcidStart, header.dcidEnd)
  const keys = initialKeys(header.version, dcid, 'client')
  const firstFrames = openInitial(bytes, header, keys)
  if (!firstFrames) return undefined
  Object.assign(state, newQuicHandshake(), {
    dcid: Buffer.from(dcid).toString('hex'),
    client_keys: keys,
  })
  return firstFrames
}

function openServer(
  state: QuicHandshake,
  bytes: Uint8Array,
  header: LongHeader,
): Buffer | undefined {
  if (state.dcid === '' || state.server.over) return undefined
  // The version is the packet's: a server may go on in another one. RFC 9368 section 2.3
  const keys =
    state.server_keys ?? initialKeys(header.version, Buffer.from(state.dcid, 'hex'), 'server')
  const frames = openInitial(bytes, header, keys)
  if (frames) state.server_keys = keys
  return frames
}
