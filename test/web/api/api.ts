/** An API on a real database and the in-memory bus, with users and a clock that can be moved. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hashSync } from 'bcrypt'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import type { Bus } from '../../../bus/bus.ts'
import { memoryBus } from '../../../bus/memory_bus.ts'
import { StreamHub } from '../../../bus/stream/hub.ts'
import { StreamTable } from '../../../bus/stream/streams.ts'
import { webhookClient } from '../../../bus/webhook/client.ts'
import { webhookGuard } from '../../../bus/webhook/guard.ts'
import { replayHost } from '../../../cli/replays/replay_host.ts'
import { type EventClock, eventClock } from '../../../engine/clock.ts'
import { silentLog } from '../../../engine/context.ts'
import type { Logger } from '../../../engine/define.ts'
import { type Database, openDatabase } from '../../../store/database.ts'
import { readSnapshot, type SnapshotName } from '../../../store/read/snapshots.ts'
import { makeSecretBox } from '../../../store/secret_box.ts'
import { addUser, type Role } from '../../../store/users.ts'
import { Tokens } from '../../../web/api/auth/tokens.ts'
import type { DockerState } from '../../../web/api/docker_ping.ts'
import type { ReplayHost } from '../../../web/api/replays/host.ts'
import { buildApi } from '../../../web/api/server.ts'
import type { ApiSettings, PipelineView } from '../../../web/api/services.ts'
import type { UnitManager } from '../../../web/api/unit_manager.ts'

/** 2026-03-01T09:00:00Z */
export const NOW = 1_772_355_600_000
export const PASSWORD = 'correct horse battery'
export const SECRET = 'a secret of thirty-two characters or more'
const HASH = hashSync(PASSWORD, 4)

const SETTINGS: ApiSettings = {
  jwtSecret: SECRET,
  tokenMinutes: 240,
  corsOrigins: ['http://dashboard.example:8080'],
  streamsPerUser: 5,
  trustedProxies: [],
  developer: false,
  dashboard: undefined,
  version: '0.0.0',
}

export interface TestApi {
  readonly app: FastifyInstance
  readonly database: Database
  readonly bus: Bus
  readonly clock: EventClock
  readonly streams: StreamTable
  readonly hubs: Readonly<Record<'identities' | 'campaigns' | 'orchestrator', StreamHub>>
  /** of replays and captures, where none other is given */
  readonly folder: string
  /** of the user of that name */
  token(user: string): Promise<string>
  get(path: string, user?: string): Promise<LightMyRequestResponse>
  post(path: string, body?: object, user?: string): Promise<LightMyRequestResponse>
  listen(): Promise<string>
  close(): Promise<void>
}

export interface TestApiOptions {
  readonly url?: string
  readonly settings?: Partial<ApiSettings>
  readonly bus?: Bus
  readonly units?: UnitManager
  readonly docker?: () => Promise<DockerState>
  readonly log?: Logger
  readonly keepaliveAfter?: number
  readonly pipelines?: readonly PipelineView[]
  readonly pipelineNames?: readonly string[]
  /** whether webhooks may go to this host */
  readonly allowPrivate?: boolean
  /** what is not as it is on this host */
  readonly replays?: Partial<ReplayHost>
}

const USERS: readonly (readonly [string, Role, boolean])[] = [
  ['ada', 'admin', false],
  ['vic', 'viewer', false],
  ['zoe', 'viewer', false],
  ['new', 'viewer', true],
]

const noUnits: UnitManager = {
  installed: async () => new Set(),
  isActive: async () => false,
  start: async () => 'there is no unit',
}

export const userUuid = (name: string): string =>
  `00000000-0000-4000-8000-${name.padStart(12, '0')}`

export async function testApi(options: TestApiOptions = {}): Promise<TestApi> {
  const { keepaliveAfter, bus = memoryBus(), log = silentLog } = options
  const database = await openDatabase(options.url ?? 'sqlite::memory:')
  const clock = eventClock(NOW)
  const streams = new StreamTable()
  const hub = (snapshot: SnapshotName) =>
    new StreamHub({
      epoch: '0123456789abcdef',
      snapshot: () => readSnapshot(database, snapshot),
      maxFrames: 256,
      maxBytes: 2 ** 20,
      log,
      keepaliveAfter,
    })
  const hubs = {
    identities: hub('identities'),
    campaigns: hub('campaigns'),
    orchestrator: hub('orchestrator_events'),
  }
  streams.add('/identities/events', hubs.identities)
  streams.add('/campaigns/events', hubs.campaigns)
  streams.add('/orchestrator/events/stream', hubs.orchestrator)
  for (const [username, role, mustChangePassword] of USERS) {
    const uuid = userUuid(username)
    const user = {
      uuid,
      username,
      role,
      passwordHash: HASH,
      mustChangePassword,
      tokensValidFrom: 0,
    }
    await addUser(database, user, NOW * 1000)
  }
  const guard = webhookGuard({
    allowPrivate: options.allowPrivate ?? false,
    now: () => clock.now(),
    resolve: async (host) => (host.endsWith('.example') ? ['93.184.216.34'] : [host]),
  })
  const client = webhookClient({ guard, now: () => clock.now() })
  const folder = mkdtempSync(join(tmpdir(), 'decnet-replays-'))
  const settings = { ...SETTINGS, ...options.settings }
  const app = await buildApi({
    ...{ database, bus, streams, clock, log, settings },
    streamRoutes: [
      { path: '/identities/events', summary: 'identities' },
      { path: '/campaigns/events', summary: 'campaigns' },
      { path: '/orchestrator/events/stream', summary: 'orchestrator' },
    ],
    units: options.units ?? noUnits,
    docker: options.docker ?? (async () => ({ state: 'unused', detail: '' })),
    webhooks: { box: makeSecretBox('a key of the tests, of some length'), guard, client },
    pipelineNames: options.pipelineNames ?? [],
    pipelines: async () => options.pipelines ?? [],
    replays: { ...replayHost(process.env, folder, log), clock, ...options.replays },
  })
  const tokens = new Tokens(settings.jwtSecret, settings.tokenMinutes, clock)
  const token = (user: string) => tokens.issue(userUuid(user), 0)
  const headers = async (user: string | undefined) =>
    user === undefined ? {} : { authorization: `Bearer ${await token(user)}` }
  return {
    ...{ app, database, bus, clock, streams, folder, hubs, token },
    get: async (path, user) =>
      app.inject({ method: 'GET', url: `/api/v1${path}`, headers: await headers(user) }),
    post: async (path, body, user) =>
      app.inject({
        method: 'POST',
        url: `/api/v1${path}`,
        headers: await headers(user),
        ...(body !== undefined && { payload: body }),
      }),
    listen: () => app.listen({ host: '127.0.0.1', port: 0 }),
    async close() {
      for (const one of Object.values(hubs)) one.close()
      await app.close()
      await client.close()
      await bus.close()
      await database.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
