/** The clusterers, killed at random moments in their ticks. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attackerUuid } from '../../protocols/named_uuid.ts'
import { type Database, openDatabase } from '../../store/database.ts'
import { followed } from '../../store/follow_rows.ts'
import type { PollQueryName } from '../../store/poll_queries.ts'
import { tableContents } from '../../store/table_contents.ts'
import { writeEvents } from '../../store/write_events.ts'
import { decnet, root, scratchFolder } from '../cli/decnet.ts'
import { testDatabases } from '../services/databases.ts'
import { attackerEvent } from '../store/events.ts'
import { seededRandom } from './mutate.ts'
import { sample, times } from './pipelines.ts'

const KILLS: Record<string, number> = {
  SQLite: times('KILLS', 10),
  MariaDB: times('KILLS_MARIADB', 5),
}
const BOUNDARY_KILLS = times('CHAOS', 24)
const ATTACKERS = times('CLUSTER_ATTACKERS', 1500)
const SEED = times('SEED', 11)
/** Long enough for a run on a busy machine, ms. */
const PATIENCE = 120_000
const TABLES = ['attackers', 'attacker_identities', 'campaigns']

/**
 * As shipped, but for what depends on when the machine was idle: each row is settled by itself. Small
 * batches and many checkpoints, so that a kill meets all there is to meet.
 */
function written(dir: string, name: string): string {
  const shipped = readFileSync(join(root, `pipelines/${name}.yaml`), 'utf8')
  const text = shipped
    .replace('settle: 1s', 'settle: 0s')
    .replace(/batch: \d+/, 'batch: 20')
    .replace(/\nsettings:\n(?: .*\n)+/, '')
    .replace(
      /\ntests:[\s\S]*$/,
      '\nsettings:\n  batch_size: 16\n  checkpoint: { interval: 100ms }\n',
    )
  expect(text).toContain('settle: 0s')
  expect(text).toContain('batch: 20\n')
  const path = join(dir, `${name}.yaml`)
  writeFileSync(path, text)
  return path
}

const last = (round: number) => `192.0.2.${round}`

/** Profiles with a few values in common; in the second round four in ten of them have others. */
async function profile(database: Database, round: number): Promise<void> {
  const random = seededRandom(SEED + round)
  const one = (name: string, share: number) =>
    random() < 0.6 ? [`${name}${Math.floor(random() * ATTACKERS * share)}`] : []
  const events = Array.from({ length: ATTACKERS }, (_, at) => {
    const [ja3] = one('j', 0.7)
    const session = {
      decky: `d${Math.floor(random() * 40)}`,
      phase: random() < 0.1 ? 'persistence' : 'discovery',
      started_at: Math.floor(random() * 1e10),
      duration_s: 600,
    }
    const event = attackerEvent(round * 1e6 + at, {
      attacker_ip: `10.${at >> 8}.${at & 255}.1`,
      attacker_uuid: attackerUuid(`10.${at >> 8}.${at & 255}.1`),
      event_count: round,
      fingerprints: ja3 === undefined ? [] : [{ kind: 'ja3', hash: ja3 }],
      evidence: {
        payload_hashes: one('p', 0.5),
        c2_endpoints: one('c', 0.5),
        sessions: [session],
      },
      updated_at: new Date(Date.UTC(2026, 2, round) + at * 100).toISOString(),
    })
    return round > 1 && random() < 0.6 ? [] : [event]
  }).flat()
  const sentinel = attackerEvent(round * 1e6 + ATTACKERS, {
    attacker_ip: last(round),
    attacker_uuid: attackerUuid(last(round)),
    evidence: {},
    updated_at: new Date(Date.UTC(2026, 2, round + 1)).toISOString(),
  })
  await writeEvents(database, 'attacker', [...events, sentinel])
}

async function conclusions(database: Database): Promise<string> {
  const tables = await tableContents(database)
  return tables
    .filter(({ name }) => TABLES.includes(name))
    .map(({ name, lines }) => `${name}\n${lines.join('\n')}`)
    .join('\n\n')
}

