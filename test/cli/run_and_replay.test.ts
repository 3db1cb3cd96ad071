import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { root, scratchFolder } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'

let folder = ''
const running: ChildProcess[] = []

const first = (n: number) => `${JSON.stringify({ n, timestamp: '2026-11-01T10:00:00Z' })}\n`
const pipeline = (name: string, source: string, sink: string) => `name: ${name}
description: From a file to somewhere
sources:
  in:  ${source}
sinks:
  out: ${sink}
`

beforeEach(() => {
  folder = scratchFolder()
  const file = '{ type: ndjson_file, path: in.ndjson, poll: 10ms }'
  writeFileSync(join(folder, 'in.ndjson'), first(1) + first(2))
  writeFileSync(join(folder, 'mine.yaml'), pipeline('mine', file, '{ type: stdout, inputs: [in] }'))
})
afterEach(() => {
  for (const child of running.splice(0)) child.kill('SIGKILL')
})

/** A `run` that is going on, with what it has said so far. */
function start(...args: string[]) {
  const said = { stdout: '', stderr: '' }
  const child = spawn(join(root, 'bin/decnet'), ['pipeline', 'run', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  child.stderr.on('data', (text) => {
    said.stderr += text
  })
  const ended = new Promise<number | string | null>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal)),
  )
  const listen = () =>
    child.stdout.on('data', (text) => {
      said.stdout += text
    })
  return { child, said, ended, listen }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('pipeline run', () => {
  it('goes on where a SIGTERM stopped it', async () => {
    const one = start('mine.yaml', '--state-dir', 'state')
    one.listen()
    await until(() => one.said.stdout.split('\n').length > 2)
    one.child.kill('SIGTERM')
    expect(await one.ended).toBe(0)
    writeFileSync(join(folder, 'in.ndjson'), first(3), { flag: 'a' })
    const other = start('mine.yaml', '--state-dir', 'state')
    other.listen()
    await until(() => other.said.stdout.includes('\n'))
    other.child.kill('SIGINT')
    expect(await other.ended).toBe(0)
    const lines = other.said.stdout.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).data.n)).toEqual([3])
  })

  it('ends at once at the second signal, though it could not drain', async () => {
    const line = first(1)
    writeFileSync(join(folder, 'in.ndjson'), line.repeat(Math.ceil(4e6 / line.length)))
    const stuck = start('mine.yaml', '--state-dir', 'state')
    await until(() => stuck.child.stdout?.readableLength !== 0)
    stuck.child.kill('SIGTERM')
    await until(() => stuck.said.stderr.includes('stopping'))
    stuck.child.kill('SIGTERM')
    const code = new Promise((resolve) => stuck.child.once('exit', resolve))
    expect(await code).toBe(143)
  })

  it('ends when the time to drain is over, though nobody reads what it writes', async () => {
    const line = first(1)
    writeFileSync(join(folder, 'in.ndjson'), line.repeat(Math.ceil(4e6 / line.length)))
    writeFileSync(join(folder, 'mine.yaml'), 'settings: { shutdown_timeout: 200ms }\n', {
      flag: 'a',
    })
    const stuck = start('mine.yaml', '--state-dir', 'state')
    await until(() => stuck.child.stdout?.readableLength !== 0)
    stuck.child.kill('SIGTERM')
    const code = new Promise((resolve) => stuck.child.once('exit', resolve))
    expect(await code).toBe(75)
    expect(stuck.said.stderr).toContain('error[NOT_DRAINED]')
  })

  it('does not share its state with another run', async () => {
    const one = start('mine.yaml', '--state-dir', 'state')
    one.listen()
    await until(() => one.said.stdout.includes('\n'))
    const { code, stderr } = await decnetHere(
      ['pipeline', 'run', 'mine.yaml', '--state-dir', 'state'],
      {
        cwd: folder,
      },
    )
    expect(code).toBe(75)
    expect(stderr).toContain('error[STATE_LOCKED]')
  })

  it('names a state file that SQLite cannot read, and leaves it alone', async () => {
    mkdirSync(join(folder, 'state'))
    writeFileSync(join(folder, 'state/mine.sqlite'), 'no database at all')
    const { code, stderr } = await decnetHere(
      ['pipeline', 'run', 'mine.yaml', '--state-dir', 'state'],
      {
        cwd: folder,
      },
    )
    expect(code).toBe(78)
    expect(stderr).toMatch(/^error\[STATE_DAMAGED\]: state\/mine\.sqlite: .*move it away\n$/m)
    expect(readFileSync(join(folder, 'state/mine.sqlite'), 'utf8')).toBe('no database at all')
  })

  it('says that the state cannot be written, not that somebody else is writing it', async () => {
    mkdirSync(join(folder, 'state/mine.lock'), { recursive: true })
    const { code, stderr } = await decnetHere(
      ['pipeline', 'run', 'mine.yaml', '--state-dir', 'state'],
      {
        cwd: folder,
      },
    )
    expect(code).toBe(78)
    expect(stderr).toContain('error[STATE_DIR]: cannot use state/mine.lock')
  })

  it('refuses a broken pipeline without touching anything', async () => {
    writeFileSync(join(folder, 'mine.yaml'), 'name: mine\n')
    const { code, stderr } = await decnetHere(
      ['pipeline', 'run', 'mine.yaml', '--state-dir', 'state'],
      {
        cwd: folder,
      },
    )
    expect(code).toBe(78)
    expect(stderr).toContain('mine.yaml:1:1: error[')
    expect(existsSync(join(folder, 'state'))).toBe(false)
  })

  it('refuses two pipelines of one name', async () => {
    const { code, stderr } = await decnetHere(['pipeline', 'run', 'mine.yaml', './mine.yaml'], {
      cwd: folder,
    })
    expect(code).toBe(64)
    expect(stderr).toContain('Two of the pipelines are called mine.')
  })
})

