/** Captures that are replayed, what was said at which moment, and where two replays differ. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Findings } from '../../../store/findings.ts'
import { ApiError, notFound } from '../api_error.ts'
import { accountOf } from '../auth/gate.ts'
import * as shapes from '../replay_schemas.ts'
import type { ReplayDesk } from '../replays/desk.ts'
import { changesOf, shownDiff, shownWay } from '../replays/run_diff.ts'
import { eventsOf, withIndex } from '../replays/run_events.ts'
import type { RunRecord } from '../replays/run_record.ts'
import { addRoute } from '../route.ts'
import { listOf, message } from '../schemas.ts'

const iso = (ms: number): string => new Date(ms).toISOString()

const shown = (run: RunRecord) => ({
  id: run.id,
  capture: run.capture,
  capture_kind: run.capture_kind,
  capture_bytes: run.capture_bytes,
  pipelines: run.pipelines,
  started_by: run.started_by,
  started_at: iso(run.started),
  finished_at: run.finished === null ? null : iso(run.finished),
  state: run.state,
  message: run.message,
  read: run.read,
  progress: run.progress,
  wall_seconds: run.wall_seconds,
  size_bytes: run.bytes,
  span: run.span,
})

/** What was removed while it was read is as one that was never there. */
async function ifThere<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'SQLITE_CANTOPEN') throw notFound('Replay')
    throw error
  }
}

export function replayRoutes(app: FastifyInstance, desk: ReplayDesk): void {
  const shared = { gate: 'viewer', tag: 'replays' } as const
  addRoute(app, {
    ...shared,
    method: 'GET',
    path: '/replays/captures',
    summary: 'What can be replayed: the files of one folder, and the sample',
    answers: { 200: shapes.captures },
    async handle() {
      const captures = await desk.captures.list()
      return {
        folder: desk.captures.folder,
        captures: captures.map(({ name, kind, bytes, modified, isSample, pipelines }) => ({
          ...{ name, kind, size_bytes: bytes, modified_at: iso(Math.floor(modified)) },
          ...{ sample: isSample, pipelines },
        })),
      }
    },
  })
  addRoute(app, {
    ...shared,
    method: 'GET',
    path: '/replays',
    summary: 'Replays that are kept, the newest first',
    answers: { 200: shapes.replays },
    async handle() {
      const runs = await desk.list()
      return { kept: desk.kept, total: runs.length, data: runs.map(shown) }
    },
  })
  addRoute(app, {
    ...shared,
    method: 'POST',
    path: '/replays',
    gate: 'admin',
    summary: 'Starts a replay of a capture; one runs at a time',
    body: shapes.newReplay,
    answers: { 202: shapes.replay },
    problems: [404, 409],
    async handle({ body, request, reply }) {
      const by = accountOf(request).user.username
      const run = await desk.start(body.capture, body.pipelines, by)
      reply.code(202)
      return shown(run)
    },
  })
  addRoute(app, {
    ...shared,
    method: 'GET',
    path: '/replays/:id',
    summary: 'One replay: how far it is, what passed each edge',
    params: shapes.replayParams,
    answers: { 200: shapes.replayDetail },
    problems: [404],
    async handle({ params }) {
      const run = await desk.get(params.id)
      const edges = run.edges.map(({ pipeline, from, to, sent }) => ({
        ...{ pipeline, from, to, count: sent },
      }))
      return { ...shown(run), edges }
    },
  })
  addRoute(app, {
    ...shared,
    method: 'POST',
    path: '/replays/:id/cancel',
    gate: 'admin',
    summary: 'Ends a replay that runs; nothing of what it wrote is kept',
    params: shapes.replayParams,
    answers: { 200: message },
    problems: [404, 409],
    async handle({ params }) {
      await desk.cancel(params.id)
      return { message: 'Replay cancelled' }
    },
  })
  addRoute(app, {
    ...shared,
    method: 'DELETE',
    path: '/replays/:id',
    gate: 'admin',
    summary: 'Removes a replay that does not run',
    params: shapes.replayParams,
    answers: { 200: message },
    problems: [404, 409],
    async handle({ params }) {
      await desk.remove(params.id)
      return { message: 'Replay deleted' }
    },
  })
  finishedRoutes(app, desk)
  comparedRoutes(app, desk)
}

/** What a replay that has come to its end has to say. */
function finishedRoutes(app: FastifyInstance, desk: ReplayDesk): void {
  const shared = { method: 'GET', gate: 'viewer', tag: 'replays', problems: [404, 409] } as const
  addRoute(app, {
    ...shared,
    path: '/replays/:id/timeline',
    summary: 'How many events passed where, over time',
    params: shapes.replayParams,
    answers: { 200: shapes.timeline },
    async handle({ params }) {
      const dir = await desk.finished(params.id)
      return ifThere(() => withIndex(dir, (index) => index.timeline()))
    },
  })
  addRoute(app, {
    ...shared,
    path: '/replays/:id/events',
    summary: 'Events that passed one place in a stretch of time',
    params: shapes.replayParams,
    query: shapes.eventsQuery,
    answers: { 200: listOf(shapes.replayEvent) },
    async handle({ params, query }) {
      const dir = await desk.finished(params.id)
      const { place, from, until, order, limit, offset } = query
      const window = { place, from, until, limit, offset, newestFirst: order === 'newest' }
      return ifThere(() => eventsOf(dir, window))
    },
  })
  addRoute(app, {
    ...shared,
    path: '/replays/:id/findings',
    summary: 'What the rows that it wrote say was found',
    params: shapes.replayParams,
    answers: { 200: shapes.findings },
    async handle({ params }) {
      const dir = await desk.finished(params.id)
      const text = await ifThere(() => readFile(join(dir, 'findings.json'), 'utf8'))
      return JSON.parse(text) as Findings
    },
  })
}

/** An id of the engine's making, or of a source's own; never an option of a command. */
const EVENT_ID = /^[0-9A-Za-z][0-9A-Za-z:._-]*$/

/** What takes a process of its own to be told. */
function comparedRoutes(app: FastifyInstance, desk: ReplayDesk): void {
  const problems = [404, 409, 429]
  const shared = { method: 'GET', gate: 'viewer', tag: 'replays', problems } as const
  addRoute(app, {
    ...shared,
    path: '/replays/:id/diff/:other',
    summary: 'Whether two replays are the same, and where they first part',
    params: shapes.diffParams,
    answers: { 200: shapes.diff },
    handle: async ({ params }) => shownDiff(await desk.diff(params.id, params.other)),
  })
  addRoute(app, {
    ...shared,
    path: '/replays/:id/diff/:other/events',
    summary: 'Events of one sink that are not the same in both',
    params: shapes.diffParams,
    query: shapes.changesQuery,
    answers: { 200: shapes.changes },
    async handle({ params, query }) {
      return changesOf(await desk.diff(params.id, params.other), query)
    },
  })
  addRoute(app, {
    ...shared,
    path: '/replays/:id/events/:event/way',
    summary: 'The way of one event: every node that it passed, and what came of it',
    params: shapes.wayParams,
    answers: { 200: shapes.way },
    async handle({ params }) {
      if (!EVENT_ID.test(params.event)) throw new ApiError(404, 'Event not found')
      return shownWay(await desk.explain(params.id, params.event))
    },
  })
}
