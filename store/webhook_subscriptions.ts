/** Rows of `webhook_subscriptions`: who is told of which events, and how that goes. */
import type { Database, Row, Statements } from './database.ts'
import { StoreError } from './errors.ts'
import type { Insert, Value } from './insert.ts'
import { randomUuid } from './random_uuid.ts'
import { randomBuffer, type SecretBox } from './secret_box.ts'
import { textFit } from './text_fit.ts'

/** A row but for its secret. Times are µs since the Unix epoch. */
export interface WebhookSubscription {
  readonly uuid: string
  readonly name: string
  readonly url: string
  readonly topicPatterns: readonly string[]
  readonly enabled: boolean
  readonly consecutiveFailures: number
  readonly lastSuccessAt: number | null
  readonly lastFailureAt: number | null
  readonly lastError: string | null
  /** Set by the breaker alone: with `enabled` false the receiver is tripped, else it is paused. */
  readonly autoDisabledAt: number | null
  readonly createdAt: number
  readonly updatedAt: number
}

/** A row with what signs its deliveries, or why there is no such thing. */
export interface WebhookReceiver {
  readonly subscription: WebhookSubscription
  readonly secret: string | undefined
  /** why the secret cannot be opened */
  readonly fault?: string
}

/** What somebody who subscribes has to say; all of it has been checked. */
export interface NewWebhook {
  readonly name: string
  readonly url: string
  /** left out: one is made */
  readonly secret?: string | undefined
  readonly topicPatterns: readonly string[]
  readonly enabled: boolean
}

/** What is to change; what is left out stays. */
export interface WebhookChanges {
  readonly name?: string | undefined
  readonly url?: string | undefined
  readonly secret?: string | undefined
  readonly topicPatterns?: readonly string[] | undefined
  readonly enabled?: boolean | undefined
}

const COLUMNS = [
  'uuid',
  'name',
  'url',
  'secret',
  'topic_patterns',
  'enabled',
  'consecutive_failures',
  'created_at',
  'updated_at',
]
const INSERT: Insert = { table: 'webhook_subscriptions', columns: COLUMNS }
const SELECT = 'select * from webhook_subscriptions'
/** Characters of `last_error`. */
const ERROR_MAX = 512
const SECRET_BYTES = 32

/**
 * @param now µs since the Unix epoch
 * @returns the row and its secret, which is told this once
 * @throws {StoreError} `WEBHOOK_NAME` when the name is taken; as `Database.transaction` throws
 */
export async function createWebhook(
  database: Database,
  box: SecretBox,
  webhook: NewWebhook,
  now: number,
): Promise<{ readonly subscription: WebhookSubscription; readonly secret: string }> {
  const { name, url, topicPatterns, enabled } = webhook
  const secret = webhook.secret ?? randomBuffer(SECRET_BYTES).toString('base64url')
  const uuid = randomUuid()
  const sealed = box.seal(secret, uuid)
  const patterns = JSON.stringify(topicPatterns)
  const subscription = await database.transaction(async (statements) => {
    await refuseTaken(statements, name, uuid)
    const row = [uuid, name, url, sealed, patterns, Number(enabled), 0, now, now]
    await statements.insert(INSERT, [row])
    return found(await selectOne(statements, uuid))
  })
  return { subscription, secret }
}

/** @returns every row, the oldest first; throws as `Database.select` does */
export async function listWebhooks(database: Database): Promise<readonly WebhookSubscription[]> {
  const rows = await database.select(`${SELECT} order by created_at, uuid`)
  return rows.map(subscriptionOf)
}

/** @returns undefined where there is no such row */
export async function getWebhook(
  database: Database,
  uuid: string,
): Promise<WebhookSubscription | undefined> {
  const [row] = await database.select(`${SELECT} where uuid = ?`, [uuid])
  return row && subscriptionOf(row)
}

/** Whether a row other than `except` has this name. */
export async function isWebhookName(
  database: Database,
  name: string,
  except = '',
): Promise<boolean> {
  return isTaken(database, name, except)
}

/**
 * The row with its secret opened, for a test ping or a delivery.
 * @returns undefined where there is no such row
 */
export async function getReceiver(
  database: Database,
  box: SecretBox,
  uuid: string,
): Promise<WebhookReceiver | undefined> {
  const [row] = await database.select(`${SELECT} where uuid = ?`, [uuid])
  return row && receiverOf(row, box)
}

/** @returns every enabled row with its secret opened, the oldest first */
export async function enabledReceivers(
  database: Database,
  box: SecretBox,
): Promise<readonly WebhookReceiver[]> {
  const rows = await database.select(`${SELECT} where enabled = 1 order by created_at, uuid`)
  return rows.map((row) => receiverOf(row, box))
}

/**
 * Changes a row. To enable a row that is disabled arms its breaker again.
 * @param now µs since the Unix epoch
 * @returns the row as it is then and whether anything has changed; undefined: there is no such row
 * @throws {StoreError} `WEBHOOK_NAME` when the name is taken; as `Database.transaction` throws
 */
export async function updateWebhook(
  database: Database,
  box: SecretBox,
  uuid: string,
  changes: WebhookChanges,
  now: number,
): Promise<{ readonly subscription: WebhookSubscription; readonly changed: boolean } | undefined> {
  return database.transaction(async (statements) => {
    const row = await selectOne(statements, uuid, statements.dialect === 'mysql')
    if (!row) return undefined
    const current = subscriptionOf(row)
    const sets = changedColumns(row, current, changes, box)
    if (sets.length === 0) return { subscription: current, changed: false }
    const name = changes.name ?? current.name
    if (name !== current.name) await refuseTaken(statements, name, uuid)
    const columns = sets.map(([column]) => `${column} = ?`).join(', ')
    const values = sets.map(([, value]) => value)
    const sql = `update webhook_subscriptions set ${columns}, updated_at = ? where uuid = ?`
    await statements.update(sql, [...values, now, uuid])
    return { subscription: found(await selectOne(statements, uuid)), changed: true }
  })
}

