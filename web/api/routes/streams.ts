/** Streams that pipelines serve: a snapshot, and then what the bus says. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { ApiError } from '../api_error.ts'
import { openEventStream } from '../event_stream.ts'
import { addRoute } from '../route.ts'
import { filterText } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import type { StreamSlots } from '../stream_slots.ts'

export const eventStream = Type.String({ description: 'text/event-stream' })

/** For pages that cannot set headers: an EventSource sends Last-Event-ID by itself. */
export const streamQuery = {
  ticket: filterText('of POST /auth/sse-ticket, in place of the Authorization header', 64),
  token: filterText('in place of the Authorization header; better: a ticket', 2048),
  last_event_id: filterText('in place of the Last-Event-ID header', 64),
}

export function streamRoutes(
  app: FastifyInstance,
  { streams, streamRoutes }: ApiServices,
  slots: StreamSlots,
): void {
  for (const { path, summary } of streamRoutes) {
    addRoute(app, {
      method: 'GET',
      path,
      gate: 'stream',
      tag: 'streams',
      summary: `Server-sent events: snapshot, then ${summary}; gap where events were missed`,
      query: Type.Object(streamQuery),
      answers: { 200: eventStream },
      problems: [429],
      handle({ query, request, reply }) {
        const hub = streams.find(path)
        if (!hub) throw new ApiError(503, 'the stream is not served now')
        const header = request.headers['last-event-id']
        const last = typeof header === 'string' && header !== '' ? header : query.last_event_id
        return openEventStream(request, reply, slots, (outlet) => hub.join(outlet, last))
      },
    })
  }
}
