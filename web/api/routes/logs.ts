/** Logs, how they are spread over time, and figures over everything. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { countLogs, type LogFilter, listLogs, logHistogram } from '../../../store/read/logs.ts'
import { readOverview, readStats } from '../../../store/read/overview.ts'
import { readInstant } from '../../../store/read/page.ts'
import { RequestShapeError } from '../api_error.ts'
import { cached } from '../cached.ts'
import { addRoute } from '../route.ts'
import { bucket, filterText, listOf, log, overview, pageQuery, stats } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

/** Figures over whole tables are kept so long, ms. */
const FIGURES_LAST = 5000
/** How many there are is believed so long, ms. */
export const TOTAL_LASTS = 2000
const DEFAULT_MINUTES = 15

export const logFilterQuery = {
  search: filterText('words: `decky:web-01 service:ssh key:value text "more text"`', 512),
  start_time: filterText('from then on, ISO 8601', 40),
  end_time: filterText('until then, ISO 8601', 40),
}

/** @throws {RequestShapeError} 422 on a time that is none */
export function logFilter(query: {
  readonly search?: string
  readonly start_time?: string
  readonly end_time?: string
}): LogFilter {
  const instant = (name: 'start_time' | 'end_time'): number | undefined => {
    const { [name]: text } = query
    if (text === undefined) return undefined
    const micros = readInstant(text)
    if (micros === undefined) throw new RequestShapeError(422, [`/${name} date-time`])
    return micros
  }
  return { search: query.search, from: instant('start_time'), until: instant('end_time') }
}

const isUnfiltered = (filter: LogFilter): boolean =>
  Object.values(filter).every((value) => value === undefined)

export function logRoutes(app: FastifyInstance, { database, clock }: ApiServices): void {
  const shared = { method: 'GET', gate: 'viewer', tag: 'logs' } as const
  const total = cached(clock, TOTAL_LASTS, () => countLogs(database))
  addRoute(app, {
    ...shared,
    path: '/logs',
    summary: 'Logs, newest first',
    query: Type.Object({ ...pageQuery, ...logFilterQuery }),
    answers: { 200: listOf(log) },
    async handle({ query }) {
      const { limit, offset } = query
      const filter = logFilter(query)
      const known = isUnfiltered(filter) ? await total() : undefined
      return { limit, offset, ...(await listLogs(database, filter, { limit, offset }, known)) }
    },
  })
  const wholeHistogram = cached(clock, FIGURES_LAST, () =>
    logHistogram(database, {}, DEFAULT_MINUTES),
  )
  addRoute(app, {
    ...shared,
    path: '/logs/histogram',
    summary: 'How many logs there were, over time',
    query: Type.Object({
      ...logFilterQuery,
      interval_minutes: Type.Integer({
        default: DEFAULT_MINUTES,
        minimum: 1,
        maximum: 525_600,
        description: 'minutes of one bucket',
      }),
    }),
    answers: { 200: Type.Array(bucket) },
    handle({ query }) {
      const filter = logFilter(query)
      const { interval_minutes: minutes } = query
      if (isUnfiltered(filter) && minutes === DEFAULT_MINUTES) return wholeHistogram()
      return logHistogram(database, filter, minutes)
    },
  })
  const currentStats = cached(clock, FIGURES_LAST, () => readStats(database))
  addRoute(app, {
    ...shared,
    path: '/stats',
    summary: 'How much there is',
    answers: { 200: stats },
    handle: () => currentStats(),
  })
  const currentOverview = cached(clock, FIGURES_LAST, () =>
    readOverview(database, Math.round(clock.now() * 1000)),
  )
  addRoute(app, {
    ...shared,
    path: '/overview',
    summary: 'What the first page shows',
    answers: { 200: overview },
    handle: () => currentOverview(),
  })
}
