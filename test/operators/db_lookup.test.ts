import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { registry } from '../../cli/registry.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { type ResourceUse, silentLog } from '../../engine/context.ts'
import { harness } from '../../engine/harness.ts'
import { runPipelineTests } from '../../engine/pipeline_test.ts'
import { replay } from '../../engine/replay.ts'
import { startPipelines } from '../../engine/run.ts'
import { dbLookup } from '../../operators/db_lookup.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import type { Value } from '../../store/insert.ts'
import { lookUp, lookupQueryNames } from '../../store/lookup_queries.ts'
import { writeEvents } from '../../store/write_events.ts'
import { hasMariadb, startMariadb } from '../services/mariadb.ts'
import { credentialEvent, logEvent, TIME } from '../store/events.ts'

let dir: string
let database: Database
beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-lookup-'))
  database = await openDatabase(`sqlite:${join(dir, 'd.db')}`)
})
afterEach(async () => {
  await database.close()
  rmSync(dir, { recursive: true, force: true })
})

const [ONE, OTHER] = ['198.51.100.7', '203.0.113.9']

async function fill(rows: Database): Promise<void> {
  const later = logEvent(2, {}, TIME + 5000)
  await writeEvents(rows, 'log', [logEvent(1), later, logEvent(3, { attacker_ip: OTHER })])
  await writeEvents(rows, 'credential', [
    credentialEvent(1),
    credentialEvent(2, { principal: 'admin', principal_key: 'admin' }),
    credentialEvent(3, { principal: null, principal_key: '', secret_sha256: 'f'.repeat(64) }),
  ])
}

async function lookups(rows: Database): Promise<void> {
  await fill(rows)
  const unknown = ['192.0.2.1', '', "' or 1 = 1 --", `${ONE} `, 'x'.repeat(1024)]
  expect(await lookUp(rows, 'attacker_logs', [OTHER, ...unknown, ONE])).toEqual(
    new Map([
      [OTHER, { count: 1, first_seen: TIME, last_seen: TIME }],
      [ONE, { count: 2, first_seen: TIME, last_seen: TIME + 5000 }],
    ]),
  )
  expect(await lookUp(rows, 'attacker_credentials', [ONE, OTHER])).toEqual(
    new Map([[ONE, { principals: 2, secrets: 2 }]]),
  )
  // More than one statement takes.
  const many = Array.from({ length: 512 }, (_, n) =>
    n === 300 ? ONE : `10.0.${n >> 8}.${n & 255}`,
  )
  expect([...(await lookUp(rows, 'attacker_logs', many)).keys()]).toEqual([ONE])
}

/** Hears what is asked of a database, and answers nothing. */
function spyOn(real: Database) {
  const statements: [string, readonly Value[]][] = []
  const select: Database['select'] = async (sql, values = []) => {
    statements.push([sql, values])
    return []
  }
  return { statements, database: { ...real, dialect: real.dialect, select } }
}

describe('what db_lookup asks', () => {
  it('finds rows of the key in SQLite', () => lookups(database))

  it.skipIf(!hasMariadb())('finds rows of the key in MariaDB', { timeout: 120_000 }, async () => {
    const service = await startMariadb()
    const rows = await openDatabase(await service.freshDatabase())
    try {
      await lookups(rows)
      const seen = spyOn(rows)
      for (const name of lookupQueryNames) await lookUp(seen.database, name, [ONE])
      for (const [sql, values] of seen.statements) {
        const plan = await rows.select(`explain ${sql}`, values)
        const read = plan.filter(({ table }) => /^(logs|credentials)$/.test(String(table)))
        expect(read.length).toBeGreaterThan(1)
        for (const { key } of read) expect(key).toMatch(/^ix_\w+_attacker_ip$/)
      }
    } finally {
      await rows.close()
      await service.stop()
    }
  })

  it.each(lookupQueryNames)('%s reads by an index', async (name) => {
    const seen = spyOn(database)
    await lookUp(seen.database, name, [ONE])
    for (const [sql, values] of seen.statements) {
      const plan = await database.select(`explain query plan ${sql}`, values)
      const details = plan.map(({ detail }) => String(detail))
      const read = details.filter((detail) => /\b(logs|credentials)\b/.test(detail))
      expect(read.length).toBeGreaterThan(1)
      for (const detail of read) {
        expect(detail).toMatch(/^SEARCH \w+ USING (COVERING )?INDEX .*attacker_ip=\?/)
      }
    }
  })

  it('counts no further than 10000 rows', async () => {
    const rows = Array.from({ length: 10_050 }, (_, n) => logEvent(n + 1))
    await writeEvents(database, 'log', rows)
    const found = await lookUp(database, 'attacker_logs', [ONE])
    expect(found.get(ONE)).toMatchObject({ count: 10_000 })
  })
})

