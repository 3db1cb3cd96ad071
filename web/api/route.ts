/** A route: what it takes and gives, who may ask, and what it does. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Static, TObject, TSchema } from 'typebox'
import { Type } from 'typebox'
import type { Gate } from './auth/gate.ts'
import { problem } from './schemas.ts'

interface Asked<P extends TObject, Q extends TObject, B extends TObject> {
  readonly params: Static<P>
  readonly query: Static<Q>
  readonly body: Static<B>
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

export interface Route<P extends TObject, Q extends TObject, B extends TObject> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** behind /api/v1 */
  readonly path: string
  readonly gate: Gate
  readonly tag: string
  readonly summary: string
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** by status */
  readonly answers: Readonly<Record<number, TSchema>>
  /** statuses with a problem, beside those that its gate and its shape bring along */
  readonly problems?: readonly number[]
  handle(asked: Asked<P, Q, B>): unknown
}

export const API_PREFIX = '/api/v1'

const WORDS: Readonly<Record<number, string>> = {
  400: 'what is asked for has not the form that is wanted',
  401: 'no token, or one that is worth nothing',
  403: 'not for this role, or the password must be changed first',
  404: 'there is no such thing',
  409: 'the state of things forbids it',
  415: 'not JSON',
  422: 'a value is out of range',
  429: 'too often',
  502: 'systemd has refused',
  503: 'something that is needed is away',
}

const nothing = Type.Object({})

export function addRoute<
  P extends TObject = typeof nothing,
  Q extends TObject = typeof nothing,
  B extends TObject = typeof nothing,
>(app: FastifyInstance, route: Route<P, Q, B>): void {
  const { method, path, gate, tag, summary, params, query, body, answers, handle } = route
  const problems = new Set([
    ...(gate === 'public' ? [] : [401]),
    ...(gate === 'public' || gate === 'account' ? [] : [403]),
    ...(params === undefined && query === undefined && body === undefined ? [] : [422]),
    ...(body === undefined ? [] : [400]),
    ...(method === 'GET' || method === 'DELETE' ? [] : [415]),
    ...(route.problems ?? []),
    503,
  ])
  const response = Object.fromEntries([
    ...Object.entries(answers),
    ...[...problems]
      .filter((status) => !(status in answers))
      .map((status) => [status, { description: WORDS[status], ...problem }]),
  ])
  app.route({
    method,
    url: `${API_PREFIX}${path}`,
    config: { gate },
    schema: {
      tags: [tag],
      summary,
      ...(gate === 'public' ? {} : { security: securityOf(gate) }),
      ...(params && { params }),
      ...(query && { querystring: query }),
      ...(body && { body }),
      response,
    },
    handler: (request, reply) =>
      handle({
        params: request.params as Static<P>,
        query: request.query as Static<Q>,
        body: request.body as Static<B>,
        request,
        reply,
      }),
  })
}

const securityOf = (gate: Gate) =>
  gate === 'stream' ? [{ bearer: [] }, { ticket: [] }, { token: [] }] : [{ bearer: [] }]
