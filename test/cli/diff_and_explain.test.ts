import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decnet, scratchFolder } from './decnet.ts'

const CAPTURE = 'samples/decnet.log.gz'

let dir: string
/** `ingest` as shipped, with one more service that it does not want. */
let edited: string
/** Replays of `ingest` as shipped and edited. */
let before: string
let after: string
beforeAll(() => {
  dir = scratchFolder()
  edited = join(dir, 'ingest.yaml')
  const shipped = readFileSync('pipelines/ingest.yaml', 'utf8')
  writeFileSync(edited, shipped.replace(':-sshd,', ':-http,sshd,'))
  before = replay('ingest', 'before')
  after = replay(edited, 'after')
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function replay(pipeline: string, name: string): string {
  const out = join(dir, name)
  const ended = decnet(['pipeline', 'replay', pipeline, '--capture', CAPTURE, '--sink', out])
  expect(ended).toMatchObject({ code: 0 })
  return out
}

describe('decnet pipeline diff', () => {
  it('exits 0 and says `same` for two replays of one pipeline', () => {
    const ended = decnet(['pipeline', 'diff', before, before])
    expect(ended).toEqual({ code: 0, stdout: 'ingest: same\n', stderr: '' })
  })

  it('exits 1 and names the node and the event for an edited condition', () => {
    const { code, stdout } = decnet(['pipeline', 'diff', before, after])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^ {2}first at operator wanted \(filter\): same input, other output$/m)
    expect(stdout).toMatch(/^ {4}event [0-9a-f]{32}, 2026-/m)
    expect(stdout).toMatch(/^ {4}passed in A, filtered in B$/m)
    expect(stdout).toMatch(/^ {2}rows: [\d,]+ removed, 0 added, 0 changed$/m)
    const json = decnet(['pipeline', 'diff', before, after, '-o', 'json', '--most', '1'])
    expect(JSON.parse(json.stdout)).toMatchObject({
      different: true,
      pipelines: [{ pipeline: 'ingest', parting: { node: { id: 'wanted' }, verdict: 'parts' } }],
    })
  })

  it('exits 2 where it cannot tell', () => {
    const { code, stdout, stderr } = decnet(['pipeline', 'diff', dir, dir])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error\[NOT_A_REPLAY\]: /)
  })
})

describe('decnet pipeline replay --against', () => {
  const against = (...more: string[]) =>
    decnet(['pipeline', 'replay', 'ingest', '--capture', CAPTURE, '--against', ...more])

  it('compares the pipeline with an edited one, and leaves nothing behind', () => {
    expect(against('ingest')).toMatchObject({ code: 0, stdout: 'ingest: same\n' })
    const { code, stdout } = against(edited)
    expect(code).toBe(1)
    expect(stdout).toContain('first at operator wanted (filter)')
  })

  it('keeps both runs where it is told to', () => {
    const out = join(dir, 'out')
    expect(against(edited, '--sink', out, '-o', 'json').code).toBe(1)
    expect(existsSync(join(out, 'a/ingest.rows.ndjson'))).toBe(true)
    expect(decnet(['pipeline', 'diff', join(out, 'a'), join(out, 'b')]).code).toBe(1)
  })

  it('writes to no database, and refuses a pipeline with errors', () => {
    expect(against('ingest', '--sink', 'db=sqlite::memory:').code).toBe(64)
    const broken = join(dir, 'broken.yaml')
    writeFileSync(broken, 'name: broken\n')
    expect(against(broken).code).toBe(78)
  })
})

describe('decnet pipeline explain-event', () => {
  it('tells the way of an event that the difference names', () => {
    const diff = decnet(['pipeline', 'diff', before, after])
    const id = /event ([0-9a-f]{32})/.exec(diff.stdout)?.[1] ?? ''
    const { code, stdout } = decnet(['pipeline', 'explain-event', id, edited, '--capture', CAPTURE])
    expect(code).toBe(0)
    expect(stdout).toContain(`event ${id} ←\n  lines (syslog_file): read\n`)
    expect(stdout).toMatch(
      /^ {2}wanted \(filter\): filtered\n {6}where is false: .*data\.service is "http"/m,
    )
    const json = decnet([
      'pipeline',
      'explain-event',
      id,
      edited,
      '--capture',
      CAPTURE,
      '-o',
      'json',
    ])
    expect(JSON.parse(json.stdout)).toMatchObject({
      id,
      found: true,
      steps: [{ kind: 'read' }, {}, {}],
    })
  })

  it('prints JSON that no terminal obeys, whatever an attacker wrote', () => {
    const log = join(dir, 'hostile.log')
    const head = '<134>1 2026-11-01T10:00:00+00:00 web-01 ssh - command'
    writeFileSync(log, `${head} [relay@55555 src_ip="192.0.2.7" cmd="\u009b2J\u202e"]\n`)
    const out = join(dir, 'hostile')
    decnet(['pipeline', 'replay', 'ingest', '--capture', log, '--sink', out])
    const row = readFileSync(join(out, 'ingest.rows.ndjson'), 'utf8')
    const { id } = JSON.parse(row) as { id: string }
    const args = ['pipeline', 'explain-event', id, 'ingest', '--capture', log, '-o', 'json']
    const { code, stdout } = decnet(args)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[\x20-\x7e\n]*$/)
    expect(stdout).toContain('\\u009b2J\\u202e')
  })

  it('tells it from what a replay left behind, too', () => {
    const run = before
    const rows = readFileSync(join(run, 'ingest.secrets.ndjson'), 'utf8').split('\n')
    const { id } = JSON.parse(rows[0] ?? '') as { id: string }
    const { code, stdout } = decnet(['pipeline', 'explain-event', id, '--run', run])
    expect(code).toBe(0)
    expect(stdout).toContain(
      `event ${id}, made by creds (credential) ←\n  secrets (repo): written\n`,
    )
    expect(decnet(['pipeline', 'explain-event', id, 'ingest', '--run', run]).code).toBe(64)
    expect(decnet(['pipeline', 'explain-event', id]).code).toBe(64)
    expect(decnet(['pipeline', 'explain-event', id, '--capture', CAPTURE]).code).toBe(64)
  })

  it('exits 1 where there is no such event', () => {
    const id = '0'.repeat(32)
    const ended = decnet(['pipeline', 'explain-event', id, 'ingest', '--capture', CAPTURE])
    expect(ended).toMatchObject({ code: 1, stdout: `no event ${id} in this replay\n` })
  })
})