describe('pipeline replay', () => {
  const replay = (...args: string[]) => decnetHere(['pipeline', 'replay', ...args], { cwd: folder })
  const lines = (file: string) => readFileSync(join(folder, file), 'utf8').trim().split('\n')

  it('writes every sink to a file, a summary beside them and a table for people', async () => {
    const { code, stdout, stderr } = await replay(
      ...['mine.yaml', '--capture', 'in.ndjson', '--sink', 'out'],
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(lines('out/mine.out.ndjson').map((line) => JSON.parse(line).data.n)).toEqual([1, 2])
    const summary = JSON.parse(readFileSync(join(folder, 'out/summary.json'), 'utf8'))
    expect(summary.pipelines.mine.sources).toEqual({ in: { read: 2 } })
    expect(stdout).toMatch(/^mine: 2 read in \d/)
    expect(stdout).toMatch(/^ {2}out +stdout +2 +2 +0 +0 +0$/m)
  })

  it('follows events from one pipeline into the next', async () => {
    const file = '{ type: ndjson_file, path: in.ndjson }'
    const publish = '{ type: bus, inputs: [in], topic: test.news }'
    writeFileSync(join(folder, 'a.yaml'), pipeline('a', file, publish))
    const subscribe = '{ type: bus, patterns: [test.news] }'
    writeFileSync(
      join(folder, 'b.yaml'),
      pipeline('b', subscribe, '{ type: stdout, inputs: [in] }'),
    )
    const { code, stderr } = await replay(
      ...['a.yaml', 'b.yaml', '--capture', 'a.in=in.ndjson', '--sink', 'out', '--batch-size', '1'],
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(lines('out/b.out.ndjson')).toHaveLength(2)
  })

  it('writes rows to a database and says what was found', async () => {
    const file = '{ type: syslog_file, path: in.log }'
    writeFileSync(
      join(folder, 'mine.yaml'),
      `${pipeline('mine', file, '{ type: repo, inputs: [parsed], entity: log }')}
operators:
  parsed: { type: parse_syslog, inputs: [in] }
`,
    )
    const time = '2026-11-01T10:00:00.000000+00:00'
    const line = `<134>1 ${time} web-01 ssh - connect [relay@55555 src_ip="192.0.2.7"]\n`
    writeFileSync(join(folder, 'in.log'), line)
    const { code, stdout, stderr } = await replay(
      ...['mine.yaml', '--capture', 'in=in.log', '--sink', 'db=sqlite:found.db'],
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/What was found[\s\S]*192\.0\.2\.7 +1 +1 +1\n/)
    expect(existsSync(join(folder, 'found.db'))).toBe(true)
  })

  it('says that it begins without state where the database holds rows already', async () => {
    const line = (ip: string) =>
      `<134>1 2026-11-01T10:00:00+00:00 web-01 ssh - connect [relay@55555 src_ip="${ip}"]\n`
    writeFileSync(join(folder, 'in.log'), line('192.0.2.7') + line('192.0.2.8'))
    const shipped = ['ingest', 'profiler'].map((name) => join(root, `pipelines/${name}.yaml`))
    const into = (url: string, ...names: string[]) =>
      replay(...names, '--capture', 'in.log', '--sink', `db=${url}`)
    const first = await into('sqlite:found.db', ...shipped)
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(first.stdout).not.toContain('note:')
    expect((await into('sqlite:found.db', ...shipped)).stdout).toContain(
      'note: the database held rows before, and a replay begins without state',
    )
    // Rows of records are the same however many replays they take.
    expect((await into('sqlite:found.db', ...shipped.slice(0, 1))).stdout).not.toContain('note:')
  })

  it('leaves out of the file of a sink what its database refused', async () => {
    writeFileSync(
      join(folder, 'mine.yaml'),
      `${pipeline('mine', '{ type: syslog_file, path: in.log }', '{ type: repo, inputs: [parsed], entity: log }')}
operators:
  parsed: { type: parse_syslog, inputs: [in] }
`,
    )
    const line = (year: string) => `<134>1 ${year}-11-01T10:00:00+00:00 web-01 ssh - connect -\n`
    writeFileSync(join(folder, 'in.log'), line('9999') + line('2026'))
    const { code, stderr } = await replay(
      ...['mine.yaml', '--capture', 'in.log', '--sink', 'out', '--sink', 'db=sqlite:found.db'],
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const { nodes } = JSON.parse(readFileSync(join(folder, 'out/summary.json'), 'utf8')).pipelines
      .mine
    expect(nodes.out).toMatchObject({ in: 2, out: 1, errors: 1, dead_lettered: 1 })
    expect(lines('out/mine.out.ndjson')).toHaveLength(1)
  })

  it('says that a database is away, without its password', async () => {
    const url = 'db=mysql://me:hidden-word@127.0.0.1:1/x'
    const file = '{ type: syslog_file, path: in.log }'
    const body = pipeline('mine', file, '{ type: repo, inputs: [parsed], entity: log }')
    const parsed = 'operators:\n  parsed: { type: parse_syslog, inputs: [in] }\n'
    writeFileSync(join(folder, 'mine.yaml'), body + parsed)
    const { code, stdout, stderr } = await replay(
      'mine.yaml',
      '--capture',
      'in.ndjson',
      '--sink',
      url,
    )
    expect(code).toBe(69)
    expect(stderr).toContain('error[DATABASE_UNAVAILABLE]')
    expect(stdout + stderr).not.toContain('hidden-word')
  })

  it.each([
    ['a source that is not there', ['--capture', 'lines=in.ndjson'], 'no source lines'],
    ['two captures for one source', ['--capture', 'in.ndjson', '--capture', 'in=in.ndjson'], 'two'],
    ['two directories', ['--capture', 'in.ndjson', '--sink', 'a', '--sink', 'b'], 'one directory'],
  ])('refuses %s', async (_what, args, message) => {
    const { code, stdout, stderr } = await replay('mine.yaml', ...args)
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' })
    expect(stderr).toContain(message)
  })
})
