import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../../store/database.ts'
import { countRows, tableContents } from '../../store/table_contents.ts'
import { decnet, root, scratchFolder } from '../cli/decnet.ts'
import { hasMariadb, type MariadbService, startMariadb } from '../services/mariadb.ts'
import { ingestFile, sampleLines, times } from './pipelines.ts'

const RESTARTS = times('MARIADB_RESTARTS', 2)
const present = hasMariadb()
const dir = scratchFolder()
let service: MariadbService
beforeAll(async () => {
  if (present) service = await startMariadb()
}, 120_000)
afterAll(async () => {
  await service?.stop()
  rmSync(dir, { recursive: true })
})

async function rowsOf(url: string): Promise<number> {
  const db = await openDatabase(url)
  try {
    return await countRows(db)
  } finally {
    await db.close()
  }
}

it.skipIf(!present)(
  `writes each row once though MariaDB is killed and restarted ${RESTARTS} times meanwhile`,
  async () => {
    const capture = join(dir, 'capture.log')
    writeFileSync(capture, `${sampleLines().join('\n')}\n`)
    const pipeline = join(dir, 'ingest.yaml')
    writeFileSync(pipeline, ingestFile(capture))
    const args = (name: string) => ['pipeline', 'run', pipeline, '--state-dir', join(dir, name)]
    const [whole, hit] = [await service.freshDatabase(), await service.freshDatabase()]
    expect(decnet(args('whole'), { env: { DECNET_DB_URL: whole } }).code).toBe(0)
    const all = await rowsOf(whole)

    const child = spawn(join(root, 'bin/decnet'), args('hit'), {
      env: { ...process.env, DECNET_DB_URL: hit },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr.on('data', (text) => {
      said += text
    })
    const ended = once(child, 'close')
    for (let restart = 1; restart <= RESTARTS; restart++) {
      // Each when a further part of the rows is there, so that it is under load.
      while ((await rowsOf(hit)) < (all * restart) / (RESTARTS + 2)) {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
      await service.kill()
      await service.start()
    }
    const [code] = await ended
    expect(code, said).toBe(0)
    expect(said).toContain('trying again')
    const [expected, found] = await Promise.all(
      [whole, hit].map(async (url) => {
        const db = await openDatabase(url)
        const tables = await tableContents(db)
        await db.close()
        return tables
      }),
    )
    expect(expected?.find(({ name }) => name === 'logs')?.lines.length).toBeGreaterThan(15_000)
    expect(found).toEqual(expected)
  },
)
