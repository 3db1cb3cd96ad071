/** How the pipelines of this host are wired, and what they do. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { cached } from '../cached.ts'
import { addRoute } from '../route.ts'
import { pipeline } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

/** All who watch share one look at the running pipelines, ms. */
const LOOK_LASTS = 1000

export function pipelineRoutes(app: FastifyInstance, { pipelines, clock }: ApiServices): void {
  const current = cached(clock, LOOK_LASTS, pipelines)
  addRoute(app, {
    method: 'GET',
    path: '/pipelines',
    gate: 'viewer',
    tag: 'pipelines',
    summary: 'Nodes and edges of each pipeline, with live counters where it runs',
    answers: { 200: Type.Object({ pipelines: Type.Array(pipeline) }) },
    handle: async () => ({ pipelines: await current() }),
  })
}
