/** Whether this installation is well. */
import type { FastifyInstance } from 'fastify'
import { cached } from '../cached.ts'
import { addRoute } from '../route.ts'
import { health } from '../schemas.ts'
import type { ApiServices } from '../services.ts'
import type { WorkerPanel } from '../worker_panel.ts'

const DATABASE_LASTS = 1000
const DOCKER_LASTS = 5000
const UNITS_LAST = 5000
/** So long after the start a worker may only not have been asked for its beat yet, ms: three beats. */
const SETTLING = 90_000

const INGESTER = 'ingest'

interface Component {
  readonly status: 'ok' | 'failing'
  readonly detail: string
  /** whether nothing works without it */
  readonly isCritical?: true
}
const ok = (detail = ''): Component => ({ status: 'ok', detail })
const failing = (detail: string): Component => ({ status: 'failing', detail })
const down = (detail: string): Component => ({ ...failing(detail), isCritical: true })

/** @see spec/api-and-sse.md section 3.4 */
export function healthRoute(
  app: FastifyInstance,
  { database, streams, streamRoutes, units, docker, clock }: ApiServices,
  panel: WorkerPanel,
): void {
  const since = clock.now()
  const checkDatabase = cached(clock, DATABASE_LASTS, async () => {
    await database.select('select 1 as one')
    return ok()
  })
  const checkDocker = cached(clock, DOCKER_LASTS, async () => {
    const { state, detail } = await docker()
    return state === 'failing' ? down(detail) : ok(detail)
  })
  const isRunning = cached(clock, UNITS_LAST, () => units.isActive(INGESTER))
  const installed = cached(clock, UNITS_LAST, () => units.installed())

  async function checkIngester(): Promise<Component> {
    const { status } = panel.rows().find(({ name }) => name === INGESTER) ?? {}
    if (status === 'ok') return ok()
    // Without the bus nobody is heard, and work goes on all the same.
    if (!panel.busConnected && (await isRunning())) return ok('as systemd says: the bus is away')
    if (status === 'stale') return down('the ingester has gone silent')
    const isSettled = clock.now() - since >= SETTLING
    const isOurs = isSettled && (await installed()).has(INGESTER)
    return (isOurs ? down : failing)('the ingester is not heard')
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
      const checked: Record<string, Component> = {
        database: await checkDatabase().catch((error: unknown) => {
          if (!(error instanceof Error)) throw error
          return down('the database does not answer')
        }),
        docker: await checkDocker(),
        ingestion_worker: await checkIngester(),
        bus: panel.busConnected ? ok() : failing('the bus is away'),
        streams: notServed.length === 0 ? ok() : failing('not all streams are served'),
      }
      const all = Object.values(checked)
      const isDown = all.some(({ isCritical }) => isCritical)
      const isWell = all.every(({ status }) => status === 'ok')
      if (isDown) reply.code(503)
      const components = Object.fromEntries(
        Object.entries(checked).map(([name, { status, detail }]) => [name, { status, detail }]),
      )
      return { status: isDown ? 'unhealthy' : isWell ? 'healthy' : 'degraded', components }
    },
  })
}
