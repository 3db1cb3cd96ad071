/** The workers panel. */
import type { FastifyInstance } from 'fastify'
import { WORKER_NAME } from '../../../bus/worker/names.ts'
import { ApiError } from '../api_error.ts'
import { accountOf } from '../auth/gate.ts'
import { cached } from '../cached.ts'
import { addRoute } from '../route.ts'
import { nameParams, startedWorkers, workerAction, workers } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import type { WorkerPanel } from '../worker_panel.ts'

/** What units there are is asked so often, ms. */
const UNITS_LAST = 30_000

/** It listens to nobody on the bus: it is the bus. */
const NOT_BY_BUS = new Set(['bus'])

export function workerRoutes(
  app: FastifyInstance,
  { units, clock }: ApiServices,
  panel: WorkerPanel,
): void {
  const installed = cached(clock, UNITS_LAST, () => units.installed())
  const known = (name: string): string => {
    if (panel.names.includes(name)) return name
    // What could not be a name is not said again.
    const shown = WORKER_NAME.test(name) ? `: '${name}'` : ''
    throw new ApiError(404, `Unknown worker${shown}`)
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
