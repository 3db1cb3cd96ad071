import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registry } from '../../cli/registry.ts'
import { liveClock } from '../../engine/clock.ts'
import { compileNode, compilePipeline } from '../../engine/compile.ts'
import { makeContext, type ResourceUse, silentLog } from '../../engine/context.ts'
import { newCounters } from '../../engine/counters.ts'
import type { Chunk } from '../../engine/define.ts'
import { replay } from '../../engine/replay.ts'
import { startPipelines } from '../../engine/run.ts'
import { attackerUuid } from '../../protocols/named_uuid.ts'
import { dbPoll } from '../../sources/db_poll.ts'
import { noteChanges } from '../../store/changes.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import { followed } from '../../store/follow_rows.ts'
import { pollRows } from '../../store/poll_queries.ts'
import { writeEvents } from '../../store/write_events.ts'
import { hasMariadb, startMariadb } from '../services/mariadb.ts'
import {
  attackerEvent,
  bountyEvent,
  credentialEvent,
  eventId,
  logEvent,
  TIME,
} from '../store/events.ts'
import { until } from './source_run.ts'

let dir: string
let database: Database
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-poll-'))
  database = await openDatabase(`sqlite:${join(dir, 'd.db')}`)
})
afterEach(async () => {
  await database.close()
  rmSync(dir, { recursive: true, force: true })
})

const addLogs = (...numbers: number[]) =>
  writeEvents(
    database,
    'log',
    numbers.map((number) => logEvent(number)),
  )
const HOUR = '1h'

/** The source as the engine pulls it, on a database that may be away. */
function polling(config: object, position?: { after: number }, isAway = () => false) {
  const stop = new AbortController()
  const counters = newCounters()
  let passes = 0
  const use: ResourceUse = async () => {
    passes += 1
    if (isAway()) throw new Error('the database is away')
    return database as never
  }
  const context = makeContext({
    pipeline: 'test',
    node: 'rows',
    clock: liveClock,
    signal: stop.signal,
    log: silentLog,
    use,
    counters,
  })
  const decoded = compileNode(dbPoll, { query: 'logs_after_id', period: HOUR, ...config })
  const chunks = dbPoll.read(decoded as never, position, context)[Symbol.asyncIterator]()
  const pull = async () => {
    const { value } = (await chunks.next()) as { value: Chunk<{ after: number }> }
    const ids = value.events.map((event) => ('failure' in event ? '-' : Number(`0x${event.id}`)))
    return { ids, position: value.position, events: value.events }
  }
  return {
    pull,
    stop,
    counters,
    wakeup: context.wakeup,
    passes: () => passes,
    next: () => chunks.next(),
  }
}