describe('db_lookup', () => {
  const config = { query: 'attacker_logs', into: 'seen' }

  it('leaves an event as it is where nothing is found and there is no default', () => {
    const run = harness(dbLookup, config, { [ONE]: null, [OTHER]: { count: 3 } })
    const events = [ONE, OTHER].map((attacker_ip) => ({ data: { attacker_ip, seen: 'before' } }))
    expect(run.send(...events).map(({ data }) => data.seen)).toEqual(['before', { count: 3 }])
  })

  it('fails events without a key of text, and passes on those whose key is null', () => {
    const run = harness(dbLookup, { ...config, key: 'data.ip' }, {})
    expect(run.send({ data: {} }, { data: { ip: 7 } }, { data: { ip: null } }).length).toBe(1)
    expect(run.errors.map(({ data }) => data.code)).toEqual(['CEL_EVALUATION', 'KEY_TYPE'])
  })

  const text = (more = '', journal = ', journal: true') => `name: look
description: Lines with what is known of their attacker
sources:
  lines: { type: ndjson_file, path: ${join(dir, 'in.ndjson')}, follow: false${journal} }
operators:
  seen: { type: db_lookup, inputs: [lines], query: attacker_logs, into: seen, default: never }
sinks:
  out: { type: ndjson_file, inputs: [seen], path: ${join(dir, 'out.ndjson')} }
${more}`
  const compiled = (source: string) => {
    const { plan, problems } = compilePipeline(source, 'look.yaml', { registry, env: {} })
    if (!plan) throw new Error(problems.map(({ message }) => message).join('\n'))
    return { plan, problems }
  }

  it('is replayed from the journal to the same bytes, though the rows have changed since', async () => {
    const { plan, problems } = compiled(text())
    expect(problems).toEqual([])
    await fill(database)
    const events = [ONE, OTHER, '192.0.2.1', ONE].map((attacker_ip, n) => ({
      topic: 't',
      time: 1000 + n,
      data: { attacker_ip },
    }))
    writeFileSync(
      join(dir, 'in.ndjson'),
      events.map((event) => `${JSON.stringify(event)}\n`).join(''),
    )
    const use: ResourceUse = async () => database as never
    const stateDir = join(dir, 'state')
    const running = await startPipelines({ plans: [plan], stateDir, use, log: silentLog })
    expect((await running.done).outcome).toBe('completed')
    const live = readFileSync(join(dir, 'out.ndjson'), 'utf8')
    expect(
      live
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).data.seen?.count ?? 'never'),
    ).toEqual([2, 1, 'never', 2])
    await writeEvents(database, 'log', [logEvent(9), logEvent(10, { attacker_ip: '192.0.2.1' })])
    const replayed = async (file: string, more: object) => {
      const sinkDir = join(dir, 'replayed')
      const options = { plans: [plan], captures: [{ file }], sinkDir, writeDatabase: false }
      await replay({ ...options, use, log: silentLog, ...more })
      return readFileSync(join(sinkDir, 'look.out.ndjson'), 'utf8')
    }
    for (const batchSize of [1, 512]) {
      const nothing = () => Promise.reject(new Error('a replay needs no database'))
      expect(await replayed(join(stateDir, 'look.journal'), { batchSize, use: nothing })).toBe(live)
    }
    expect(await replayed(join(dir, 'in.ndjson'), {})).toBe('')
    const now = await replayed(join(dir, 'in.ndjson'), { askLive: true })
    expect(
      now
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).data.seen.count),
    ).toEqual([3, 1, 1, 3])
  })

  it('is warned about where its answers are in no journal', () => {
    const { problems } = compiled(text('', ''))
    expect(problems).toMatchObject([{ severity: 'warning', code: 'NOT_RECORDED', line: 6 }])
    expect(problems[0]?.help).toContain('give lines "journal: true"')
  })

  it('is answered by the test of a pipeline', async () => {
    const send =
      '[{ data: { attacker_ip: a } }, { data: { attacker_ip: b } }, { data: { attacker_ip: c } }]'
    const { plan } = compiled(
      text(`tests:
  - name: what is known is there
    answers: { seen: { a: { count: 4 }, b: null } }
    steps:
      - send: { lines: ${send} }
        expect: { out: [{ data: { seen: { count: 4 } } }, { data: { seen: never } }] }
      - crash_and_restore: true
        expect: { seen.errors: [{ data: { code: NO_ANSWER } }] }
`),
    )
    const [result] = await runPipelineTests(plan)
    expect(result?.differences).toEqual([])
  })

  it.each([
    ['nobody: {}', 'which is no node'],
    ['lines: {}', 'which asks nothing'],
  ])('cannot be answered as %s', (answers, message) => {
    const tests = `tests: [{ name: t, answers: { ${answers} }, expect_none: [seen] }]\n`
    const { problems } = compilePipeline(text(tests), 'look.yaml', { registry, env: {} })
    expect(problems.map(({ code }) => code)).toEqual(['UNKNOWN_NODE'])
    expect(problems[0]?.message).toContain(message)
  })
})
