import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root, scratchFolder } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'

let dir = ''
beforeAll(() => {
  dir = scratchFolder()
  const lines = gunzipSync(readFileSync(join(root, 'samples/decnet.log.gz'))).toString()
  writeFileSync(join(dir, 'few.log'), lines.split('\n').slice(0, 40).join('\n'))
  writeFileSync(
    join(dir, 'few.yaml'),
    `name: few
description: Rows and a file
sources:
  lines: { type: syslog_file, path: /nowhere }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
sinks:
  rows: { type: repo, inputs: [parsed], entity: log }
  file: { type: ndjson_file, inputs: [parsed], path: /nowhere/either }
`,
  )
})
afterAll(() => rmSync(dir, { recursive: true }))
/** What `bin/decnet` sets, too: most of the time goes to starting the processes that are killed. */
const env = { NODE_COMPILE_CACHE: join(root, 'node_modules/.decnet-compiled') }
const inDir = (...args: string[]) => decnetHere(['pipeline', ...args], { cwd: dir, env })
const chaos = (...args: string[]) => inDir('chaos', 'few.yaml', '--capture', 'few.log', ...args)

describe('pipeline chaos', () => {
  it('finds rows and files the same after each kill, and says so', async () => {
    const { code, stdout, stderr } = await chaos('--kills', '1', '--batch-size', '20', '-o', 'json')
    expect(code, stderr).toBe(0)
    const report = JSON.parse(stdout)
    expect(report.repeating).toEqual([])
    for (const { kills, recovered } of report.boundaries) expect(recovered).toBe(kills)
  }, 60_000)

  it('takes a journal for several sources, lets others tick, and kills around journal writes', async () => {
    const relay = (more: string) => `name: relay
description: Two logs and a clock
sources:
  one: { type: syslog_file, path: few.log, follow: false, journal: true }
  two: { type: syslog_file, path: two.log, follow: false, journal: true }
${more}
`
    const lines = readFileSync(join(dir, 'few.log'), 'utf8')
    writeFileSync(join(dir, 'two.log'), lines.replaceAll('decky-', 'other-'))
    writeFileSync(
      join(dir, 'relay.yaml'),
      relay('sinks: { all: { type: stdout, inputs: [one, two] } }'),
    )
    expect((await inDir('record', 'relay.yaml', '--output', 'j')).code).toBe(0)
    const ticks = `  ticks: { type: interval, period: 1s }
sinks:
  all: { type: ndjson_file, inputs: [one, two, ticks], path: /nowhere }`
    writeFileSync(join(dir, 'relay.yaml'), relay(ticks))
    const { code, stdout, stderr } = await inDir(
      ...['chaos', 'relay.yaml', '--capture', 'j', '--kills', '1', '-o', 'json'],
    )
    expect(code, stderr).toBe(0)
    const { boundaries, repeating } = JSON.parse(stdout)
    expect(repeating).toEqual([])
    expect(boundaries.slice(0, 2)).toEqual(
      ['before', 'after'].map((when) => ({
        boundary: `journal.${when}_sync`,
        met: expect.any(Number),
        kills: 1,
        recovered: 1,
      })),
    )
  }, 120_000)

  it('exits 2 where the database has rows of somebody else', async () => {
    const url = `sqlite:${join(dir, 'mine.db')}`
    const replayed = await inDir(
      ...['replay', 'few.yaml', '--capture', 'few.log', '--sink', `db=${url}`],
    )
    expect(replayed.code).toBe(0)
    const { code, stderr } = await chaos('--kills', '1', '--sink', `db=${url}`)
    expect(stderr).toContain('must be empty')
    expect(code).toBe(2)
  })

  it('takes no folder for its sinks', async () => {
    expect((await chaos('--sink', 'out')).code).toBe(64)
  })
})