describe('db_poll', () => {
  it('gives the rows as they were written, and goes on behind its position', async () => {
    await addLogs(1, 2, 3)
    const first = polling({ batch: 2 })
    const { ids, position, events } = await first.pull()
    expect(ids).toEqual([1, 2])
    expect(events[0]).toEqual(logEvent(1))
    const second = polling({ batch: 2 }, position)
    expect(await second.pull()).toMatchObject({ ids: [3], position: { after: 3 } })
    first.stop.abort()
    second.stop.abort()
  })

  it('looks again when woken, also when that was during a pass, and only then', async () => {
    await addLogs(1)
    const run = polling({})
    await run.pull()
    const next = run.pull()
    await until(() => run.passes() === 1)
    await addLogs(2)
    run.wakeup.ring()
    expect(await next).toMatchObject({ ids: [2] })
    // Rung while nobody waits: the next wait is none.
    await addLogs(3)
    run.wakeup.ring()
    run.wakeup.ring()
    expect(await run.pull()).toMatchObject({ ids: [3] })
    const end = run.next()
    run.stop.abort()
    expect(await end).toMatchObject({ done: true })
  })

  it('waits a while after it was woken, so that the row is there and many wakes are one', async () => {
    await addLogs(1)
    const run = polling({ debounce: '150ms' })
    await run.pull()
    const next = run.pull()
    await until(() => run.passes() === 1)
    run.wakeup.ring()
    // Whoever rang commits only now, and rings for the next one.
    await addLogs(2)
    run.wakeup.ring()
    await addLogs(3)
    expect(await next).toMatchObject({ ids: [2, 3] })
    expect(run.passes()).toBe(2)
    run.stop.abort()
  })

  it('goes on behind the last row of a database that was restored from a backup', async () => {
    await addLogs(1, 2)
    const run = polling({ period: '10ms' }, { after: 500 })
    // Kept though nothing comes with it: by the next start there may be as many rows again.
    expect(await run.pull()).toMatchObject({ ids: [], position: { after: 2 } })
    await addLogs(3)
    expect(await run.pull()).toMatchObject({ ids: [3], position: { after: 3 } })
    expect(run.counters.reasons.get('went_back')).toBe(1)
    run.stop.abort()
  })

  it('reads what has changed anew from a database that was restored, for that may be read twice', async () => {
    await writeEvents(database, 'attacker', [attackerEvent(1)])
    const run = polling({ query: 'attackers_after_change' }, { after: 500 })
    expect(await run.pull()).toMatchObject({ ids: [], position: { after: 0 } })
    expect(await run.pull()).toMatchObject({ events: [{ topic: 'attacker.stored' }] })
    run.stop.abort()
  })

  it('says nothing where the last row is the one that was read', async () => {
    await addLogs(1)
    const run = polling({ period: '10ms' }, { after: 1 })
    const next = run.pull()
    await until(() => run.passes() >= 3)
    await addLogs(2)
    expect(await next).toMatchObject({ ids: [2] })
    expect(run.counters.reasons.get('went_back')).toBeUndefined()
    run.stop.abort()
  })

  it('asks a database that was away again', async () => {
    await addLogs(1)
    let away = true
    const run = polling({ period: '10ms' }, undefined, () => away)
    const next = run.pull()
    await until(() => run.passes() >= 3)
    away = false
    expect(await next).toMatchObject({ ids: [1] })
    expect(run.counters.reasons.get('query_failed')).toBeGreaterThanOrEqual(3)
    run.stop.abort()
  })

  it('follows credentials, without their secrets, and bounties', async () => {
    await writeEvents(database, 'credential', [credentialEvent(1), credentialEvent(2)])
    await writeEvents(database, 'bounty', [bountyEvent(1)])
    const [credential] = await pollRows(database, 'credentials_after_id', 0, 10)
    expect(credential?.item).toMatchObject({
      topic: 'credential.stored',
      time: TIME,
      data: { principal: 'root', decky: 'web-01', attempt_count: 2 },
    })
    expect(JSON.stringify(credential)).not.toMatch(/hunter2|aHVudGVyMg/)
    const [bounty] = await pollRows(database, 'bounties_after_id', 0, 10)
    expect(bounty?.item).toMatchObject({ topic: 'bounty.stored', data: bountyEvent(1).data })
  })

  it('follows attackers by what has changed, each as it stands now', async () => {
    const of = (number: number, ip: string, count: number) =>
      attackerEvent(number, {
        attacker_ip: ip,
        attacker_uuid: attackerUuid(ip),
        event_count: count,
        evidence: { payload_hashes: [`p${count}`] },
      })
    await writeEvents(database, 'attacker', [of(1, '198.51.100.1', 1), of(2, '198.51.100.2', 1)])
    const seen = async (after: number) =>
      (await pollRows(database, 'attackers_after_change', after, 10)).map(({ id, item }) => [
        id,
        item && 'data' in item && item.data.attacker_ip,
        item && 'data' in item && item.data.payload_hashes,
      ])
    expect(await seen(0)).toEqual([
      [1, '198.51.100.1', ['p1']],
      [2, '198.51.100.2', ['p1']],
    ])
    await writeEvents(database, 'attacker', [of(3, '198.51.100.1', 2), of(4, '198.51.100.1', 3)])
    // Whoever has read up to 2 sees it again, whoever begins sees it once.
    expect(await seen(2)).toEqual([[3, '198.51.100.1', ['p3']]])
    expect(await seen(0)).toHaveLength(2)
    const [first] = await pollRows(database, 'attackers_after_change', 0, 1)
    const told = {
      topic: 'attacker.stored',
      time: Date.parse('2026-03-01T09:00:36Z'),
      data: {
        attacker_uuid: attackerUuid('198.51.100.2'),
        attacker_ip: '198.51.100.2',
        fingerprints: [],
        asn: 64500,
        payload_hashes: ['p1'],
        first_seen: '2026-03-01T09:00:00.000000+00:00',
        last_seen: '2026-03-01T09:00:06.123456+00:00',
      },
    }
    expect(first?.item).toEqual({ ...told, data: { ...told.data, identity_id: null } })
    // What the follower of a replay makes of the event is the same, but for what the table alone knows.
    expect(followed('attackers_after_change').reader()(of(2, '198.51.100.2', 1))).toEqual(told)
  })

  it('goes on behind changes of rows that are gone', async () => {
    await writeEvents(database, 'attacker', [attackerEvent(1)])
    const { em } = database.orm
    await em.getConnection().execute('delete from attackers')
    const run = polling({ query: 'attackers_after_change', period: '10ms' })
    const next = run.pull()
    await until(() => run.passes() >= 2)
    await writeEvents(database, 'attacker', [attackerEvent(2, { attacker_ip: '198.51.100.9' })])
    expect(await next).toMatchObject({ position: { after: 2 } })
    run.stop.abort()
  })

  it('follows identities, also those that somebody else has written', async () => {
    const { em } = database.orm
    await em.getConnection().execute(
      `insert into attacker_identities (uuid, created_at, updated_at, payload_simhashes, c2_endpoints)
        values ('i1', 1, 2000, '["h", null, 7]', 'oops'), ('i2', 1, 2000, '["h", null, 7]', '{}')`,
    )
    await em.getConnection().execute(`insert into identity_changes (uuid) values ('i1'), ('i2')`)
    const [bad, good] = await pollRows(database, 'identities_after_change', 0, 10)
    expect(bad?.item).toMatchObject({ failure: { code: 'BAD_ROW' } })
    expect(good?.item).toMatchObject({
      topic: 'identity.stored',
      time: 2,
      data: {
        identity_uuid: 'i2',
        merged_into_uuid: null,
        features: { payload_hashes: ['h', '7'], c2_endpoints: [], decky_set: [] },
      },
    })
  })

  it('sets a row aside that holds no JSON', async () => {
    await addLogs(1, 2)
    const { em } = database.orm
    await em.getConnection().execute("update logs set fields = 'oops' where id = 1")
    const { events } = await polling({}).pull()
    expect(events).toMatchObject([{ failure: { code: 'BAD_ROW' } }, { id: eventId(2) }])
  })

  it.runIf(hasMariadb())('waits on MariaDB for a change that is not committed yet', async () => {
    const service = await startMariadb()
    const url = await service.freshDatabase()
    const [one, other] = [await openDatabase(url), await openDatabase(url)]
    const of = (number: number, ip: string) =>
      attackerEvent(number, { attacker_ip: ip, attacker_uuid: attackerUuid(ip) })
    try {
      await writeEvents(one, 'attacker', [of(1, '198.51.100.1'), of(2, '198.51.100.2')])
      const { promise: committed, resolve: commit } = Promise.withResolvers<void>()
      let noted = false
      const slow = one.transaction(async (statements) => {
        await statements.update('update attackers set asn = 7 where ip = ?', ['198.51.100.1'])
        await noteChanges(statements, 'attackers', [attackerUuid('198.51.100.1')])
        noted = true
        await committed
      })
      await until(() => noted)
      // Whether it waits for the other writer, too, is for the server to say.
      const later = writeEvents(other, 'attacker', [of(3, '198.51.100.2')])
      const polled = pollRows(other, 'attackers_after_change', 2, 10)
      const meanwhile = other.select('select sleep(0.3) as slept').then(() => 'nothing read')
      expect(await Promise.race([polled, meanwhile])).toBe('nothing read')
      commit()
      await slow
      const [first] = await polled
      expect(first).toMatchObject({ id: 3, item: { data: { asn: 7 } } })
      await later
      const rest = await pollRows(other, 'attackers_after_change', 3, 10)
      expect(rest).toMatchObject([{ item: { data: { attacker_ip: '198.51.100.2' } } }])
    } finally {
      await one.close()
      await other.close()
      await service.stop()
    }
  })

  it.runIf(hasMariadb())('waits on MariaDB for a row that is not committed yet', async () => {
    const service = await startMariadb()
    const url = await service.freshDatabase()
    const one = await openDatabase(url)
    const other = await openDatabase(url)
    try {
      let commit = () => {}
      const committed = new Promise<void>((resolve) => {
        commit = resolve
      })
      let inserted = false
      const slow = one.transaction(async (statements) => {
        await statements.insert({ table: 'bounty', columns: BOUNTY_COLUMNS }, [
          [1, 'd', 's', '1.1.1.1', 't', '{}', 'a'.repeat(64)],
        ])
        inserted = true
        await committed
      })
      await until(() => inserted)
      await writeEvents(other, 'bounty', [bountyEvent(1)])
      const polled = pollRows(other, 'bounties_after_id', 0, 10)
      const meanwhile = other.select('select sleep(0.3) as slept').then(() => 'nothing read')
      expect(await Promise.race([polled, meanwhile])).toBe('nothing read')
      commit()
      await slow
      expect((await polled).map(({ id }) => id)).toEqual([1, 2])
    } finally {
      await one.close()
      await other.close()
      await service.stop()
    }
  })
})

