/** What the environment says about webhooks. */

const THRESHOLD = 5

export interface WebhookSettings {
  /** whether receivers may have addresses that are not public */
  readonly allowPrivate: boolean
  /** failures in a row that trip a receiver's breaker, 1 at least */
  readonly threshold: number
}

/** Only the word `true` opens anything; a threshold that is no number is 5. */
export function webhookSettings(
  env: Readonly<Record<string, string | undefined>>,
): WebhookSettings {
  const { DECNET_WEBHOOK_ALLOW_PRIVATE: word, DECNET_WEBHOOK_CIRCUIT_THRESHOLD: number } = env
  const threshold = number && /^-?\d{1,9}$/.test(number) ? Number(number) : THRESHOLD
  return { allowPrivate: word?.toLowerCase() === 'true', threshold: Math.max(1, threshold) }
}
