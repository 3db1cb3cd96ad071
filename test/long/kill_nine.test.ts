import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openDatabase } from '../../store/database.ts'
import { type TableContents, tableContents } from '../../store/table_contents.ts'
import { decnet, root, scratchFolder } from '../cli/decnet.ts'
import { testDatabases } from '../services/databases.ts'
import { seededRandom } from './mutate.ts'
import { correlatedFile, sampleLines, times } from './pipelines.ts'

/** A kill of each is at a random moment of one run after the other. */
const KILLS: Record<string, number> = {
  SQLite: times('KILLS', 20),
  MariaDB: times('KILLS_MARIADB', 5),
}

async function tablesOf(url: string): Promise<readonly TableContents[]> {
  const db = await openDatabase(url)
  try {
    return await tableContents(db)
  } finally {
    await db.close()
  }
}

describe.each(testDatabases)('ingest and correlate on %s', (name, databases) => {
  beforeAll(() => databases.start(), 120_000)
  afterAll(() => databases.stop())
  const kills = KILLS[name] ?? 5

  it(`end as an uninterrupted run does after ${kills} kills at random moments`, async () => {
    const dir = scratchFolder()
    const capture = join(dir, 'capture.log')
    writeFileSync(capture, `${sampleLines().join('\n')}\n`)
    const args = (which: string) => {
      const pipeline = join(dir, `${which}.yaml`)
      writeFileSync(pipeline, correlatedFile(capture, join(dir, `${which}_files`)))
      return ['pipeline', 'run', pipeline, '--state-dir', join(dir, which)]
    }
    const urls = { whole: await databases.fresh(), killed: await databases.fresh() }
    const env = (which: keyof typeof urls) => ({ DECNET_DB_URL: urls[which] })

    const begun = performance.now()
    expect(decnet(args('whole'), { env: env('whole') }).code).toBe(0)
    const wholeRun = performance.now() - begun

    const random = seededRandom(times('SEED', 9))
    let killed = 0
    let rounds = 0
    for (; rounds < kills * 25 && killed < kills; rounds++) {
      const child = spawn(join(root, 'bin/decnet'), args('killed'), {
        env: { ...process.env, ...env('killed') },
        stdio: 'ignore',
      })
      const ended = once(child, 'exit')
      const timer = setTimeout(() => child.kill('SIGKILL'), random() * wholeRun)
      const [code, signal] = await ended
      clearTimeout(timer)
      if (signal === 'SIGKILL') killed += 1
      else expect(code).toBe(0)
      // At its end it is compared, and the state starts over, for there must be more to kill.
      if (signal !== 'SIGKILL') await compare(`round ${rounds}`)
    }
    expect(killed).toBe(kills)
    expect(decnet(args('killed'), { env: env('killed') }).code).toBe(0)
    await compare('the end')
    rmSync(dir, { recursive: true })

    async function compare(when: string): Promise<void> {
      const expected = await tablesOf(urls.whole)
      const logs = expected.find((table) => table.name === 'logs')
      expect(logs?.lines.length).toBeGreaterThan(15_000)
      expect(await tablesOf(urls.killed), when).toEqual(expected)
      for (const file of ['records.ndjson', 'windows.ndjson', 'sessions.ndjson']) {
        const [whole, found] = ['whole', 'killed'].map((which) =>
          readFileSync(join(dir, `${which}_files`, file), 'utf8'),
        )
        expect(whole?.length, file).toBeGreaterThan(1000)
        // Not toEqual, which would print megabytes.
        expect(found === whole, `${file} at ${when}`).toBe(true)
      }
      rmSync(join(dir, 'killed'), { recursive: true, force: true })
      rmSync(join(dir, 'killed_files'), { recursive: true, force: true })
    }
  })
})
