/** Webhooks: who is told of which events. For admins alone. */
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { topics } from '../../../bus/topic.ts'
import { WebhookRefused } from '../../../bus/webhook/guard.ts'
import { mergePatterns, type SimpleEvent, wrongPattern } from '../../../bus/webhook/presets.ts'
import { sendTestPing } from '../../../bus/webhook/test_ping.ts'
import { freshEpoch } from '../../../engine/index.ts'
import { StoreError } from '../../../store/errors.ts'
import { isoOrNull } from '../../../store/read/page.ts'
import {
  createWebhook,
  deleteWebhook,
  getReceiver,
  getWebhook,
  isWebhookName,
  listWebhooks,
  updateWebhook,
  type WebhookSubscription,
} from '../../../store/webhook_subscriptions.ts'
import type { Announcer } from '../announcer.ts'
import { ApiError, notFound } from '../api_error.ts'
import { accountOf } from '../auth/gate.ts'
import { clientKey, Throttle } from '../auth/throttle.ts'
import { addRoute } from '../route.ts'
import { createdWebhook, message, pingResult, uuidParams, webhook } from '../schemas.ts'
import type { ApiServices } from '../services.ts'

const CREATIONS = 20
const CREATION_WINDOW = 60_000
/** Patterns of one webhook. */
const MOST_PATTERNS = 64

const name = Type.String({ minLength: 1, maxLength: 64 })
const url = Type.String({ maxLength: 2048, description: 'http or https' })
const secret = Type.String({
  minLength: 16,
  maxLength: 256,
  description: 'signs what is sent; default: one is made and shown once',
})
const simpleEvents = Type.Array(Type.Enum(['AttackerDetail', 'DeckyStatus', 'SystemStatus']), {
  maxItems: MOST_PATTERNS,
})
const patterns = Type.Array(Type.String({ maxLength: 1024 }), { maxItems: MOST_PATTERNS })
const enabled = Type.Boolean()

const creation = Type.Object({
  name,
  url,
  secret: Type.Optional(secret),
  simple_events: Type.Optional(simpleEvents),
  topic_patterns: Type.Optional(patterns),
  enabled: Type.Optional(enabled),
})
const change = Type.Object(
  {
    name: Type.Optional(name),
    url: Type.Optional(url),
    secret: Type.Optional(secret),
    simple_events: Type.Optional(simpleEvents),
    topic_patterns: Type.Optional(patterns),
    enabled: Type.Optional(enabled),
  },
  { nullIsAbsent: true },
)

