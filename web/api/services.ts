/** What the API is made of: everything that lives outside it is handed in. */
import type { Static } from 'typebox'
import type { Bus } from '../../bus/bus.ts'
import type { StreamTable } from '../../bus/stream/streams.ts'
import type { WebhookClient } from '../../bus/webhook/client.ts'
import type { Guard } from '../../bus/webhook/guard.ts'
import type { Clock, Context } from '../../engine/index.ts'
import type { Database } from '../../store/database.ts'
import type { SecretBox } from '../../store/secret_box.ts'
import type { DockerState } from './docker_ping.ts'
import type { ReplayHost } from './replays/host.ts'
import type { pipeline } from './schemas.ts'
import type { UnitManager } from './unit_manager.ts'

export interface ApiSettings {
  /** 32 characters or more; the caller has checked it */
  readonly jwtSecret: string
  readonly tokenMinutes: number
  /** exact origins; none: no other page may ask */
  readonly corsOrigins: readonly string[]
  readonly streamsPerUser: number
  /** addresses and networks of proxies whose X-Forwarded-For is believed; none: nobody's */
  readonly trustedProxies: readonly string[]
  /** whether faults of requests are shown */
  readonly developer: boolean
  /** folder of the built dashboard, if there is one */
  readonly dashboard: string | undefined
  readonly version: string
}

/** A stream that a pipeline serves. */
export interface StreamRoute {
  /** behind /api/v1 */
  readonly path: string
  readonly summary: string
}

/** How a pipeline is wired, with what it has done so far where it runs. */
export type PipelineView = Static<typeof pipeline>

export interface ApiServices {
  readonly database: Database
  readonly bus: Bus
  readonly streams: StreamTable
  readonly streamRoutes: readonly StreamRoute[]
  readonly units: UnitManager
  /** asks the engine that runs the deckies */
  readonly docker: () => Promise<DockerState>
  readonly webhooks: {
    readonly box: SecretBox
    readonly guard: Guard
    readonly client: WebhookClient
  }
  /** what runs beside the workers of the registry */
  readonly pipelineNames: readonly string[]
  /** how the pipelines of this host are wired, and what they do */
  readonly pipelines: () => Promise<readonly PipelineView[]>
  /** what it takes to replay captures */
  readonly replays: ReplayHost
  readonly clock: Clock
  readonly log: Context['log']
  readonly settings: ApiSettings
}
