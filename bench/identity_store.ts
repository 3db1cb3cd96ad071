/**
 * Rows of attackers in SQLite → identities in SQLite: the process of the pipeline `clusterer`, from its
 * start until every attacker has an identity, with room for as many as there are. Goal: a million in
 * less than 60 s.
 */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { openDatabase } from '../store/database.ts'
import { chances, seen } from './_cluster_corpus.ts'
import { clock, goal, inScratch, row } from './_measure.ts'

const N = Number(process.env.DECNET_BENCH_ATTACKERS ?? 1_000_000)
const MOST_SECONDS = (60 * N) / 1_000_000
const root = join(import.meta.dirname, '..')
const FIRST = 1_772_355_600_000_000

/** As the profiler leaves them: bounties and evidence of each address. */
function fill(file: string): void {
  const database = new Database(file)
  const below = chances(N)
  const attacker = database.prepare(
    `insert into attackers (uuid, ip, first_seen, last_seen, event_count, service_count, services,
      decky_count, deckies, is_traversal, bounty_count, credential_count, fingerprints, commands,
      evidence, updated_at) values (?, ?, ?, ?, 1, 1, '["ssh"]', 1, '["web-01"]', 0, 0, 0, ?, '[]', ?, ?)`,
  )
  const change = database.prepare('insert into attacker_changes (uuid) values (?)')
  database.transaction(() => {
    for (let at = 0; at < N; at++) {
      const uuid = `00000000-0000-8000-8000-${at.toString(16).padStart(12, '0')}`
      const { ja3, hassh, payload_hashes, c2_endpoints } = seen(N, below)
      const found = [
        ja3 !== null && { fingerprint_type: 'ja3', ja3 },
        hassh !== null && { fingerprint_type: 'hassh', hash: hassh },
      ].flatMap((payload) => (payload ? [{ bounty_type: 'fingerprint', payload }] : []))
      const rest = { credentials: [], commands_by_phase: {}, sessions: [] }
      const evidence = { payload_hashes, c2_endpoints, ...rest }
      const time = FIRST + at * 1000
      const ip = `10.${at >> 16}.${(at >> 8) & 255}.${at & 255}`
      attacker.run(uuid, ip, time, time, JSON.stringify(found), JSON.stringify(evidence), time)
      change.run(uuid)
    }
  })()
  database.close()
}

const pipeline = readFileSync(join(root, 'pipelines/clusterer.yaml'), 'utf8').replace(
  /max_keys: \d+/,
  `max_keys: ${3 * N}`,
)

await inScratch(async (folder) => {
  const file = join(folder, 'decnet.db')
  await (await openDatabase(`sqlite:${file}`)).close()
  fill(file)
  const path = join(folder, 'clusterer.yaml')
  writeFileSync(path, pipeline)
  const began = clock()
  const args = ['pipeline', 'run', path, '--state-dir', join(folder, 'state')]
  const child = spawn(join(root, 'bin/decnet'), args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      DECNET_DB_URL: `sqlite:${file}`,
      DECNET_BUS_TYPE: 'memory',
      DECNET_LOG_LEVEL: 'warn',
      NODE_OPTIONS: '--max-old-space-size=12288',
    },
  })
  const database = new Database(file, { readonly: true })
  const open = database.prepare('select 1 from attackers where identity_id is null limit 1')
  let ended: number | null = null
  child.once('exit', (code) => {
    ended = code ?? 1
  })
  while (open.get() !== undefined) {
    if (ended !== null) throw new Error(`the clusterer ended with ${ended}`)
    await wait(100)
  }
  const seconds = (clock() - began) / 1000
  const [{ identities }] = database
    .prepare(
      'select count(*) as identities from attacker_identities where merged_into_uuid is null',
    )
    .all() as [{ identities: number }]
  database.close()
  const rate = Math.round(N / seconds).toLocaleString('en')
  row('rows to rows', `${N.toLocaleString('en')} addresses`, `${seconds.toFixed(1)} s`, `${rate}/s`)
  row('', `${identities.toLocaleString('en')} identities`)
  goal('seconds from rows to identities', seconds, { most: MOST_SECONDS })
  child.kill('SIGTERM')
  await new Promise((resolve) =>
    ended === null ? child.once('exit', resolve) : resolve(undefined),
  )
})
