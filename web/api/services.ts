/** What the API is made of: everything that lives outside it is handed in. */
import type { Bus } from '../../bus/bus.ts'
import type { StreamTable } from '../../bus/stream/streams.ts'
import type { WebhookClient } from '../../bus/webhook/client.ts'
import type { Guard } from '../../bus/webhook/guard.ts'
import type { Clock, Context } from '../../engine/index.ts'
import type { Database } from '../../store/database.ts'
import type { SecretBox } from '../../store/secret_box.ts'
import type { ReplayHost } from './replays/host.ts'
import type { UnitManager } from './unit_manager.ts'

export interface ApiSettings {
  /** 32 characters or more; the caller has checked it */
  readonly jwtSecret: string
  readonly tokenMinutes: number
  /** exact origins; none: no other page may ask */
  readonly corsOrigins: readonly string[]
  readonly streamsPerUser: number
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

/** A node of a pipeline, with what it has done so far where the pipeline runs. */
export interface PipelineNodeView {
  readonly id: string
  readonly type: string
  readonly section: 'sources' | 'operators' | 'sinks'
  readonly summary: string
  readonly inputs: readonly { readonly from: string; readonly port: string | null }[]
  readonly counters: Readonly<Record<string, unknown>> | null
}

export interface PipelineView {
  readonly name: string
  readonly description: string
  readonly running: boolean
  readonly clock: number | null
  readonly in_flight: number | null
  readonly dead_letters: number | null
  readonly nodes: readonly PipelineNodeView[]
}

export interface ApiServices {
  readonly database: Database
  readonly bus: Bus
  readonly streams: StreamTable
  readonly streamRoutes: readonly StreamRoute[]
  readonly units: UnitManager
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
