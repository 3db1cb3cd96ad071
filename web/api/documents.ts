/** The OpenAPI document, and pages to read it by; all files are ours and none runs inline script. */
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance } from 'fastify'
import { API_PREFIX } from './route.ts'

const DOCS = `${API_PREFIX}/docs`

/** To be called before the routes are added. */
export async function describeRoutes(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'DECNET',
        version,
        description:
          'What attackers do to the deckies, read only, and the workers that watch them.',
      },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          ticket: { type: 'apiKey', in: 'query', name: 'ticket' },
          token: { type: 'apiKey', in: 'query', name: 'token' },
        },
      },
    },
  })
}

/** To be called after the routes are added. */
export async function showDocuments(app: FastifyInstance): Promise<void> {
  app.route({
    method: 'GET',
    url: `${API_PREFIX}/openapi.json`,
    config: { gate: 'public' },
    schema: { hide: true },
    handler: () => app.swagger(),
  })
  await app.register(swaggerUi, { routePrefix: DOCS, uiConfig: { validatorUrl: null } as never })
}

/** Whether a route is one of the pages, which say nothing of an installation. */
export const isDocument = (url: string): boolean => url === DOCS || url.startsWith(`${DOCS}/`)
