/** The pipelines that follow the tables, killed at random moments and at every boundary. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Database, openDatabase } from '../../store/database.ts'
import { tableContents } from '../../store/table_contents.ts'
import { decnet, root, scratchFolder } from '../cli/decnet.ts'
import { testDatabases } from '../services/databases.ts'
import { seededRandom } from './mutate.ts'
import { sample, times } from './pipelines.ts'

const KILLS: Record<string, number> = {
  SQLite: times('KILLS', 10),
  MariaDB: times('KILLS_MARIADB', 4),
}
const BOUNDARY_KILLS = times('CHAOS', 24)
/** Long enough for a run on a busy machine, ms. */
const PATIENCE = 120_000
const TABLES = ['attackers', 'attacker_behavior', 'smtp_targets', 'credential_reuse', 'credentials']

/** When a profile was told depends on when the machine was idle, and on nothing else. */
async function conclusions(database: Database) {
  const tables = await tableContents(database)
  return tables
    .filter(({ name }) => TABLES.includes(name))
    .map(({ name, lines }) => {
      const rows = lines.map((line) => JSON.stringify({ ...JSON.parse(line), updated_at: 0 }))
      return { name, rows: rows.sort() }
    })
}

/** Whether everything that the rows hold is in the conclusions. */
async function isThrough(database: Database): Promise<boolean> {
  const [sums = {}] = await database.select(
    `select
      (select sum(event_count) from attackers) as events,
      (select count(*) from logs where attacker_ip <> 'Unknown' and service <> 'mutator') as wanted,
      (select sum(credential_count) from attackers) as linked,
      (select count(*) from credentials where attacker_ip <> 'Unknown') as tried,
      (select count(*) from credentials
        where attacker_ip <> 'Unknown' and attacker_uuid is null) as unlinked,
      (select sum(attempt_count) from credential_reuse) as attempts,
      (select sum(n) from (select sum(attempt_count) as n from
        (select secret_sha256, secret_kind, principal_key, decky_name, service,
          sum(attempt_count) as attempt_count from credentials
          group by secret_sha256, secret_kind, principal_key, decky_name, service) pairs
        group by secret_sha256, secret_kind, principal_key having count(*) >= 2) found) as reused`,
  )
  const { events, wanted, linked, tried, unlinked, attempts, reused } = sums
  const pairs = [
    [events, wanted],
    [linked, tried],
    [unlinked, 0],
    [attempts, reused],
  ]
  return pairs.every(([one, other]) => Number(one) === Number(other))
}

describe.each(testDatabases)('profiler and reuse-correlator on %s', (name, databases) => {
  const open: Database[] = []
  beforeAll(() => databases.start(), 120_000)
  afterAll(async () => {
    await Promise.all(open.map((database) => database.close()))
    await databases.stop()
  })
  const kills = KILLS[name] ?? 4

  /** A database with the rows of the sample night. */
  async function filled() {
    const url = await databases.fresh()
    const args = ['pipeline', 'replay', 'ingest', '--capture', sample, '--sink', `db=${url}`]
    expect(decnet(args).code).toBe(0)
    const database = await openDatabase(url)
    open.push(database)
    return { url, database }
  }

  it(`end as an uninterrupted run does after ${kills} kills at random moments`, async () => {
    const dir = scratchFolder()
    const start = (url: string, state: string) =>
      spawn(
        join(root, 'bin/decnet'),
        ['pipeline', 'run', 'reuse-correlator', 'profiler', '--state-dir', join(dir, state)],
        {
          env: {
            ...process.env,
            DECNET_DB_URL: url,
            DECNET_BUS_TYPE: 'memory',
            DECNET_PROFILER_INTERVAL: '1',
            DECNET_LOG_LEVEL: 'error',
          },
          stdio: 'ignore',
        },
      )
    /** @returns ms until all was through */
    async function throughTo(database: Database, url: string, state: string): Promise<number> {
      const begun = performance.now()
      const child = start(url, state)
      const ended = once(child, 'exit')
      while (!(await isThrough(database))) {
        if (performance.now() - begun > PATIENCE) throw new Error(`${state} is not through`)
        await pause(100)
      }
      const took = performance.now() - begun
      child.kill('SIGTERM')
      // Where an earlier run had got through, this one may not be up yet.
      expect([0, 'SIGTERM']).toContain((await ended).find((how) => how !== null))
      return took
    }

    const whole = await filled()
    const took = await throughTo(whole.database, whole.url, 'whole')
    const expected = await conclusions(whole.database)
    expect(expected.find((table) => table.name === 'attackers')?.rows).toHaveLength(42)

    const killed = await filled()
    const random = seededRandom(times('SEED', 11))
    for (let n = 0; n < kills; n++) {
      const child = start(killed.url, 'killed')
      const ended = once(child, 'exit')
      await pause(300 + random() * took)
      child.kill('SIGKILL')
      expect(await ended).toEqual([null, 'SIGKILL'])
    }
    await throughTo(killed.database, killed.url, 'killed')
    // Not toEqual, which would print megabytes.
    for (const [index, { name: table, rows }] of (await conclusions(killed.database)).entries()) {
      expect(rows.join('\n') === expected[index]?.rows.join('\n'), table).toBe(true)
    }
    rmSync(dir, { recursive: true })
  })
})

describe.each([
  ['reuse-correlator', ''],
  ['profiler', 'rows='],
])('chaos %s', (pipeline, source) => {
  it(`finds nothing after ${BOUNDARY_KILLS} kills`, () => {
    const dir = scratchFolder()
    const out = join(dir, 'out')
    decnet(['pipeline', 'replay', 'ingest', '--capture', sample, '--sink', out])
    const rows = readFileSync(join(out, 'ingest.rows.ndjson'), 'utf8').split('\n', 3000)
    const capture = join(dir, 'rows.ndjson')
    writeFileSync(capture, `${rows.join('\n')}\n`)
    const args = ['pipeline', 'chaos', pipeline, '--capture', `${source}${capture}`]
    const { code, stdout, stderr } = decnet([...args, '--kills', String(BOUNDARY_KILLS)])
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('the same after each of')
    rmSync(dir, { recursive: true })
  })
})
