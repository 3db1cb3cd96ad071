/** The stream of the first pages: logs as they come in, and figures over them. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { openEventStream } from '../event_stream.ts'
import type { LogFeed } from '../log_feed.ts'
import { addRoute } from '../route.ts'
import type { StreamSlots } from '../stream_slots.ts'
import { logFilter, logFilterQuery } from './logs.ts'
import { eventStream, streamQuery } from './streams.ts'

export function logStreamRoute(app: FastifyInstance, feed: LogFeed, slots: StreamSlots): void {
  addRoute(app, {
    method: 'GET',
    path: '/stream',
    gate: 'stream',
    tag: 'streams',
    summary: 'Server-sent events, all of them `message`: {type: logs, stats or histogram, data}',
    query: Type.Object({
      ticket: streamQuery.ticket,
      token: streamQuery.token,
      ...logFilterQuery,
      lastEventId: Type.Integer({
        default: 0,
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'id of the last log that is known; 0: from now on',
      }),
    }),
    answers: { 200: eventStream },
    problems: [429],
    handle({ query, request, reply }) {
      const filter = logFilter(query)
      const header = request.headers['last-event-id']
      const isId = typeof header === 'string' && /^\d{1,15}$/.test(header)
      const last = isId ? Number(header) : query.lastEventId
      return openEventStream(request, reply, slots, (outlet) =>
        feed.follow(outlet, filter, last === 0 ? undefined : last),
      )
    },
  })
}
