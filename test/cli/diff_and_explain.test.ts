import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { scratchFolder } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'

let dir: string
/** The start of the sample: every kind of event is in it, and a replay takes no time. */
let capture: string
/** `ingest` as shipped, with one more service that it does not want. */
let edited: string
/** Replays of `ingest` as shipped and edited. */
let before: string
let after: string
beforeAll(async () => {
  dir = scratchFolder()
  capture = join(dir, 'capture.log.gz')
  const sample = gunzipSync(readFileSync('samples/decnet.log.gz')).toString()
  writeFileSync(capture, gzipSync(sample.split('\n').slice(0, 1000).join('\n')))
  edited = join(dir, 'ingest.yaml')
  const shipped = readFileSync('pipelines/ingest.yaml', 'utf8')
  writeFileSync(edited, shipped.replace(':-sshd,', ':-http,sshd,'))
  before = await replay('ingest', 'before')
  after = await replay(edited, 'after')
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function replay(pipeline: string, name: string): Promise<string> {
  const out = join(dir, name)
  const ended = await decnetHere([
    'pipeline',
    'replay',
    pipeline,
    '--capture',
    capture,
    '--sink',
    out,
  ])
  expect(ended).toMatchObject({ code: 0 })
  return out
}

describe('decnet pipeline diff', () => {
  it('exits 0 and says `same` for two replays of one pipeline', async () => {
    const ended = await decnetHere(['pipeline', 'diff', before, before])
    expect(ended).toEqual({ code: 0, stdout: 'ingest: same\n', stderr: '' })
  })

  it('exits 1 and names the node and the event for an edited condition', async () => {
    const { code, stdout } = await decnetHere(['pipeline', 'diff', before, after])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^ {2}first at operator wanted \(filter\): same input, other output$/m)
    expect(stdout).toMatch(/^ {4}event [0-9a-f]{32}, 2026-/m)
    expect(stdout).toMatch(/^ {4}passed in A, filtered in B$/m)
    expect(stdout).toMatch(/^ {2}rows: [\d,]+ removed, 0 added, 0 changed$/m)
    const json = await decnetHere(['pipeline', 'diff', before, after, '-o', 'json', '--most', '1'])
    expect(JSON.parse(json.stdout)).toMatchObject({
      different: true,
      pipelines: [{ pipeline: 'ingest', parting: { node: { id: 'wanted' }, verdict: 'parts' } }],
    })
  })

  it('exits 2 where it cannot tell', async () => {
    const { code, stdout, stderr } = await decnetHere(['pipeline', 'diff', dir, dir])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^error\[NOT_A_REPLAY\]: /)
  })
})

describe('decnet pipeline replay --against', () => {
  const against = (...more: string[]) =>
    decnetHere(['pipeline', 'replay', 'ingest', '--capture', capture, '--against', ...more])

  it('compares the pipeline with an edited one, and leaves nothing behind', async () => {
    expect(await against('ingest')).toMatchObject({ code: 0, stdout: 'ingest: same\n' })
    const { code, stdout } = await against(edited)
    expect(code).toBe(1)
    expect(stdout).toContain('first at operator wanted (filter)')
  })

  it('keeps both runs where it is told to', async () => {
    const out = join(dir, 'out')
    expect((await against(edited, '--sink', out, '-o', 'json')).code).toBe(1)
    expect(existsSync(join(out, 'a/ingest.rows.ndjson'))).toBe(true)
    expect((await decnetHere(['pipeline', 'diff', join(out, 'a'), join(out, 'b')])).code).toBe(1)
  })

  it('writes to no database, and refuses a pipeline with errors', async () => {
    expect((await against('ingest', '--sink', 'db=sqlite::memory:')).code).toBe(64)
    const broken = join(dir, 'broken.yaml')
    writeFileSync(broken, 'name: broken\n')
    expect((await against(broken)).code).toBe(78)
  })
})

describe('decnet pipeline explain-event', () => {
  it('tells the way of an event that the difference names', async () => {
    const diff = await decnetHere(['pipeline', 'diff', before, after])
    const id = /event ([0-9a-f]{32})/.exec(diff.stdout)?.[1] ?? ''
    const { code, stdout } = await decnetHere([
      'pipeline',
      'explain-event',
      id,
      edited,
      '--capture',
      capture,
    ])
    expect(code).toBe(0)
    expect(stdout).toContain(`event ${id} ←\n  lines (syslog_file): read\n`)
    expect(stdout).toMatch(
      /^ {2}wanted \(filter\): filtered\n {6}where is false: .*data\.service is "http"/m,
    )
    const json = await decnetHere([
      'pipeline',
      'explain-event',
      id,
      edited,
      '--capture',
      capture,
      '-o',
      'json',
    ])
    expect(JSON.parse(json.stdout)).toMatchObject({
      id,
      found: true,
      steps: [{ kind: 'read' }, {}, {}],
    })
  })

  it('prints JSON that no terminal obeys, whatever an attacker wrote', async () => {
    const log = join(dir, 'hostile.log')
    const head = '<134>1 2026-11-01T10:00:00+00:00 web-01 ssh - command'
    writeFileSync(log, `${head} [relay@55555 src_ip="192.0.2.7" cmd="\u009b2J\u202e"]\n`)
    const out = join(dir, 'hostile')
    await decnetHere(['pipeline', 'replay', 'ingest', '--capture', log, '--sink', out])
    const row = readFileSync(join(out, 'ingest.rows.ndjson'), 'utf8')
    const { id } = JSON.parse(row) as { id: string }
    const args = ['pipeline', 'explain-event', id, 'ingest', '--capture', log, '-o', 'json']
    const { code, stdout } = await decnetHere(args)
    expect(code).toBe(0)
    expect(stdout).toMatch(/^[\x20-\x7e\n]*$/)
    expect(stdout).toContain('\\u009b2J\\u202e')
  })

  it('tells it from what a replay left behind, too', async () => {
    const run = before
    const rows = readFileSync(join(run, 'ingest.secrets.ndjson'), 'utf8').split('\n')
    const { id } = JSON.parse(rows[0] ?? '') as { id: string }
    const { code, stdout } = await decnetHere(['pipeline', 'explain-event', id, '--run', run])
    expect(code).toBe(0)
    expect(stdout).toContain(
      `event ${id}, made by creds (credential) ←\n  secrets (repo): written\n`,
    )
    expect((await decnetHere(['pipeline', 'explain-event', id, 'ingest', '--run', run])).code).toBe(
      64,
    )
    expect((await decnetHere(['pipeline', 'explain-event', id])).code).toBe(64)
    expect((await decnetHere(['pipeline', 'explain-event', id, '--capture', capture])).code).toBe(
      64,
    )
  })

  it('exits 1 where there is no such event', async () => {
    const id = '0'.repeat(32)
    const ended = await decnetHere([
      'pipeline',
      'explain-event',
      id,
      'ingest',
      '--capture',
      capture,
    ])
    expect(ended).toMatchObject({ code: 1, stdout: `no event ${id} in this replay\n` })
  })
})
