/** What the orchestrator does so that the deckies look alive. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { listOrchestratorEvents } from '../../../store/read/orchestrator_events.ts'
import { addRoute } from '../route.ts'
import { listOf, orchestratorEvent, pageQuery } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

export function orchestratorRoutes(app: FastifyInstance, { database }: ApiServices): void {
  addRoute(app, {
    method: 'GET',
    path: '/orchestrator/events',
    gate: 'viewer',
    tag: 'orchestrator',
    summary: 'Synthetic traffic between deckies and files on them, newest first',
    query: Type.Object({
      ...pageQuery,
      kind: Type.Optional(Type.Enum(['traffic', 'file'], { description: 'only these' })),
    }),
    answers: { 200: listOf(orchestratorEvent) },
    async handle({ query: { limit, offset, kind } }) {
      const page = { limit, offset }
      return { ...page, ...(await listOrchestratorEvents(database, kind, page)) }
    },
  })
}
