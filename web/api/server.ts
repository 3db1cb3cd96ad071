/** The API: its routes behind their gates, with headers, errors and documents around them. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import cors from '@fastify/cors'
import fastifyStatic from '@fastify/static'
import fastify, { type FastifyInstance } from 'fastify'
import { Announcer } from './announcer.ts'
import { answerErrors } from './answer_errors.ts'
import { Accounts } from './auth/accounts.ts'
import { guard } from './auth/gate.ts'
import { Tickets } from './auth/tickets.ts'
import { Tokens } from './auth/tokens.ts'
import { describeRoutes, showDocuments } from './documents.ts'
import { LogFeed } from './log_feed.ts'
import { ReplayDesk } from './replays/desk.ts'
import { requestShape } from './request_shape.ts'
import { attackerRoutes } from './routes/attackers.ts'
import { authRoutes } from './routes/auth.ts'
import { credentialRoutes } from './routes/credentials.ts'
import { explanationRoutes } from './routes/explanations.ts'
import { healthRoute } from './routes/health.ts'
import { campaignRoutes, identityRoutes } from './routes/identities.ts'
import { logStreamRoute } from './routes/log_stream.ts'
import { logRoutes } from './routes/logs.ts'
import { orchestratorRoutes } from './routes/orchestrator.ts'
import { pipelineRoutes } from './routes/pipelines.ts'
import { replayRoutes } from './routes/replays.ts'
import { streamRoutes } from './routes/streams.ts'
import { userRoutes } from './routes/users.ts'
import { webhookRoutes } from './routes/webhooks.ts'
import { workerRoutes } from './routes/workers.ts'
import { secureHeaders } from './security_headers.ts'
import type { ApiServices } from './services.ts'
import { StreamSlots } from './stream_slots.ts'
import { WorkerPanel } from './worker_panel.ts'

/** Bytes of a body: the largest form has a few hundred. */
const BODY_LIMIT = 65_536
/** How long a request may take to come in, ms; streams have come in by then. */
const REQUEST_TIMEOUT = 10_000
/** Between two looks for requests that take longer, ms. */
const REQUESTS_LOOKED_AT = 2000
/**
 * Of a connection that has said nothing for so long the kernel asks whether anybody is there, ms; after
 * ten questions, a second apart, nobody is. All that is before the next comment of a stream, which is
 * never confirmed either, and behind which nothing is asked for a quarter of an hour.
 */
const PROBED_AFTER = 4000
/** A client that takes nothing of what waits for it for so long has gone, ms: TCP gives up then, too. */
const STALLED_AFTER = 15 * 60_000
/** Characters of one parameter of a path. */
const MAX_PARAM_LENGTH = 100

/** Nothing listens before `listen` is called; `close` ends streams and whatever was begun. */
export async function buildApi(services: ApiServices): Promise<FastifyInstance> {
  const { database, bus, clock, log, settings, pipelineNames } = services
  const app = fastify({
    logger: false,
    bodyLimit: BODY_LIMIT,
    requestTimeout: REQUEST_TIMEOUT,
    connectionTimeout: STALLED_AFTER,
    http: {
      connectionsCheckingInterval: REQUESTS_LOOKED_AT,
      keepAlive: true,
      keepAliveInitialDelay: PROBED_AFTER,
    },
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    trustProxy: settings.trustedProxies.length > 0 && [...settings.trustedProxies],
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
  })
  app.setValidatorCompiler(requestShape)
  // What a route gives is what the store has made; tests hold it against the schemas.
  app.setSerializerCompiler(() => (answer) => JSON.stringify(answer))
  answerErrors(app, log, settings.developer)
  onlyJson(app)
  secureHeaders(app)
  await app.register(cors, {
    origin: [...settings.corsOrigins],
    methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
    allowedHeaders: ['Authorization', 'Content-Type', 'Last-Event-ID'],
    credentials: false,
    strictPreflight: false,
  })
  const tokens = new Tokens(settings.jwtSecret, settings.tokenMinutes, clock)
  const accounts = new Accounts(database, tokens, clock)
  await accounts.load()
  const tickets = new Tickets(accounts, clock)
  guard(app, accounts, tickets)
  await describeRoutes(app, settings.version)

  const slots = new StreamSlots(accounts, clock, settings.streamsPerUser)
  const feed = new LogFeed(database, clock, log)
  const announcer = new Announcer(bus, clock, log)
  const panel = new WorkerPanel({ bus, clock, log, pipelineNames })
  const desk = new ReplayDesk(services.replays)
  app.addHook('preClose', async () => {
    slots.close()
    feed.close()
    await panel.close()
    await desk.close()
    await announcer.close()
  })
  authRoutes(app, services, { tokens, accounts, tickets })
  userRoutes(app, services, accounts)
  identityRoutes(app, services)
  campaignRoutes(app, services)
  attackerRoutes(app, services)
  credentialRoutes(app, services)
  logRoutes(app, services)
  workerRoutes(app, services, panel)
  healthRoute(app, services, panel)
  orchestratorRoutes(app, services)
  pipelineRoutes(app, services)
  explanationRoutes(app, services)
  webhookRoutes(app, services, announcer)
  replayRoutes(app, desk)
  streamRoutes(app, services, slots)
  logStreamRoute(app, feed, slots)
  await showDocuments(app)
  const isShown = settings.dashboard !== undefined && (await showDashboard(app, settings.dashboard))
  answerNotFound(app, isShown)
  await app.ready()
  return app
}

/** Of bodies only JSON is read; none at all is none, whatever its type is said to be. */
function onlyJson(app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string' },
    (request, body, done) => (body === '' ? done(null, undefined) : parse(request, body, done)),
  )
}

/** @returns false where it was not built */
async function showDashboard(app: FastifyInstance, root: string): Promise<boolean> {
  if (!existsSync(join(root, 'index.html'))) return false
  await app.register(fastifyStatic, { root, wildcard: false, index: ['index.html'] })
  return true
}

/** Pages of the dashboard have paths of their own, which all begin at the same file. */
function answerNotFound(app: FastifyInstance, hasDashboard: boolean): void {
  app.setNotFoundHandler((request, reply) => {
    const isPage = request.method === 'GET' && !request.url.startsWith('/api/')
    // A file that is not there is not a page.
    const isFile = /\.[A-Za-z0-9]{1,8}(?:\?|$)/.test(request.url)
    if (hasDashboard && isPage && !isFile) return reply.sendFile('index.html')
    return reply.code(404).send({ detail: 'Not found' })
  })
}
