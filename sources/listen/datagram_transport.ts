/** Listens for syslog datagrams: each is one message. Not a component. */
import { createSocket } from 'node:dgram'
import { cannotListen } from '../../bus/unix_socket.ts'
import type { Context } from '../../engine/index.ts'
import { type ListenAddress, peerAddress } from '../../protocols/listen_address.ts'
import { wholeCharactersEnd } from '../../protocols/utf8_text.ts'
import type { Arrivals } from './arrivals.ts'
import type { Listener } from './listener.ts'

/** UDP cannot be held back, so the kernel is asked to keep what comes in a burst. bytes */
const RECEIVE_BUFFER = 4 * 1024 * 1024
const NUL = 0
const LF = 10
const CR = 13

/**
 * @param text the address as it stands in the pipeline file
 * @throws {UnavailableError} `LISTEN` where the address cannot be bound
 * @see RFC 5426 section 3.1
 */
export async function listenDatagrams(
  text: string,
  address: ListenAddress & { kind: 'udp' },
  options: { readonly max_line: number },
  arrivals: Arrivals,
  { count, log }: Context,
): Promise<Listener> {
  const type = address.host.includes(':') ? 'udp6' : 'udp4'
  const socket = createSocket({ type, recvBufferSize: RECEIVE_BUFFER })
  socket.on('message', (bytes, { address: host, port }) => {
    const end = messageEnd(bytes)
    if (end === 0) return
    if (arrivals.full) {
      count('udp_dropped')
      return
    }
    const truncated = end > options.max_line
    const kept = truncated ? wholeCharactersEnd(bytes, options.max_line) : end
    arrivals.push(
      { text: bytes.toString('utf8', 0, kept), truncated },
      { peer: peerAddress(host, port) },
    )
  })
  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error) => {
      socket.close()
      reject(cannotListen(text, error))
    }
    socket.once('error', failed)
    socket.bind(address.port, address.host, () => {
      socket.off('error', failed)
      resolve()
    })
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    count('receive_error')
    log.warn({ address: text, reason: error.code ?? 'unknown' }, 'a datagram was not received')
  })
  log.info({ address: text, port: socket.address().port }, 'listening')
  let closed: Promise<void> | undefined
  const stop = () => {
    closed ??= new Promise((resolve) => socket.close(() => resolve()))
  }
  return {
    stop,
    async close() {
      stop()
      await closed
    },
  }
}

/** Without the line end and the NUL that some senders add. */
function messageEnd(bytes: Buffer): number {
  let end = bytes.length
  while (end > 0) {
    const last = bytes[end - 1]
    if (last !== NUL && last !== LF && last !== CR) break
    end -= 1
  }
  return end
}
