import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decnet, root, scratchFolder } from './decnet.ts'

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
const chaos = (...args: string[]) =>
  decnet(['pipeline', 'chaos', 'few.yaml', '--capture', 'few.log', ...args], { cwd: dir })

describe('pipeline chaos', () => {
  it('finds rows and files the same after each kill, and says so', () => {
    const { code, stdout, stderr } = chaos('--kills', '1', '--batch-size', '20', '-o', 'json')
    expect(code, stderr).toBe(0)
    const report = JSON.parse(stdout)
    expect(report.repeating).toEqual([])
    for (const { kills, recovered } of report.boundaries) expect(recovered).toBe(kills)
  }, 60_000)

  it('takes a journal for several sources, lets others tick, and kills around journal writes', () => {
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
    expect(decnet(['pipeline', 'record', 'relay.yaml', '--output', 'j'], { cwd: dir }).code).toBe(0)
    const ticks = `  ticks: { type: interval, period: 1s }
sinks:
  all: { type: ndjson_file, inputs: [one, two, ticks], path: /nowhere }`
    writeFileSync(join(dir, 'relay.yaml'), relay(ticks))
    const { code, stdout, stderr } = decnet(
      ['pipeline', 'chaos', 'relay.yaml', '--capture', 'j', '--kills', '1', '-o', 'json'],
      { cwd: dir },
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

  it('exits 2 where the database has rows of somebody else', () => {
    const url = `sqlite:${join(dir, 'mine.db')}`
    const replayed = decnet(
      ['pipeline', 'replay', 'few.yaml', '--capture', 'few.log', '--sink', `db=${url}`],
      { cwd: dir },
    )
    expect(replayed.code).toBe(0)
    const { code, stderr } = chaos('--kills', '1', '--sink', `db=${url}`)
    expect(stderr).toContain('must be empty')
    expect(code).toBe(2)
  })

  it('takes no folder for its sinks', () => {
    expect(chaos('--sink', 'out').code).toBe(64)
  })
})
