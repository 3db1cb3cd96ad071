/** Rows of `credentials`, counted by the ledger `credential_sightings`. */
import type { Statements } from './database.ts'
import type { CredentialData } from './entity_events.ts'
import { type Insert, isOneOf, type Value } from './insert.ts'
import { jsonThatFits, type Repository, timeMicros } from './repository.ts'

const KEY = [
  'attacker_ip',
  'decky_name',
  'service',
  'secret_kind',
  'secret_sha256',
  'principal_key',
]

/**
 * Every attempt counts; first_seen and last_seen are the least and the greatest event time; fields
 * and the printable form are of the earliest sighting, the outcome is of the latest that has one.
 * At equal times the greater text wins, so that no order of arrival shows in the row.
 */
const UPSERT: Insert = {
  table: 'credentials',
  columns: [
    ...KEY,
    'principal',
    'secret_b64',
    'secret_printable',
    'outcome',
    'outcome_at',
    'fields',
    'first_seen',
    'last_seen',
    'attempt_count',
  ],
  key: KEY,
  merge: (incoming) => {
    const first = incoming('first_seen')
    const last = incoming('last_seen')
    const outcome = incoming('outcome')
    const at = incoming('outcome_at')
    const earlier = `${first} < first_seen
      or (${first} = first_seen and ${incoming('fields')} > fields)`
    const newer = `${at} is not null and (outcome_at is null or ${at} > outcome_at
      or (${at} = outcome_at and ${outcome} > outcome))`
    const pick = (condition: string, column: string): [string, string] => [
      column,
      `case when ${condition} then ${incoming(column)} else ${column} end`,
    ]
    return [
      pick(earlier, 'secret_printable'),
      pick(earlier, 'fields'),
      pick(`${first} < first_seen`, 'first_seen'),
      pick(newer, 'outcome'),
      pick(`${at} is not null and (outcome_at is null or ${at} > outcome_at)`, 'outcome_at'),
      pick(`${last} > last_seen`, 'last_seen'),
      ['attempt_count', 'attempt_count + 1'],
    ]
  },
}

const SIGHTINGS: Insert = {
  table: 'credential_sightings',
  columns: ['event_id', 'credential_id'],
}

/** Event ids or keys in one question. */
const MOST_ASKED = 256

interface CredentialRow {
  readonly eventId: string
  readonly key: readonly string[]
  /** Of all the columns of `UPSERT`. */
  readonly values: readonly Value[]
}

/**
 * One row per address, decky, service, secret and principal. The ledger is read and written in the
 * transaction that counts: on MySQL a second writer of the same event fails on the ledger's primary
 * key, starts over and finds it counted; SQLite has one writer at a time.
 */
export const credentialRepository: Repository<CredentialData, CredentialRow> = {
  toRow(event, { fit }) {
    const { data } = event
    // Null and empty are one principal, so one of them is stored.
    const principal = data.principal ? fit(data.principal, 256) : null
    const outcome = data.outcome == null ? null : fit(data.outcome, 16)
    const time = timeMicros(event)
    const key = [
      fit(data.attacker_ip, 64),
      fit(data.decky, 255),
      fit(data.service, 64),
      fit(data.secret_kind, 32),
      data.secret_sha256,
      principal ?? '',
    ]
    const values = [
      ...key,
      principal,
      data.secret_b64 === null ? null : fit(data.secret_b64, 2048),
      data.secret_printable === null ? null : fit(data.secret_printable, 512),
      outcome,
      outcome === null ? null : time,
      jsonThatFits(() => asciiJson(data.fields)),
      time,
      time,
      1,
    ]
    return { eventId: event.id, key, values }
  },

  async write(statements, rows) {
    const counted = await countedEvents(statements, rows)
    const fresh = rows.filter(({ eventId }) => {
      const isFresh = !counted.has(eventId)
      counted.add(eventId)
      return isFresh
    })
    if (fresh.length === 0) return
    await statements.insert(
      UPSERT,
      fresh.map(({ values }) => values),
    )
    const ids = await credentialIds(statements, fresh)
    await statements.insert(
      SIGHTINGS,
      fresh.map(({ eventId, key }) => [eventId, idOf(ids, key)]),
    )
  },
}

const asciiJson = (value: object): string =>
  JSON.stringify(value).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

async function countedEvents(
  statements: Statements,
  rows: readonly CredentialRow[],
): Promise<Set<unknown>> {
  const counted = new Set<unknown>()
  for (const asked of padded(rows.map(({ eventId }) => [eventId]))) {
    const sql = `select event_id from credential_sightings
      where ${isOneOf(['event_id'], asked.length, statements.dialect)}`
    for (const { event_id } of await statements.select(sql, asked.flat())) counted.add(event_id)
  }
  return counted
}

async function credentialIds(
  statements: Statements,
  rows: readonly CredentialRow[],
): Promise<Map<string, number>> {
  const keys = new Map(rows.map(({ key }) => [JSON.stringify(key), key]))
  const ids = new Map<string, number>()
  for (const asked of padded([...keys.values()])) {
    const sql = `select id, ${KEY.join(', ')} from credentials
      where ${isOneOf(KEY, asked.length, statements.dialect)}`
    for (const row of await statements.select(sql, asked.flat())) {
      ids.set(JSON.stringify(KEY.map((column) => row[column])), Number(row.id))
    }
  }
  return ids
}

function idOf(ids: ReadonlyMap<string, number>, key: readonly string[]): number {
  const id = ids.get(JSON.stringify(key))
  if (id === undefined) throw new Error('a credential is gone from its own transaction')
  return id
}

/** Cuts tuples into questions whose sizes are powers of two, so that few statements are prepared. */
function* padded<T>(tuples: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < tuples.length; start += MOST_ASKED) {
    const asked = tuples.slice(start, start + MOST_ASKED)
    const size = 2 ** Math.ceil(Math.log2(asked.length))
    const last = asked[asked.length - 1] as T
    yield [...asked, ...Array.from({ length: size - asked.length }, () => last)]
  }
}
