/** What everything that delivers webhooks works with. */
import type { WebhookClient } from '../../bus/webhook/client.ts'
import type { Context } from '../../engine/index.ts'
import type { Database } from '../../store/database.ts'
import type { SecretBox } from '../../store/secret_box.ts'
import type { DeliveryLimits } from '../../store/webhook_deliveries.ts'

/** Time and chance: the host's when live, the test's in tests. */
export interface Pace {
  /** ms since the Unix epoch */
  now(): number
  /** Resolves after `ms`, or when `signal` is aborted. */
  pause(ms: number, signal: AbortSignal): Promise<void>
  /** 0 to 1 */
  chance(): number
}

export interface Parts {
  readonly database: Database
  readonly box: SecretBox
  readonly client: WebhookClient
  readonly pace: Pace
  readonly log: Context['log']
  count(reason: string, by?: number): void
  readonly limits: DeliveryLimits
  /** failures in a row that trip a receiver's breaker */
  readonly threshold: number
  /** deliveries under way at once to one receiver */
  readonly inFlight: number
}
