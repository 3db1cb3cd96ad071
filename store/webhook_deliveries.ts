/** Rows of `webhook_deliveries`: what each receiver is yet to be told, and what could not be told. */
import type { Database, Row, Statements } from './database.ts'
import { chunks, type Insert, isOneOf } from './insert.ts'
import { textFit } from './text_fit.ts'
import { recordFailure, recordSuccess } from './webhook_subscriptions.ts'

/** One event for one receiver. */
export interface NewDelivery {
  /** uuid of the subscription */
  readonly subscription: string
  /** 64 characters at most */
  readonly eventId: string
  /** 4096 characters at most */
  readonly topic: string
  /** JSON, as it is sent */
  readonly body: string
}

/** How many rows one subscription may have. */
export interface DeliveryLimits {
  /** that are pending; the oldest beyond become dead */
  readonly backlog: number
  /** that are dead; the oldest beyond are deleted */
  readonly deadLetters: number
}

/** A row that is pending. */
export interface PendingDelivery {
  readonly id: number
  readonly eventId: string
  readonly topic: string
  /** as it is sent */
  readonly body: Buffer
}

/** The body of an event, where the caller has it still; of that many bytes. */
type KnownBody = (topic: string, eventId: string, bytes: number) => Buffer | undefined

/** How a delivery ended. `at` is µs since the Unix epoch. */
export interface DeliveryOutcome {
  readonly id: number
  /** null: it has arrived */
  readonly error: string | null
  readonly attempts: number
  readonly at: number
}

/** A delivery that has been given up, without its body. Times are µs since the Unix epoch. */
export interface DeadDelivery {
  readonly id: number
  readonly subscription: string
  /** name of the subscription */
  readonly name: string
  readonly eventId: string
  readonly topic: string
  readonly attempts: number
  readonly lastError: string
  readonly createdAt: number
  readonly updatedAt: number
}

/** Rows of one statement that names rows by id. */
const IDS_AT_ONCE = 256
/** Characters of `last_error`. */
const ERROR_MAX = 512
/** Rows read at once. */
const PAGE = 256
/** Bytes of bodies read at once, unless one alone has more. */
const READ_BUDGET = 2 ** 20
/** Rows of what has arrived that are kept, so that their events are known when they come again. */
const REMEMBERED = 50_000

const INSERT: Insert = {
  table: 'webhook_deliveries',
  columns: [
    'subscription',
    'event_id',
    'topic',
    'body',
    'state',
    'attempts',
    'created_at',
    'updated_at',
  ],
  key: ['subscription', 'event_id'],
}

/** By subscription, how many more may become pending before anybody has to count. */
export type Room = Map<string, number>

/**
 * Stores deliveries in one transaction, in order; one that is there already, or has arrived not long
 * ago, changes nothing.
 * @param now µs since the Unix epoch
 * @param room kept from call to call by whoever alone stores; emptied when others made rows pending
 * @returns how many pending ones had to make room and are dead, and how many dead ones are gone
 */
export async function storeDeliveries(
  database: Database,
  deliveries: readonly NewDelivery[],
  limits: DeliveryLimits,
  now: number,
  room: Room = new Map(),
): Promise<{ readonly displaced: number; readonly forgotten: number }> {
  const rows = deliveries.map(({ subscription, eventId, topic, body }) => [
    subscription,
    eventId,
    topic,
    body,
    'pending',
    0,
    now,
    now,
  ])
  const added = new Map<string, number>()
  for (const { subscription } of deliveries) {
    added.set(subscription, (added.get(subscription) ?? 0) + 1)
  }
  const { left, ...counts } = await database.transaction(async (statements) => {
    await statements.insert(INSERT, rows)
    let [displaced, forgotten] = [0, 0]
    const left: Room = new Map()
    for (const [subscription, count] of added) {
      const known = (room.get(subscription) ?? 0) - count
      left.set(subscription, Math.max(0, known))
      if (known >= 0) continue
      const pending = await pendingCount(statements, subscription)
      left.set(subscription, Math.max(0, limits.backlog - pending))
      if (pending <= limits.backlog) continue
      displaced += await displaceOldest(statements, subscription, limits.backlog, now)
      forgotten += await forgetOldest(statements, subscription, limits.deadLetters)
    }
    return { displaced, forgotten, left }
  })
  for (const [subscription, count] of left) room.set(subscription, count)
  return counts
}

