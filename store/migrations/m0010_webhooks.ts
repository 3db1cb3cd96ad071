/** Webhooks: who is told, and what is yet to be told. */
import { Migration } from '@mikro-orm/migrations'
import { createTableSql, type Table } from './table_sql.ts'

const subscriptions: Table = {
  name: 'webhook_subscriptions',
  columns: {
    uuid: { type: 'text(36)', primary: true },
    name: { type: 'text(64)' },
    url: { type: 'text(2048)' },
    secret: { type: 'text(2048)' },
    topic_patterns: { type: 'long_text' },
    enabled: { type: 'int' },
    consecutive_failures: { type: 'int' },
    last_success_at: { type: 'int', null: true },
    last_failure_at: { type: 'int', null: true },
    last_error: { type: 'text(512)', null: true },
    auto_disabled_at: { type: 'int', null: true },
    created_at: { type: 'int' },
    updated_at: { type: 'int' },
  },
  unique: { uq_webhook_subscriptions_name: ['name'] },
  index: { ix_webhook_subscriptions_enabled: ['enabled'] },
}

const deliveries: Table = {
  name: 'webhook_deliveries',
  columns: {
    id: { type: 'id' },
    subscription: { type: 'text(36)' },
    event_id: { type: 'text(64)' },
    topic: { type: 'text(4096)' },
    body: { type: 'long_text' },
    state: { type: 'text(16)' },
    attempts: { type: 'int' },
    last_error: { type: 'text(512)', null: true },
    created_at: { type: 'int' },
    updated_at: { type: 'int' },
  },
  unique: { uq_webhook_deliveries_subscription_event: ['subscription', 'event_id'] },
  index: {
    ix_webhook_deliveries_subscription_state: ['subscription', 'state', 'id'],
    ix_webhook_deliveries_state: ['state', 'id'],
  },
}

export class Webhooks extends Migration {
  override up(): void {
    for (const table of [subscriptions, deliveries]) {
      for (const sql of createTableSql(table, this.config.get('collate'))) this.addSql(sql)
    }
  }
}
