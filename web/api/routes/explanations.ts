/** Why something is said to be so: the evidence behind a conclusion, computed anew. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { EngineError } from '../../../engine/index.ts'
import { explain } from '../../../store/explain/explain.ts'
import { ApiError, notFound } from '../api_error.ts'
import { addRoute } from '../route.ts'
import { explanation, idParams, uuidParams } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

const SUBJECTS = [
  ['attackers', 'attacker', 'Attacker'],
  ['identities', 'identity', 'Identity'],
  ['campaigns', 'campaign', 'Campaign'],
  ['credential-reuse', 'reuse', 'credential_reuse'],
] as const

/** Log records that are read for one: they are read and weighed while streams wait. */
const RECORDS = 10_000
/** Those who wait for their turn beyond this are sent away. */
const MOST_WAITING = 8

export function explanationRoutes(app: FastifyInstance, { database }: ApiServices): void {
  let waiting = 0
  let last: Promise<unknown> = Promise.resolve()
  // One at a time: each holds what it reads in memory.
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    if (waiting >= MOST_WAITING) throw new ApiError(429, 'Too many explanations at once')
    waiting += 1
    const mine = last.then(work).finally(() => {
      waiting -= 1
    })
    last = mine.then(
      () => undefined,
      () => undefined,
    )
    return mine
  }
  for (const [path, subject, name] of SUBJECTS) {
    addRoute(app, {
      method: 'GET',
      path: `/${path}/:${subject === 'reuse' ? 'id' : 'uuid'}/explanation`,
      gate: 'viewer',
      tag: 'explanations',
      summary: 'The evidence behind a conclusion, and the ids of the records it is from',
      params: subject === 'reuse' ? idParams : uuidParams,
      query: Type.Object({
        limit: Type.Integer({
          default: 20,
          minimum: 1,
          maximum: 200,
          description: 'entries of each list',
        }),
      }),
      answers: { 200: explanation },
      problems: [404, 429],
      async handle({ params, query: { limit } }) {
        const which = Object.values(params as Record<string, string>)[0] ?? ''
        try {
          const bounds = { limit, records: RECORDS }
          return { version: 1, ...(await inTurn(() => explain(database, subject, which, bounds))) }
        } catch (error) {
          if (error instanceof EngineError && error.code.startsWith('EXPLAIN_'))
            throw notFound(name)
          throw error
        }
      },
    })
  }
}