async function pendingCount({ select }: Statements, subscription: string): Promise<number> {
  const sql = `select count(*) as n from webhook_deliveries
    where subscription = ? and state = 'pending'`
  const [row] = await select(sql, [subscription])
  return Number(row?.n ?? 0)
}

async function displaceOldest(
  statements: Statements,
  subscription: string,
  most: number,
  now: number,
): Promise<number> {
  const last = await idBeyond(statements, subscription, 'pending', most)
  if (last === undefined) return 0
  const sql = `update webhook_deliveries set state = 'dead', last_error = ?, updated_at = ?
    where subscription = ? and state = 'pending' and id <= ?`
  const error = `dropped: more than ${most} deliveries were waiting`
  return statements.update(sql, [error, now, subscription, last])
}

async function forgetOldest(
  statements: Statements,
  subscription: string,
  most: number,
): Promise<number> {
  const last = await idBeyond(statements, subscription, 'dead', most)
  if (last === undefined) return 0
  const sql = `delete from webhook_deliveries where subscription = ? and state = 'dead' and id <= ?`
  return statements.update(sql, [subscription, last])
}

/** @returns the id of the newest row beyond the `most` newest ones of a state */
async function idBeyond(
  { select }: Statements,
  subscription: string,
  state: 'pending' | 'dead',
  most: number,
): Promise<number | undefined> {
  const sql = `select id from webhook_deliveries where subscription = ? and state = ?
    order by id desc limit 1 offset ${Math.trunc(most)}`
  const [row] = await select(sql, [subscription, state])
  return row && Number(row.id)
}

/** Pending deliveries in the order of their ids. */
export interface PendingPage {
  readonly deliveries: readonly PendingDelivery[]
  /** where the next page begins: behind this id */
  readonly last: number
  /** whether there may be a next page */
  readonly more: boolean
}

/**
 * The oldest deliveries that are pending.
 * @param after id behind which they are looked for
 * @returns 256 of them, or fewer where their bodies are large
 */
export async function pendingDeliveries(
  { select }: Pick<Database, 'select'>,
  subscription: string,
  after: number,
  knownBody: KnownBody = () => undefined,
): Promise<PendingPage> {
  const found = await select(
    `select id, event_id, topic, octet_length(body) as size from webhook_deliveries
     where subscription = ? and state = 'pending' and id > ? order by id limit ${PAGE}`,
    [subscription, after],
  )
  let bytes = 0
  const beyond = found.findIndex(({ size }, index) => {
    bytes += Number(size)
    return bytes > READ_BUDGET && index > 0
  })
  const page = (beyond === -1 ? found : found.slice(0, beyond)).map((row) => {
    const [eventId, topic] = [String(row.event_id), String(row.topic)]
    const body = knownBody(topic, eventId, Number(row.size))
    return { id: Number(row.id), eventId, topic, body }
  })
  const bodies = await readBodies(
    select,
    page.flatMap(({ id, body }) => (body ? [] : [id])),
  )
  const deliveries = page.flatMap(({ body, ...one }) => {
    const text = body ?? bodies.get(one.id)
    // One that is not there any more was deleted with its receiver.
    return text ? [{ ...one, body: text }] : []
  })
  const last = page.at(-1)?.id ?? after
  return { deliveries, last, more: beyond !== -1 || found.length === PAGE }
}