const BOUNTY_COLUMNS = [
  'timestamp',
  'decky',
  'service',
  'attacker_ip',
  'bounty_type',
  'payload',
  'payload_sha256',
]

describe('a pipeline with db_poll', () => {
  const text = (wake: string) => `
name: polling
description: Rows of the database, looked for when a line comes
sources:
  lines: { type: syslog_file, path: ${join(dir, 'bell.log')}, poll: 10ms }
  rows: { type: db_poll, query: logs_after_id, period: 1h, wake: [${wake}] }
operators:
  seen: { type: filter, inputs: [rows], where: 'data.decky != ""' }
sinks:
  out: { type: ndjson_file, inputs: [seen], path: ${join(dir, 'out.ndjson')} }
`
  const compiled = (wake: string) =>
    compilePipeline(text(wake), 'polling.yaml', { registry, env: {} })

  it('is woken by a node that nothing else reads', async () => {
    const { plan, problems } = compiled('lines')
    if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'))
    writeFileSync(join(dir, 'bell.log'), '')
    const use: ResourceUse = async () => database as never
    const stateDir = join(dir, 'state')
    const running = await startPipelines({ plans: [plan], stateDir, use, log: silentLog })
    const written = () => {
      try {
        return readFileSync(join(dir, 'out.ndjson'), 'utf8').trim().split('\n')
      } catch {
        return [] // not there yet
      }
    }
    try {
      for (const number of [1, 2, 3]) {
        await addLogs(number)
        appendFileSync(join(dir, 'bell.log'), 'ding\n')
        await until(() => written().length === number && written()[0] !== '')
      }
    } finally {
      running.stop()
    }
    expect((await running.done).outcome).toBe('stopped')
    expect(written().map((row) => JSON.parse(row).id)).toEqual([1, 2, 3].map(eventId))
  })

  it('replays a capture of events', async () => {
    const { plan } = compiled('lines, seen')
    if (!plan) throw new Error('does not compile')
    const file = join(dir, 'capture.ndjson')
    writeFileSync(file, [1, 2].map((number) => `${JSON.stringify(logEvent(number))}\n`).join(''))
    const captures = [
      { source: 'rows', file },
      { source: 'lines', file: join(dir, 'empty.log') },
    ]
    writeFileSync(join(dir, 'empty.log'), '')
    const use = () => Promise.reject(new Error('a replay needs no database'))
    const sinkDir = join(dir, 'replayed')
    await replay({ plans: [plan], captures, sinkDir, writeDatabase: false, use, log: silentLog })
    const rows = readFileSync(join(sinkDir, 'polling.out.ndjson'), 'utf8').trim().split('\n')
    expect(rows.map((row) => JSON.parse(row))).toEqual([logEvent(1), logEvent(2)])
  })

  it.each([
    ['nowhere', 'UNKNOWN_INPUT'],
    ['out', 'SINK_AS_INPUT'],
    ['seen.other', 'UNKNOWN_PORT'],
  ])('says that %s cannot wake it', (wake, code) => {
    const codes = compiled(wake).problems.map((problem) => problem.code)
    expect(codes).toContain(code)
  })

  it('may be woken by what comes of its own rows, and a source that reads nothing by none', () => {
    expect(compiled('lines, seen, out.errors').problems).toEqual([])
    const wrong = text('lines').replace('poll: 10ms', 'wake: [rows]')
    const { problems } = compilePipeline(wrong, 'polling.yaml', { registry, env: {} })
    expect(problems.map(({ code }) => code)).toEqual(['UNKNOWN_KEY'])
  })
})
