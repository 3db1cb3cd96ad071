import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import { decnet, root, scratchFolder } from '../cli/decnet.ts'
import { seededRandom } from './mutate.ts'
import { ingestFile, sampleLines, times } from './pipelines.ts'

const KILLS = times('KILLS', 20)

interface Tables {
  logs: unknown[]
  credentials: unknown[]
}

/** Everything but the keys the database counts up by itself. */
function tablesOf(db: string): Tables {
  const file = new Database(db, { readonly: true })
  const without = (row: Record<string, unknown>) => {
    const { id: _, ...rest } = row
    return rest
  }
  const all = (sql: string) => (file.prepare(sql).all() as Record<string, unknown>[]).map(without)
  const tables = {
    logs: all('SELECT * FROM logs ORDER BY event_id'),
    credentials: all(`SELECT * FROM credentials
      ORDER BY attacker_ip, decky_name, service, secret_kind, secret_sha256, principal_key`),
  }
  file.close()
  return tables
}

it(`ends with the tables of an uninterrupted run after ${KILLS} kills at random moments`, async () => {
  const dir = scratchFolder()
  const capture = join(dir, 'capture.log')
  writeFileSync(capture, `${sampleLines().join('\n')}\n`)
  const pipeline = join(dir, 'ingest.yaml')
  writeFileSync(pipeline, ingestFile(capture))
  const args = (name: string) => ['pipeline', 'run', pipeline, '--state-dir', join(dir, name)]
  const env = (name: string) => ({ DECNET_DB_URL: `sqlite:${join(dir, `${name}.db`)}` })

  const begun = performance.now()
  expect(decnet(args('whole'), { env: env('whole') }).code).toBe(0)
  const wholeRun = performance.now() - begun

  const random = seededRandom(9)
  let killed = 0
  for (let round = 0; round < 500 && killed < KILLS; round++) {
    const child = spawn(join(root, 'bin/decnet'), args('killed'), {
      env: { ...process.env, ...env('killed') },
      stdio: 'ignore',
    })
    const ended = once(child, 'exit')
    // The state must not be at its end before the last kill, so it is started over when it is.
    const moment = random() * wholeRun
    const timer = setTimeout(() => child.kill('SIGKILL'), moment)
    const [, signal] = await ended
    clearTimeout(timer)
    if (signal === 'SIGKILL') killed += 1
    else rmSync(join(dir, 'killed'), { recursive: true })
  }
  expect(killed).toBe(KILLS)
  expect(decnet(args('killed'), { env: env('killed') }).code).toBe(0)
  const expected = tablesOf(join(dir, 'whole.db'))
  expect(expected.logs.length).toBeGreaterThan(15_000)
  expect(tablesOf(join(dir, 'killed.db'))).toEqual(expected)
  rmSync(dir, { recursive: true })
})