function changedColumns(
  row: Row,
  current: WebhookSubscription,
  { name, url, secret, topicPatterns, enabled }: WebhookChanges,
  box: SecretBox,
): (readonly [string, Value])[] {
  const sets: (readonly [string, Value])[] = []
  const patterns = topicPatterns && JSON.stringify(topicPatterns)
  if (name !== undefined && name !== current.name) sets.push(['name', name])
  if (url !== undefined && url !== current.url) sets.push(['url', url])
  if (patterns !== undefined && patterns !== JSON.stringify(current.topicPatterns)) {
    sets.push(['topic_patterns', patterns])
  }
  if (secret !== undefined && secret !== receiverOf(row, box).secret) {
    sets.push(['secret', box.seal(secret, current.uuid)])
  }
  if (enabled !== undefined && enabled !== current.enabled) {
    sets.push(['enabled', Number(enabled)])
    if (enabled) {
      sets.push(['auto_disabled_at', null], ['consecutive_failures', 0], ['last_error', null])
    }
  }
  return sets
}

/**
 * Deletes a row and every delivery to it.
 * @returns whether there was one
 */
export async function deleteWebhook(database: Database, uuid: string): Promise<boolean> {
  return database.transaction(async (statements) => {
    await statements.update('delete from webhook_deliveries where subscription = ?', [uuid])
    const sql = 'delete from webhook_subscriptions where uuid = ?'
    return (await statements.update(sql, [uuid])) > 0
  })
}

/** Notes that a delivery has arrived. A row that the breaker has tripped keeps its last error. */
export async function recordSuccess(
  statements: Statements,
  uuid: string,
  now: number,
): Promise<void> {
  const sql = `update webhook_subscriptions set consecutive_failures = 0, last_error = null,
    last_success_at = ?, updated_at = ? where uuid = ? and auto_disabled_at is null`
  await statements.update(sql, [now, now, uuid])
}

/**
 * Notes that a delivery has failed for good, in one statement, so that no failure is lost between
 * two that count at once.
 * @param threshold failures in a row at which the row is disabled
 * @returns whether it was this one that tripped the breaker
 */
export async function recordFailure(
  statements: Statements,
  uuid: string,
  error: string,
  { now, threshold }: { readonly now: number; readonly threshold: number },
): Promise<boolean> {
  const failed = `update webhook_subscriptions set consecutive_failures = consecutive_failures + 1,
    last_error = ?, last_failure_at = ?, updated_at = ?
    where uuid = ? and auto_disabled_at is null`
  await statements.update(failed, [textFit().fit(error, ERROR_MAX), now, now, uuid])
  const trip = `update webhook_subscriptions set enabled = 0, auto_disabled_at = ?
    where uuid = ? and enabled = 1 and consecutive_failures >= ?`
  return (await statements.update(trip, [now, uuid, threshold])) > 0
}

async function refuseTaken(statements: Statements, name: string, except: string): Promise<void> {
  if (!(await isTaken(statements, name, except))) return
  throw new StoreError('WEBHOOK_NAME', 'another webhook has this name')
}

async function isTaken(
  { select }: Pick<Database, 'select'>,
  name: string,
  except: string,
): Promise<boolean> {
  const sql = 'select 1 as one from webhook_subscriptions where name = ? and uuid <> ?'
  return (await select(sql, [name, except])).length > 0
}

async function selectOne(
  statements: Statements,
  uuid: string,
  locked = false,
): Promise<Row | undefined> {
  const sql = `${SELECT} where uuid = ?${locked ? ' for update' : ''}`
  return (await statements.select(sql, [uuid]))[0]
}

function found(row: Row | undefined): WebhookSubscription {
  if (!row) throw new StoreError('DATABASE_STATEMENT', 'a webhook just written is not there')
  return subscriptionOf(row)
}

function receiverOf(row: Row, box: SecretBox): WebhookReceiver {
  const subscription = subscriptionOf(row)
  try {
    return { subscription, secret: box.open(String(row.secret), subscription.uuid) }
  } catch (error) {
    // One row that was sealed elsewhere must not keep the others from being told.
    if (!(error instanceof StoreError)) throw error
    return { subscription, secret: undefined, fault: error.message }
  }
}

const subscriptionOf = (row: Row): WebhookSubscription => ({
  uuid: String(row.uuid),
  name: String(row.name),
  url: String(row.url),
  topicPatterns: patternsOf(row.topic_patterns),
  enabled: Number(row.enabled) === 1,
  consecutiveFailures: Number(row.consecutive_failures),
  lastSuccessAt: timeOf(row.last_success_at),
  lastFailureAt: timeOf(row.last_failure_at),
  lastError: row.last_error == null ? null : String(row.last_error),
  autoDisabledAt: timeOf(row.auto_disabled_at),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
})

const timeOf = (value: unknown): number | null => (value == null ? null : Number(value))

/** Somebody else may have written it. */
function patternsOf(json: unknown): readonly string[] {
  try {
    const list: unknown = JSON.parse(String(json))
    return Array.isArray(list) ? list.filter((one) => typeof one === 'string') : []
  } catch (error) {
    if (error instanceof SyntaxError) return []
    throw error
  }
}
