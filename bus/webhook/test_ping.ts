/** A webhook's test: one event of its own, posted once. */
import { webhookBody } from '../../protocols/webhook/body.ts'
import type { Attempt, WebhookClient } from './client.ts'

const TOPIC = 'test.ping'
const MESSAGE = 'This is a test of a DECNET webhook.'

export interface TestPing {
  readonly url: string
  readonly secret: string
  /** new each time: of the event */
  readonly id: string
  /** name of the admin who asked */
  readonly triggeredBy: string
  /** ms since the Unix epoch */
  readonly now: number
}

/** @returns how the one attempt went; never rejects, but where `signal` is aborted */
export function sendTestPing(
  client: WebhookClient,
  { url, secret, id, triggeredBy, now }: TestPing,
  signal: AbortSignal,
): Promise<Attempt> {
  const payload = { message: MESSAGE, triggered_by: triggeredBy }
  const event = { id, topic: TOPIC, type: 'test', ts: now / 1000, payload }
  const body = Buffer.from(webhookBody(event, now * 1000))
  const seconds = Math.floor(now / 1000)
  return client.attempt({ url, secret, id, topic: TOPIC, body, seconds }, signal)
}
