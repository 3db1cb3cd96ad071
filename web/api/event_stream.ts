/** The answer to a request for a stream: its head, and then bytes for as long as it lasts. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Follower, Outlet } from '../../bus/stream/hub.ts'
import { pause } from '../../engine/index.ts'
import { ApiError } from './api_error.ts'
import { accountOf } from './auth/gate.ts'
import type { StreamSlots } from './stream_slots.ts'

/** Between the end of a stream and that of its connection, where the rest is not taken, ms. */
const GRACE = 2000

/**
 * Takes a slot, sends the head, and lets `follow` write.
 * @throws {ApiError} 429 where the user has too many, 400 where another answer comes first on the
 *   same connection, before anything is sent
 */
export function openEventStream(
  request: FastifyRequest,
  reply: FastifyReply,
  slots: StreamSlots,
  follow: (outlet: Outlet) => Follower,
): FastifyReply {
  const { raw } = reply
  const { socket } = raw
  // The connection is not ours yet: a client has asked for several things at once.
  if (socket === null) throw new ApiError(400, 'A stream cannot wait for another answer')
  const end = () => {
    if (raw.writableEnded) return
    raw.end()
    const closed = new AbortController()
    raw.once('close', () => closed.abort())
    void pause(GRACE, closed.signal).then(() => socket.destroy())
  }
  const release = slots.take(accountOf(request), end)
  if (!release) {
    throw new ApiError(429, `SSE connection limit (${slots.perUser}) reached`)
  }
  let follower: Follower | undefined
  const gone = () => {
    release()
    follower?.leave()
  }
  socket.on('drain', () => follower?.drained())
  raw.once('close', gone)
  reply.hijack()
  sendHead(reply)
  // Past the response each frame is one write of bytes that all clients share.
  follower = follow({
    write: (bytes) => !raw.writableEnded && socket.writable && socket.write(bytes),
    end,
  })
  if (socket.destroyed) gone()
  return reply
}

function sendHead(reply: FastifyReply): void {
  const { raw } = reply
  const headers = Object.entries(reply.getHeaders()).filter(([, value]) => value !== undefined)
  // No chunks: the end of the stream is the end of the connection (RFC 9112 section 6.3).
  raw.removeHeader('transfer-encoding')
  raw.shouldKeepAlive = false
  // At once, not one by one: then no table of them stays for as long as the stream.
  raw.writeHead(200, {
    ...Object.fromEntries(headers),
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  })
  raw.flushHeaders()
}
