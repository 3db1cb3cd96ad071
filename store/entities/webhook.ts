/** Tables `webhook_subscriptions` and `webhook_deliveries`: who is told, and what he is yet to be told. */
import { defineEntity, p } from '@mikro-orm/core'
import { DEFAULT, LongText, RowId } from './column_types.ts'

/**
 * One row per receiver. Times are µs since the Unix epoch; `secret` is sealed (`secret_box.ts`);
 * `topicPatterns` is a JSON array of texts; `autoDisabledAt` is set by the breaker alone.
 * @see spec/webhooks.md section 1
 */
export const WebhookSubscriptionEntity = defineEntity({
  name: 'WebhookSubscription',
  tableName: 'webhook_subscriptions',
  properties: {
    uuid: p.string().length(36).primary(),
    name: p.string().length(64).unique('uq_webhook_subscriptions_name'),
    url: p.string().length(2048),
    secret: p.string().length(2048),
    topicPatterns: p.type(LongText),
    enabled: p.bigint('number').index('ix_webhook_subscriptions_enabled'),
    consecutiveFailures: p.bigint('number'),
    lastSuccessAt: p.bigint('number').nullable(),
    lastFailureAt: p.bigint('number').nullable(),
    lastError: p.string().length(512).nullable().ignoreSchemaChanges(DEFAULT),
    autoDisabledAt: p.bigint('number').nullable(),
    createdAt: p.bigint('number'),
    updatedAt: p.bigint('number'),
  },
})

/**
 * One row per event and receiver. `state` is `pending`, `dead`, or `delivered`, which is kept for a
 * while, without its `body`, so that a repeat of the event is known. Times are µs since the Unix epoch.
 */
export const WebhookDeliveryEntity = defineEntity({
  name: 'WebhookDelivery',
  tableName: 'webhook_deliveries',
  indexes: [
    {
      name: 'ix_webhook_deliveries_subscription_state',
      properties: ['subscription', 'state', 'id'],
    },
    { name: 'ix_webhook_deliveries_state', properties: ['state', 'id'] },
  ],
  uniques: [
    {
      name: 'uq_webhook_deliveries_subscription_event',
      properties: ['subscription', 'eventId'],
    },
  ],
  properties: {
    id: p.type(RowId).primary().autoincrement(),
    subscription: p.string().length(36),
    eventId: p.string().length(64),
    topic: p.string().length(4096),
    body: p.type(LongText),
    state: p.string().length(16),
    attempts: p.bigint('number'),
    lastError: p.string().length(512).nullable().ignoreSchemaChanges(DEFAULT),
    createdAt: p.bigint('number'),
    updatedAt: p.bigint('number'),
  },
})
