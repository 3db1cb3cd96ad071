/** From whatever was thrown to the answer that is sent: the one place that decides. */
import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { BusError } from '../../bus/bus_error.ts'
import { type Context, freshEpoch, UnavailableError } from '../../engine/index.ts'
import { ApiError, RequestShapeError } from './api_error.ts'

/** What Fastify itself refuses, in words of ours: its own repeat parts of the request. */
const REFUSED: Readonly<Record<number, string>> = {
  400: 'Bad request',
  404: 'Not found',
  405: 'Method not allowed',
  413: 'Request body is too large',
  414: 'Request path is too long',
  415: 'Unsupported media type: send application/json',
}

/** @param developer whether faults of a request are shown */
export function answerErrors(app: FastifyInstance, log: Context['log'], developer: boolean): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    if (error instanceof ApiError) return answer(reply, error, developer)
    if (error instanceof UnavailableError) {
      return reply.code(503).send({ detail: 'Database unavailable' })
    }
    if (error instanceof BusError && error.code === 'BUS_AWAY') {
      return reply.code(503).send({ detail: 'bus unavailable' })
    }
    const status = error.statusCode ?? 500
    if (status >= 400 && status < 500) {
      return reply.code(status).send({ detail: REFUSED[status] ?? 'Bad request' })
    }
    const error_id = freshEpoch() + freshEpoch()
    const route = request.routeOptions.url ?? 'unknown'
    log.error({ error_id, route, stack: String(error.stack ?? error) }, 'a request failed')
    return reply.code(500).send({ detail: 'Internal Server Error', error_id })
  })
}

function answer(reply: FastifyReply, error: ApiError, developer: boolean) {
  const faults = developer && error instanceof RequestShapeError ? { faults: error.faults } : {}
  return reply
    .code(error.status)
    .headers(error.headers)
    .send({ detail: error.message, ...faults })
}