export function webhookRoutes(
  app: FastifyInstance,
  { database, clock, webhooks }: ApiServices,
  announcer: Announcer,
): void {
  const { box, guard, client } = webhooks
  const shared = { gate: 'admin', tag: 'webhooks' } as const
  const one = { ...shared, path: '/webhooks/:uuid', params: uuidParams } as const
  const creations = new Throttle(clock, CREATIONS, CREATION_WINDOW)
  const micros = () => Math.round(clock.now() * 1000)
  const changed = () => announcer.say(topics.system('webhook.subscriptions_changed'), 'changed', {})
  const checkedUrl = async (text: string): Promise<string> => {
    try {
      return await guard.register(text)
    } catch (error) {
      if (!(error instanceof WebhookRefused)) throw error
      throw new ApiError(422, error.message)
    }
  }

  addRoute(app, {
    ...shared,
    method: 'POST',
    path: '/webhooks',
    summary: 'A new webhook; its secret is shown this once',
    body: creation,
    answers: { 201: createdWebhook },
    problems: [409, 429],
    async handle({ body, request, reply }) {
      if (!creations.admit(clientKey(request.ip))) throw new ApiError(429, 'Too many new webhooks')
      const topicPatterns = merged(body.simple_events, body.topic_patterns)
      if (topicPatterns.length === 0) throw new ApiError(400, NO_PATTERN)
      if (await isWebhookName(database, body.name)) throw nameTaken()
      const fresh = {
        name: body.name,
        url: await checkedUrl(body.url),
        secret: body.secret,
        topicPatterns,
        enabled: body.enabled ?? true,
      }
      const created = await ifNameIsFree(() => createWebhook(database, box, fresh, micros()))
      await changed()
      reply.code(201)
      return { ...shown(created.subscription), secret: created.secret }
    },
  })
  addRoute(app, {
    ...shared,
    method: 'GET',
    path: '/webhooks',
    summary: 'All webhooks, the oldest first',
    answers: { 200: Type.Array(webhook) },
    handle: async () => (await listWebhooks(database)).map(shown),
  })
  addRoute(app, {
    ...one,
    method: 'GET',
    summary: 'One webhook',
    answers: { 200: webhook },
    problems: [404],
    async handle({ params }) {
      const found = await getWebhook(database, params.uuid)
      if (!found) throw notFound('Webhook')
      return shown(found)
    },
  })
  addRoute(app, {
    ...one,
    method: 'PATCH',
    summary: 'Changes what is given; patterns are replaced as a whole',
    body: change,
    answers: { 200: webhook },
    problems: [404, 409],
    async handle({ params, body }) {
      const found = await getWebhook(database, params.uuid)
      if (!found) throw notFound('Webhook')
      const isNew = body.simple_events !== undefined || body.topic_patterns !== undefined
      const topicPatterns = isNew ? merged(body.simple_events, body.topic_patterns) : undefined
      if (topicPatterns?.length === 0) throw new ApiError(400, NO_PATTERN_LEFT)
      if (body.name !== undefined && (await isWebhookName(database, body.name, params.uuid))) {
        throw nameTaken()
      }
      const changes = {
        name: body.name,
        url: body.url === undefined ? undefined : await checkedUrl(body.url),
        secret: body.secret,
        topicPatterns,
        enabled: body.enabled,
      }
      const updated = await ifNameIsFree(() =>
        updateWebhook(database, box, params.uuid, changes, micros()),
      )
      if (!updated) throw notFound('Webhook')
      if (updated.changed) await changed()
      return shown(updated.subscription)
    },
  })
  addRoute(app, {
    ...one,
    method: 'DELETE',
    summary: 'Takes a webhook away, and all that waits for it',
    answers: { 200: message },
    problems: [404],
    async handle({ params }) {
      if (!(await deleteWebhook(database, params.uuid))) throw notFound('Webhook')
      await changed()
      return { message: 'Webhook deleted' }
    },
  })
  addRoute(app, {
    ...one,
    method: 'POST',
    path: '/webhooks/:uuid/test',
    summary: 'Sends one event to it, once, and tells how that went',
    answers: { 200: pingResult },
    problems: [404],
    async handle({ params, request }) {
      const receiver = await getReceiver(database, box, params.uuid)
      if (!receiver) throw notFound('Webhook')
      const { secret, fault = 'it has no secret', subscription } = receiver
      if (secret === undefined) return { delivered: false, status_code: null, error: fault }
      const ping = {
        url: subscription.url,
        secret,
        id: freshEpoch() + freshEpoch(),
        triggeredBy: accountOf(request).user.username,
        now: clock.now(),
      }
      const { ok, status, error } = await sendTestPing(client, ping, NEVER)
      return { delivered: ok, status_code: status, error }
    },
  })
}

/** The attempt has a time limit of its own. */
const NEVER = new AbortController().signal
const NO_PATTERN = 'Provide at least one simple_events entry or topic_patterns pattern.'
const NO_PATTERN_LEFT = 'Cannot clear all patterns; disable the webhook instead.'
const nameTaken = () => new ApiError(409, 'Webhook name already exists')

/** @throws {ApiError} 400 on a pattern that no topic would ever fit */
function merged(
  simple: readonly string[] | undefined,
  raw: readonly string[] | undefined,
): readonly string[] {
  // The schema has let only these through.
  const all = mergePatterns((simple ?? []) as readonly SimpleEvent[], raw ?? [])
  if (wrongPattern(all) !== undefined) throw new ApiError(400, 'A topic pattern is not one')
  return all
}

async function ifNameIsFree<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    if (error instanceof StoreError && error.code === 'WEBHOOK_NAME') throw nameTaken()
    throw error
  }
}

const shown = (row: WebhookSubscription) => ({
  uuid: row.uuid,
  name: row.name,
  url: row.url,
  topic_patterns: row.topicPatterns,
  enabled: row.enabled,
  consecutive_failures: row.consecutiveFailures,
  last_success_at: isoOrNull(row.lastSuccessAt),
  last_failure_at: isoOrNull(row.lastFailureAt),
  last_error: row.lastError,
  auto_disabled_at: isoOrNull(row.autoDisabledAt),
  created_at: isoOrNull(row.createdAt),
  updated_at: isoOrNull(row.updatedAt),
  warnings: row.url.startsWith('http://')
    ? ['insecure_url: what is sent can be read and changed on its way']
    : [],
})
