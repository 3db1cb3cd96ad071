/** The answer to a request for a stream: its head, and then bytes for as long as it lasts. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Follower, Outlet } from '../../bus/stream/hub.ts'
import { ApiError } from './api_error.ts'
import { accountOf } from './auth/gate.ts'
import type { StreamSlots } from './stream_slots.ts'

/**
 * Takes a slot, sends the head, and lets `follow` write.
 * @throws {ApiError} 429 where the user has too many, before anything is sent
 */
export function openEventStream(
  request: FastifyRequest,
  reply: FastifyReply,
  slots: StreamSlots,
  follow: (outlet: Outlet) => Follower,
): FastifyReply {
  const { raw } = reply
  const release = slots.take(accountOf(request), () => raw.end())
  if (!release) {
    throw new ApiError(429, `SSE connection limit (${slots.perUser}) reached`)
  }
  reply.hijack()
  for (const [name, value] of Object.entries(reply.getHeaders())) {
    if (value !== undefined) raw.setHeader(name, value)
  }
  // Without chunks each frame is one write of bytes that all clients share; the end of the stream is
  // the end of the connection (RFC 9112 section 6.3).
  raw.removeHeader('transfer-encoding')
  raw.shouldKeepAlive = false
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  })
  let follower: Follower | undefined
  let closed = false
  raw.on('drain', () => follower?.drained())
  // A client that has gone is no error of ours.
  raw.on('error', () => raw.destroy())
  raw.once('close', () => {
    closed = true
    release()
    follower?.leave()
  })
  follower = follow({
    write: (bytes) => !closed && raw.write(bytes),
    end: () => void raw.end(),
  })
  if (raw.destroyed) raw.emit('close')
  return reply
}