async function readBodies(
  select: Database['select'],
  ids: readonly number[],
): Promise<ReadonlyMap<number, Buffer>> {
  const bodies = new Map<number, Buffer>()
  for (const some of parts(ids)) {
    const places = some.map(() => '?').join(', ')
    const sql = `select id, body from webhook_deliveries where id in (${places})`
    for (const { id, body } of await select(sql, some)) {
      bodies.set(Number(id), Buffer.from(String(body)))
    }
  }
  return bodies
}

/** How deliveries of one subscription ended, in that order. */
export interface Settling {
  readonly subscription: string
  readonly outcomes: readonly DeliveryOutcome[]
  /** Its breaker tripped before these ended: they count no more, as it may be armed again by now. */
  readonly isLate?: boolean
}

/**
 * Books how deliveries ended, all in one transaction. When that trips the breaker of a subscription,
 * all that is pending for it becomes dead.
 * @param threshold failures in a row that trip it
 * @returns whose breaker has tripped, and how many dead ones are gone for want of room
 */
export async function settleDeliveries(
  database: Database,
  settlings: readonly Settling[],
  limits: { readonly threshold: number; readonly deadLetters: number },
): Promise<{ readonly tripped: ReadonlySet<string>; readonly forgotten: number }> {
  return database.transaction(async (statements) => {
    await bookArrived(statements, settlings)
    const tripped = new Set<string>()
    let forgotten = 0
    for (const { subscription, outcomes, isLate = false } of settlings) {
      const failed = outcomes.some(({ error }) => error !== null)
      const threshold = isLate ? undefined : limits.threshold
      if (await bookEach(statements, subscription, outcomes, threshold)) {
        tripped.add(subscription)
        await statements.update(
          `update webhook_deliveries set state = 'dead', last_error = ?, updated_at = ?
           where subscription = ? and state = 'pending'`,
          ['dropped: the breaker has tripped', outcomes.at(-1)?.at ?? 0, subscription],
        )
      }
      if (failed) forgotten += await forgetOldest(statements, subscription, limits.deadLetters)
    }
    return { tripped, forgotten }
  })
}

/** @returns whether the breaker has tripped just now */
async function bookEach(
  statements: Statements,
  subscription: string,
  outcomes: readonly DeliveryOutcome[],
  threshold: number | undefined,
): Promise<boolean> {
  let tripped = false
  for (const [index, { id, error, attempts, at }] of outcomes.entries()) {
    if (error === null) {
      // Of several in a row the last one says it all.
      if (outcomes[index + 1]?.error === null) continue
      if (threshold !== undefined) await recordSuccess(statements, subscription, at)
      continue
    }
    await statements.update(
      `update webhook_deliveries set state = 'dead', attempts = ?, last_error = ?, updated_at = ?
       where id = ?`,
      [attempts, textFit().fit(error, ERROR_MAX), at, id],
    )
    if (threshold === undefined) continue
    const count = { now: at, threshold }
    tripped = (await recordFailure(statements, subscription, error, count)) || tripped
  }
  return tripped
}

async function bookArrived(statements: Statements, settlings: readonly Settling[]): Promise<void> {
  const arrived = settlings.flatMap(({ outcomes }) =>
    outcomes.filter(({ error }) => error === null),
  )
  const at = Math.max(...arrived.map((one) => one.at))
  for (const ids of parts(arrived.map(({ id }) => id))) {
    await statements.update(
      `update webhook_deliveries set state = 'delivered', body = '', last_error = null,
       updated_at = ? where ${isOneOf(['id'], ids.length, statements.dialect)}`,
      [at, ...ids],
    )
  }
}

/** Deletes what arrived long ago, and what is for receivers that are gone. */
export async function sweepDeliveries(database: Database): Promise<void> {
  await database.transaction(async (statements) => {
    const [row] = await statements.select('select max(id) as last from webhook_deliveries')
    const last = Number(row?.last ?? 0) - REMEMBERED
    if (last > 0) {
      const sql = `delete from webhook_deliveries where state = 'delivered' and id <= ?`
      await statements.update(sql, [last])
    }
    const sql = `delete from webhook_deliveries
      where subscription not in (select uuid from webhook_subscriptions)`
    await statements.update(sql, [])
  })
}

