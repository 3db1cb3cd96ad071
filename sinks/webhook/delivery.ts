/** One delivery: posted, and posted again after a while where that may help. */
import type { Attempt } from '../../bus/webhook/client.ts'
import { RETRY_DELAYS, retryWait } from '../../protocols/webhook/retry.ts'
import type { DeliveryOutcome, PendingDelivery } from '../../store/webhook_deliveries.ts'
import type { WebhookReceiver } from '../../store/webhook_subscriptions.ts'
import type { Gate } from './gate.ts'
import type { Parts } from './parts.ts'

interface DeliveryOptions {
  readonly parts: Parts
  /** places of this receiver */
  readonly own: Gate
  /** places that all receivers share */
  readonly gate: Gate
  /** aborted when nothing more is to begin */
  readonly stop: AbortSignal
  /** aborted when there is no time left even for what is on its way */
  readonly cut: AbortSignal
  /** the receiver as it is now */
  readonly target: () => WebhookReceiver
  /** called when a place is given back */
  readonly onPlace: () => void
}

type Deliver = (row: PendingDelivery) => Promise<DeliveryOutcome | undefined>

/**
 * Places are held while a post is under way, and never while a retry is waited for.
 * @returns delivers to one receiver; undefined: it was stopped before it had ended, and stays pending
 */
export function delivering({
  parts,
  own,
  gate,
  stop,
  cut,
  target,
  onPlace,
}: DeliveryOptions): Deliver {
  const { pace, client, count } = parts
  let proven = false

  const attempt = async (
    { eventId: id, topic, body }: PendingDelivery,
    seconds: number,
  ): Promise<Attempt | undefined> => {
    const leaveOwn = await own.take(true, stop)
    if (!leaveOwn) return undefined
    const leave = await gate.take(proven, stop)
    try {
      const { secret, subscription } = target()
      if (!leave || secret === undefined) return undefined
      // A stop does not end it: who has it must be known to have it.
      return await client.attempt({ url: subscription.url, secret, id, topic, body, seconds }, cut)
    } catch (error) {
      if (!cut.aborted) throw error
      return undefined
    } finally {
      leave?.()
      leaveOwn()
    }
  }

  return async (row) => {
    const seconds = Math.floor(pace.now() / 1000)
    let tries = 0
    for (let round = 0; ; round += 1) {
      const made = await attempt(row, seconds)
      if (!made) return undefined
      proven = made.ok
      if (made.tried) tries += 1
      const delay = RETRY_DELAYS[round]
      if (made.ok || !made.retry || delay === undefined) {
        count(made.ok ? 'delivered' : made.tried ? 'given_up' : 'refused_destination')
        const at = Math.round(pace.now() * 1000)
        return { id: row.id, error: made.error, attempts: tries, at }
      }
      count('retried')
      onPlace()
      await pace.pause(retryWait(delay, pace.chance(), made.retryAfter), stop)
      if (stop.aborted) return undefined
    }
  }
}
