import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openDatabase } from '../../store/database.ts'
import { tableContents } from '../../store/table_contents.ts'
import { decnet, root, scratchFolder } from '../cli/decnet.ts'
import { correlatedFile, sampleLines } from './pipelines.ts'

/** Holds all that the run writes, but not beside the ballast. */
const DISK = '96m'
/** What is left beside the ballast: the first checkpoints fit, the rest does not. */
const LEFT_BYTES = 6 * 2 ** 20

const dir = scratchFolder()
const disk = join(dir, 'disk')
mkdirSync(disk)
const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', disk])
const mounted = mount.status === 0
if (!mounted) process.stderr.write('the test of a full disk is skipped: no right to mount\n')

const capture = join(dir, 'capture.log')
beforeAll(() => writeFileSync(capture, `${sampleLines().join('\n')}\n`))
afterAll(() => {
  if (mounted) spawnSync('umount', [disk])
  rmSync(dir, { recursive: true })
})

function set(home: string) {
  mkdirSync(home, { recursive: true })
  const pipeline = join(dir, 'ingest.yaml')
  writeFileSync(pipeline, correlatedFile(capture, join(home, 'files')))
  const url = `sqlite:${join(home, 'rows.db')}`
  const args = ['pipeline', 'run', pipeline, '--state-dir', join(home, 'state')]
  return { url, args, env: { DECNET_DB_URL: url } }
}

async function resultOf(home: string, url: string) {
  const db = await openDatabase(url)
  const tables = await tableContents(db)
  await db.close()
  const files = ['records', 'windows', 'sessions'].map((name) =>
    readFileSync(join(home, 'files', `${name}.ndjson`), 'utf8'),
  )
  return { tables, files }
}

it.skipIf(!mounted)(
  'waits for room on a full disk, and then loses and doubles nothing',
  async () => {
    const whole = join(dir, 'whole')
    const reference = set(whole)
    expect(decnet(reference.args, { env: reference.env }).code).toBe(0)

    const home = join(disk, 'home')
    const { url, args, env } = set(home)
    const { bavail, bsize } = statfsSync(disk)
    const ballast = join(disk, 'ballast')
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - LEFT_BYTES))
    const child = spawn(join(root, 'bin/decnet'), args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    let freed = false
    child.stderr.on('data', (text) => {
      said += text
      // Twice, so that a first retry has failed too.
      if (freed || (said.match(/trying again/g) ?? []).length < 3) return
      freed = true
      rmSync(ballast)
    })
    const [code] = await once(child, 'close')
    expect(freed, said).toBe(true)
    expect(code, said).toBe(0)
    const [expected, found] = [await resultOf(whole, reference.url), await resultOf(home, url)]
    expect(expected.tables.find(({ name }) => name === 'logs')?.lines.length).toBeGreaterThan(
      15_000,
    )
    expect(found.tables).toEqual(expected.tables)
    expect(found.files.map((text, index) => text === expected.files[index])).toEqual([
      true,
      true,
      true,
    ])
  },
)