/** Says at a receiver why nothing can be sent to it. */
export async function recordFault(
  database: Database,
  uuid: string,
  error: string,
  now: number,
): Promise<void> {
  const text = textFit().fit(error, ERROR_MAX)
  await database.transaction((statements) =>
    statements.update(
      `update webhook_subscriptions set last_error = ?, last_failure_at = ?, updated_at = ?
       where uuid = ? and (last_error is null or last_error <> ?)`,
      [text, now, now, uuid, text],
    ),
  )
}

/** Which dead deliveries are meant; what is left out does not matter. */
export interface DeadSelection {
  /** uuid of the subscription */
  readonly subscription?: string | undefined
  readonly ids?: readonly number[] | undefined
}

/** @returns dead deliveries, the oldest first, behind the id `after` */
export async function deadDeliveries(
  database: Database,
  { subscription }: Pick<DeadSelection, 'subscription'>,
  after: number,
  limit: number,
): Promise<readonly DeadDelivery[]> {
  const [condition, values] = selected({ subscription }, database.dialect)
  const rows = await database.select(
    `select d.id, d.subscription, d.event_id, d.topic, d.attempts, d.last_error, d.created_at,
       d.updated_at, s.name
     from webhook_deliveries d join webhook_subscriptions s on s.uuid = d.subscription
     where d.state = 'dead' and d.id > ?${condition}
     order by d.id limit ${Math.trunc(limit)}`,
    [after, ...values],
  )
  return rows.map(deadOf)
}

/**
 * Makes dead deliveries pending again; a receiver that is disabled gets them once it is enabled.
 * Those who deliver notice by the change signal, or after a minute.
 * @param now µs since the Unix epoch
 * @returns how many
 */
export async function replayDeadDeliveries(
  database: Database,
  selection: DeadSelection,
  now: number,
): Promise<number> {
  const set = `update webhook_deliveries set state = 'pending', attempts = 0, updated_at = ?`
  return onDead(database, set, [now], selection)
}

/** @returns how many dead deliveries were deleted */
export async function dropDeadDeliveries(
  database: Database,
  selection: DeadSelection,
): Promise<number> {
  return onDead(database, 'delete from webhook_deliveries', [], selection)
}

async function onDead(
  database: Database,
  verb: string,
  given: readonly number[],
  { subscription, ids }: DeadSelection,
): Promise<number> {
  return database.transaction(async (statements) => {
    let changed = 0
    for (const some of ids ? parts(ids) : [undefined]) {
      const [condition, values] = selected({ subscription, ids: some }, statements.dialect)
      const sql = `${verb} where state = 'dead'${condition}`
      changed += await statements.update(sql, [...given, ...values])
    }
    return changed
  })
}

/** Names of columns that no joined table has too. */
function selected(
  { subscription, ids }: DeadSelection,
  dialect: Statements['dialect'],
): readonly [string, readonly (string | number)[]] {
  const one = subscription === undefined ? '' : ' and subscription = ?'
  const some = ids === undefined ? '' : ` and ${isOneOf(['id'], ids.length, dialect)}`
  return [one + some, [...(subscription === undefined ? [] : [subscription]), ...(ids ?? [])]]
}

const deadOf = (row: Row): DeadDelivery => ({
  id: Number(row.id),
  subscription: String(row.subscription),
  name: String(row.name),
  eventId: String(row.event_id),
  topic: String(row.topic),
  attempts: Number(row.attempts),
  lastError: String(row.last_error ?? ''),
  createdAt: Number(row.created_at),
  updatedAt: Number(row.updated_at),
})

/** In powers of two, so that few distinct statements exist. */
function* parts(ids: readonly number[]): Generator<readonly number[]> {
  const rows = ids.map((id) => [id])
  for (const some of chunks(rows, IDS_AT_ONCE, Number.POSITIVE_INFINITY)) yield some.flat()
}
