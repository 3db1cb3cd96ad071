/** Listens for syslog connections: TCP, TLS and unix stream sockets. Not a component. */
import { createServer, type Server, type Socket } from 'node:net'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { cannotListen, claimSocketPath, restrictSocket } from '../../bus/unix_socket.ts'
import type { Context } from '../../engine/index.ts'
import { type ListenAddress, peerAddress } from '../../protocols/listen_address.ts'
import type { Arrivals, Peer } from './arrivals.ts'
import { type Connection, type ConnectionOptions, serve } from './connection.ts'
import type { Listener } from './listener.ts'
import { readTlsFiles, type TlsConfig } from './tls_files.ts'

/** A client that has not finished its TLS handshake by then is not one of ours. ms */
const HANDSHAKE_TIMEOUT = 10_000

export interface StreamOptions extends ConnectionOptions {
  readonly max_connections: number
  readonly tls?: TlsConfig
}

/**
 * @param text the address as it stands in the pipeline file
 * @throws {UnavailableError} `LISTEN` where the address cannot be bound
 * @throws {EngineError} `TLS_CONFIG`, `TLS_FILE`
 */
export async function listenStream(
  text: string,
  address: Exclude<ListenAddress, { kind: 'udp' }>,
  options: StreamOptions,
  arrivals: Arrivals,
  context: Context,
): Promise<Listener> {
  const { count, log } = context
  const sockets = new Set<Socket>()
  const connections = new Set<Connection>()
  const accept = (socket: Socket, peer: Peer) => {
    const connection = serve(socket, peer, options, arrivals, context)
    connections.add(connection)
    socket.on('close', () => connections.delete(connection))
  }
  const server = await makeServer(text, address, options, context, accept)
  server.maxConnections = options.max_connections
  server.on('drop', () => count('connection_refused'))
  // Also those whose TLS handshake is not over.
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await bind(server, text, address)
  server.on('error', (error: NodeJS.ErrnoException) => {
    count('accept_error')
    log.warn({ address: text, reason: error.code ?? 'unknown' }, 'a connection was not accepted')
  })
  const bound = server.address()
  const port = typeof bound === 'object' && bound ? bound.port : undefined
  log.info({ address: text, ...(port !== undefined && { port }) }, 'listening')
  return listener(server, sockets, connections)
}

async function makeServer(
  text: string,
  address: ListenAddress,
  options: StreamOptions,
  { count, log }: Context,
  accept: (socket: Socket, peer: Peer) => void,
): Promise<Server> {
  if (address.kind === 'unix') {
    return createServer((socket) => accept(socket, { peer: `unix:${address.path}` }))
  }
  if (address.kind === 'tcp') return createServer((socket) => accept(socket, peerOf(socket)))
  const files = await readTlsFiles(text, options.tls)
  const tls = await import('node:tls')
  const server = tls.createServer(
    { ...files, minVersion: 'TLSv1.2', handshakeTimeout: HANDSHAKE_TIMEOUT },
    (socket) => {
      const certificate = socket.getPeerCertificate()
      const shown = Object.keys(certificate).length > 0
      // Where a certificate is optional, a wrong one still is none of ours.
      if (shown && !socket.authorized) {
        count('tls_refused')
        socket.destroy()
        return
      }
      accept(socket, { ...peerOf(socket), ...(shown && commonName(certificate)) })
    },
  )
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    count('tls_refused')
    log.debug({ ...peerOf(socket), reason: error.code ?? 'unknown' }, 'TLS handshake failed')
  })
  return server
}

function peerOf({ remoteAddress, remotePort }: Socket): Peer {
  // A client may be gone before it is asked for.
  if (remoteAddress === undefined || remotePort === undefined) return { peer: 'unknown' }
  return { peer: peerAddress(remoteAddress, remotePort) }
}

/** A subject with several names could pass for any of them, so it has none. */
function commonName({ subject }: PeerCertificate): Peer {
  const name: unknown = subject.CN
  return typeof name === 'string' ? { peer_cn: name } : {}
}

async function bind(server: Server, text: string, address: ListenAddress): Promise<void> {
  if (address.kind === 'unix') await claimSocketPath(text, address.path)
  const where =
    address.kind === 'unix' ? { path: address.path } : { host: address.host, port: address.port }
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error) => reject(cannotListen(text, error))
    server.once('error', failed)
    server.listen(where, () => {
      server.off('error', failed)
      resolve()
    })
  })
  if (address.kind === 'unix') await restrictSocket(address.path)
}

function listener(
  server: Server,
  sockets: ReadonlySet<Socket>,
  connections: ReadonlySet<Connection>,
): Listener {
  let closed: Promise<void> | undefined
  const stop = () => {
    if (closed) return
    closed = new Promise((resolve) => server.close(() => resolve()))
    for (const connection of connections) connection.stop()
    for (const socket of sockets) socket.destroy()
  }
  return {
    stop,
    async close() {
      stop()
      await closed
    },
  }
}
