/** The workers panel, and whether this installation is well. */
import type { FastifyInstance } from 'fastify'
import { ApiError } from '../api_error.ts'
import { accountOf } from '../auth/gate.ts'
import { cached } from '../cached.ts'
import { addRoute } from '../route.ts'
import { health, nameParams, startedWorkers, workerAction, workers } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import type { WorkerPanel } from '../worker_panel.ts'

/** What units there are is asked so often, ms. */
const UNITS_LAST = 30_000
const CHECK_LASTS = 1000

/** It listens to nobody on the bus: it is the bus. */
const NOT_BY_BUS = new Set(['bus'])

export function workerRoutes(
  app: FastifyInstance,
  { units, clock }: ApiServices,
  panel: WorkerPanel,
): void {
  const installed = cached(clock, UNITS_LAST, () => units.installed())
  const known = (name: string): string => {
    // Only names of ours are shown again, and only they become the name of a unit.
    if (!panel.names.includes(name)) throw new ApiError(404, 'Unknown worker')
    return name
  }
  addRoute(app, {
    method: 'GET',
    path: '/workers',
    gate: 'viewer',
    tag: 'workers',
    summary: 'Which workers are well, as their heartbeats say',
    answers: { 200: workers },
    async handle() {
      const units = await installed()
      return {
        workers: panel.rows().map((row) => ({ ...row, installed: units.has(row.name) })),
        generated_at: clock.now() / 1000,
        bus_connected: panel.busConnected,
      }
    },
  })
  addRoute(app, {
    method: 'POST',
    path: '/workers/:name/stop',
    gate: 'admin',
    tag: 'workers',
    summary: 'Tells a worker to stop, over the bus',
    params: nameParams,
    answers: { 202: workerAction },
    problems: [404, 409],
    async handle({ params, request, reply }) {
      const worker = known(params.name)
      if (NOT_BY_BUS.has(worker)) throw new ApiError(409, `${worker} cannot be stopped by the bus`)
      await panel.stop(worker, accountOf(request).user.username)
      reply.code(202)
      return { accepted: true, worker, action: 'stop' }
    },
  })
  addRoute(app, {
    method: 'POST',
    path: '/workers/:name/start',
    gate: 'admin',
    tag: 'workers',
    summary: 'Starts the unit of a worker',
    params: nameParams,
    answers: { 202: workerAction },
    problems: [404, 502],
    async handle({ params, reply }) {
      const worker = known(params.name)
      if (!(await installed()).has(worker)) {
        throw new ApiError(503, `unit file not installed: decnet-${worker}.service`)
      }
      const reason = await units.start(worker)
      if (reason !== undefined) throw new ApiError(502, reason)
      reply.code(202)
      return { accepted: true, worker, action: 'start' }
    },
  })
  addRoute(app, {
    method: 'POST',
    path: '/workers/start-all',
    gate: 'admin',
    tag: 'workers',
    summary: 'Starts every unit that there is and that does not run, one after the other',
    answers: { 200: startedWorkers },
    async handle() {
      const there = await installed()
      const started: string[] = []
      const already_running: string[] = []
      const failed: { name: string; reason: string }[] = []
      for (const name of panel.startOrder) {
        if (!there.has(name)) continue
        if (await units.isActive(name)) already_running.push(name)
        else {
          const reason = await units.start(name)
          if (reason === undefined) started.push(name)
          else failed.push({ name, reason })
        }
      }
      return { started, already_running, failed }
    },
  })
}

type Component = { readonly status: 'ok' | 'failing'; readonly detail: string }
const ok: Component = { status: 'ok', detail: '' }
const failing = (detail: string): Component => ({ status: 'failing', detail })

export function healthRoute(
  app: FastifyInstance,
  { database, streams, streamRoutes, clock }: ApiServices,
  panel: WorkerPanel,
): void {
  const checkDatabase = cached(clock, CHECK_LASTS, async () => {
    await database.select('select 1 as one')
    return ok
  })
  const workerHealth = (name: string, what: string): Component => {
    const row = panel.rows().find((one) => one.name === name)
    if (row?.status === 'ok') return ok
    return failing(row?.status === 'stale' ? `${what} has gone silent` : `${what} is not heard`)
  }
  addRoute(app, {
    method: 'GET',
    path: '/health',
    gate: 'viewer',
    tag: 'workers',
    summary: 'Whether this installation is well: 503 where it does not do its work',
    answers: { 200: health, 503: health },
    async handle({ reply }) {
      const notServed = streamRoutes.filter(({ path }) => !streams.find(path))
      const components: Record<string, Component> = {
        database: await checkDatabase().catch((error: unknown) => {
          if (!(error instanceof Error)) throw error
          return failing('the database does not answer')
        }),
        ingestion_worker: workerHealth('ingest', 'the ingester'),
        bus: panel.busConnected ? ok : failing('the bus is away'),
        streams: notServed.length === 0 ? ok : failing('not all streams are served'),
      }
      // One that was never heard may only not have been asked for yet; one that fell silent is lost.
      const ingest = panel.rows().find(({ name }) => name === 'ingest')
      const isDown = components.database !== ok || ingest?.status === 'stale'
      const isWell = Object.values(components).every(({ status }) => status === 'ok')
      if (isDown) reply.code(503)
      return { status: isDown ? 'unhealthy' : isWell ? 'healthy' : 'degraded', components }
    },
  })
}
