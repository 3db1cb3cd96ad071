/** The API of this host: what it shows is handed in from here. */
import { busResource } from '../bus/bus.ts'
import { webhookClient } from '../bus/webhook/client.ts'
import { webhookGuard } from '../bus/webhook/guard.ts'
import { webhookSettings } from '../bus/webhook/settings.ts'
import { liveClock } from '../engine/clock.ts'
import type { ResourceUse } from '../engine/context.ts'
import type { Logger } from '../engine/define.ts'
import type { PlanNode } from '../engine/plan.ts'
import { database } from '../store/database.ts'
import { secretBox } from '../store/secret_box.ts'
import { makeFirstAdmin } from '../web/api/auth/first_admin.ts'
import { dockerPing } from '../web/api/docker_ping.ts'
import { type ServedApi, serveApi } from '../web/api/serve.ts'
import { systemctl, unitManager } from '../web/api/unit_manager.ts'
import { apiEnvironment } from './api_settings.ts'
import { allPipelines } from './pipeline_files.ts'
import { pipelineViews } from './pipeline_views.ts'
import { replayHost } from './replays/replay_host.ts'

interface ApiOptions {
  /** the sse sinks of the pipelines that run */
  readonly sinks: readonly PlanNode[]
  readonly use: ResourceUse
  readonly log: Logger
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stateDir: string
}

/**
 * @throws {EngineError} `SETTINGS`
 * @throws {UnavailableError} `LISTEN`, `DATABASE_UNAVAILABLE`
 */
export async function openApi({ sinks, use, log, env, stateDir }: ApiOptions): Promise<ServedApi> {
  const { settings, host, port, adminUser, adminPassword } = apiEnvironment(env)
  const open = await use(database)
  await makeFirstAdmin(
    open,
    { name: adminUser, password: adminPassword, developer: settings.developer },
    // Not into the log, which is kept.
    { clock: liveClock, say: (text) => process.stdout.write(text), log },
  )
  const streamRoutes = sinks.map(({ config }) => ({
    path: String(config.path),
    summary: `what is said beside \`${config.snapshot}\``,
  }))
  const now = () => liveClock.now()
  const guard = webhookGuard({ allowPrivate: webhookSettings(env).allowPrivate, now })
  const served = await serveApi(
    {
      database: open,
      bus: await use(busResource),
      streamRoutes,
      units: unitManager(systemctl),
      docker: dockerPing(env),
      webhooks: { box: await use(secretBox), guard, client: webhookClient({ guard, now }) },
      pipelineNames: [...allPipelines().keys()],
      pipelines: () => pipelineViews(stateDir),
      replays: replayHost(env, stateDir, log),
      clock: liveClock,
      log,
      settings,
    },
    { host, port },
  )
  const page = settings.dashboard === undefined ? '/api/v1/docs' : ''
  process.stdout.write(
    `${page === '' ? 'The dashboard' : 'The API'} is at ${served.address}${page}\n`,
  )
  return served
}