describe.each(testDatabases)('the clusterers on %s', (name, databases) => {
  let dir: string
  const open: Database[] = []
  beforeAll(async () => {
    await databases.start()
    dir = scratchFolder()
  }, 120_000)
  afterAll(async () => {
    await Promise.all(open.map((database) => database.close()))
    await databases.stop()
    rmSync(dir, { recursive: true, force: true })
  })
  const kills = KILLS[name] ?? 5

  async function fresh() {
    const url = await databases.fresh()
    const database = await openDatabase(url)
    open.push(database)
    return { url, database }
  }

  const start = (path: string, url: string, state: string) =>
    spawn(join(root, 'bin/decnet'), ['pipeline', 'run', path, '--state-dir', join(dir, state)], {
      env: {
        ...process.env,
        DECNET_DB_URL: url,
        DECNET_BUS_TYPE: 'memory',
        DECNET_LOG_LEVEL: 'error',
      },
      stdio: 'ignore',
    })

  /** @returns ms until the last row of the round was through */
  async function throughTo(
    isThrough: () => Promise<boolean>,
    path: string,
    url: string,
    state: string,
  ): Promise<number> {
    const begun = performance.now()
    const child = start(path, url, state)
    const ended = once(child, 'exit')
    while (!(await isThrough())) {
      if (performance.now() - begun > PATIENCE) throw new Error(`${state} is not through`)
      await pause(50)
    }
    const took = performance.now() - begun
    child.kill('SIGTERM')
    // Where an earlier run had got through, this one may not be up yet.
    expect([0, 'SIGTERM']).toContain((await ended).find((how) => how !== null))
    return took
  }

  const isLinked = (database: Database, round: number) => async () => {
    const rows = await database.select(
      'select 1 from attackers where ip = ? and identity_id is not null',
      [last(round)],
    )
    return rows.length > 0
  }
  const isAssigned = (database: Database, round: number) => async () => {
    const rows = await database.select(
      `select 1 from attackers a join attacker_identities i on i.uuid = a.identity_id
        where a.ip = ? and i.campaign_id is not null`,
      [last(round)],
    )
    return rows.length > 0
  }

  it(`end as uninterrupted ones do after ${kills} kills in each of two rounds`, async () => {
    const [clusterer, campaigns] = [written(dir, 'clusterer'), written(dir, 'campaign-clusterer')]
    const [whole, killed] = [await fresh(), await fresh()]
    const random = seededRandom(SEED)
    for (const round of [1, 2]) {
      for (const { database } of [whole, killed]) await profile(database, round)
      for (const [path, isThrough] of [
        [clusterer, isLinked],
        [campaigns, isAssigned],
      ] as const) {
        const took = await throughTo(isThrough(whole.database, round), path, whole.url, 'whole')
        for (let n = 0; n < kills; n++) {
          const child = start(path, killed.url, 'killed')
          const ended = once(child, 'exit')
          await pause(300 + random() * took)
          child.kill('SIGKILL')
          expect(await ended).toEqual([null, 'SIGKILL'])
        }
        await throughTo(isThrough(killed.database, round), path, killed.url, 'killed')
        const [expected, found] = [
          await conclusions(whole.database),
          await conclusions(killed.database),
        ]
        // Not toEqual, which would print megabytes.
        expect(found === expected, `${path}, round ${round}`).toBe(true)
      }
    }
    const [counts] = await whole.database.select(
      `select
        (select count(*) from attacker_identities where merged_into_uuid is not null) as merged,
        (select count(*) from campaigns where identity_count > 1) as large`,
    )
    expect(Number(counts?.merged)).toBeGreaterThan(10)
    expect(Number(counts?.large)).toBeGreaterThan(3)
  })
})

describe.each([
  ['clusterer', 'attackers', ['ingest', 'profiler'], 'profiler.attackers.ndjson'],
  [
    'campaign-clusterer',
    'identities',
    ['ingest', 'profiler', 'clusterer'],
    'clusterer.rows.ndjson',
  ],
])('chaos %s', (pipeline, source, before, file) => {
  it(`finds nothing after ${BOUNDARY_KILLS} kills`, () => {
    const dir = scratchFolder()
    const out = join(dir, 'out')
    decnet(['pipeline', 'replay', ...before, '--capture', sample, '--sink', out])
    // What the followed table gives of an event of the sink.
    const reader = followed(pollOf[source] ?? 'logs_after_id').reader()
    const rows = readFileSync(join(out, file), 'utf8')
      .trim()
      .split('\n', 1000)
      .map((line) => JSON.stringify(reader(JSON.parse(line))))
    const capture = join(dir, 'rows.ndjson')
    writeFileSync(capture, `${rows.join('\n')}\n`)
    const args = ['pipeline', 'chaos', pipeline, '--capture', `${source}=${capture}`]
    const { code, stdout, stderr } = decnet([...args, '--kills', String(BOUNDARY_KILLS)])
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('the same after each of')
    rmSync(dir, { recursive: true })
  })
})
const pollOf: Readonly<Record<string, PollQueryName>> = {
  attackers: 'attackers_after_change',
  identities: 'identities_after_change',
}
