import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { connectControl } from '../../engine/control_client.ts'
import { decnet, root, scratchFolder } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'

let folder = ''
const running: ChildProcess[] = []

const line = (n: number | undefined, key: string) =>
  `${JSON.stringify({ n, key, timestamp: '2026-11-01T10:00:00Z' })}\n`

/** @param where the filter: events without `n` have no answer for it */
const pipeline = (where: string, more = '') => `name: mine
description: Lines, some of which cannot be judged
sources:
  in:    { type: ndjson_file, path: in.ndjson, poll: 10ms${more} }
operators:
  some:  { type: filter, inputs: [in], where: '${where}' }
  once:  { type: dedup, inputs: [some], key: [data.key], window: 1s, ttl: 1h }
sinks:
  out:   { type: ndjson_file, inputs: [once], path: out.ndjson }
`

function newFolder(): void {
  folder = scratchFolder()
  writeFileSync(join(folder, 'mine.yaml'), pipeline('data.n > 1'))
  writeFileSync(join(folder, 'in.ndjson'), [1, 2, 3].map((n) => line(n, `k${n}`)).join(''))
  appendFileSync(join(folder, 'in.ndjson'), line(undefined, 'lost\u001b[31m'))
}
function killAll(): void {
  for (const child of running.splice(0)) child.kill('SIGKILL')
}

const call = (command: string, ...args: string[]) =>
  decnetHere(['pipeline', ...command.split(' '), ...args, '--state-dir', 'state'], { cwd: folder })

const written = (): number[] => {
  const file = join(folder, 'out.ndjson')
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  return text.split('\n').flatMap((row) => (row ? [JSON.parse(row).data.n ?? 0] : []))
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10))
}

/** Starts a command that goes on, with what it has said so far. */
function start(...args: string[]) {
  const said = { stdout: '', stderr: '' }
  const child = spawn(join(root, 'bin/decnet'), ['pipeline', ...args, '--state-dir', 'state'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.push(child)
  child.stdout.on('data', (text) => {
    said.stdout += text
  })
  child.stderr.on('data', (text) => {
    said.stderr += text
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, said, ended }
}

/** The pipeline, once it has written `rows` and can be talked to. */
async function runUntil(rows: number) {
  const run = start('run', 'mine.yaml')
  await until(async () => {
    if (run.child.exitCode !== null) throw new Error(run.said.stderr)
    const client = await connectControl(join(folder, 'state'), 'mine')
    client?.close()
    return client !== undefined && written().length >= rows
  })
  return run
}

async function stop({ child, ended }: Awaited<ReturnType<typeof runUntil>>): Promise<void> {
  child.kill('SIGTERM')
  expect(await ended).toBe(0)
}

/** Leaves what a pipeline leaves that was stopped when it had handled all there was. */
async function ranToTheEnd(): Promise<void> {
  writeFileSync(join(folder, 'mine.yaml'), pipeline('data.n > 1', ', follow: false'))
  expect(await call('run', 'mine.yaml')).toMatchObject({ code: 0 })
  writeFileSync(join(folder, 'mine.yaml'), pipeline('data.n > 1'))
}

describe('a pipeline that runs', () => {
  beforeAll(async () => {
    newFolder()
    writeFileSync(join(folder, 'b.yaml'), pipeline('true').replace('mine', 'b'))
    await runUntil(2)
  })
  afterAll(killAll)

  it('shows its counts in `top`, and that another does not run', async () => {
    // Each looks for a second, so both at a time.
    const alone = start('top', 'mine', '--once')
    const both = await call('top', 'mine', 'b.yaml', '--once')
    expect(await alone.ended).toBe(0)
    const { stdout } = alone.said
    expect(stdout).toMatch(/^mine: 0 in flight \(credit [\d,]+ a source\), 1 dead letters\n/)
    expect(stdout).toMatch(/^ {2}in +ndjson_file +0 +0 +4 +4 +0 +0 +0 +0 +\d+ [dhms]+$/m)
    expect(stdout).toMatch(/^ {2}some +filter +0 +0 +4 +2 +1 +1 /m)
    expect(stdout).toMatch(/^ {2}once +dedup .* 2 +\d+ B +0$/m)
    // The edges: from, to, per second, passed, behind, idle.
    expect(stdout).toMatch(/^ {2}in +some +0 +4 +[\d.]+ [dhms]+ +[\d.]+ [dhms]+$/m)
    expect(both.code).toBe(69)
    expect(both.stdout).toMatch(/\n\nb: does not run\n$/)
  })

  it('gives its counters to a program', async () => {
    const { code, stdout } = await call('top', 'mine', 'b.yaml', '-o', 'json')
    expect(code).toBe(69)
    expect(JSON.parse(stdout)).toMatchObject({
      mine: { deadLetters: 1, nodes: [{ id: 'in', in: 4 }, { id: 'some', filtered: 1 }, {}, {}] },
      b: null,
    })
  })

  it.each([
    ['a node that is not there', ['nope'], 64, 'nothing leaves by "nope"; there are: in, '],
    ['half an expression', ['in', '--where', 'data.'], 64, 'error[CEL]'],
    ['a share of more than all', ['in', '--sample', '3/2'], 64, '--sample'],
  ])('is not tapped at %s', async (_what, args, expected, message) => {
    const { code, stderr } = await call('tap', 'mine', ...args)
    expect(stderr).toContain(message)
    expect(code).toBe(expected)
  })

  it('lists and shows in `dlq` what it could not handle, safe on a terminal', async () => {
    expect((await call('dlq ls', 'mine')).stdout).toMatch(
      /^ID .*\n 1 +some +CEL_EVALUATION +2026-11-01T10:00:00.000Z +"No such key: n"\n$/,
    )
    expect((await call('dlq ls', 'mine', '--node', 'once')).stdout).toBe('no dead letters\n')
    const { stdout } = await call('dlq show', 'mine', '1')
    expect(stdout).not.toContain('\u001b')
    expect(JSON.parse(stdout)).toMatchObject({
      node: 'some',
      event: { topic: 'ndjson', data: { key: 'lost\u001b[31m' } },
    })
    expect((await call('dlq show', 'mine', '2')).code).toBe(1)
    expect((await call('dlq show', 'mine', 'two')).code).toBe(64)
  })
})

describe('a pipeline of its own', () => {
  beforeEach(newFolder)
  afterEach(killAll)

  describe('pipeline tap', () => {
    it('shows what leaves a node until the limit, and leaves the pipeline as it was', async () => {
      const run = await runUntil(2)
      const tap = start(
        'tap',
        'mine',
        'once',
        '--where',
        'data.n != 6',
        '--limit',
        '2',
        '-o',
        'json',
      )
      await until(() => tap.said.stderr.includes('tapping once'))
      for (const n of [5, 6, 7, 8]) appendFileSync(join(folder, 'in.ndjson'), line(n, `k${n}`))
      expect(await tap.ended).toBe(0)
      const events = tap.said.stdout
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text))
      expect(events.map(({ data }) => data.n)).toEqual([5, 7])
      await until(() => written().length === 6)
      await stop(run)
      expect(written()).toEqual([2, 3, 5, 6, 7, 8])
    })

    it('says once that the condition has no answer, rather than show nothing for ever', async () => {
      await runUntil(2)
      const tap = start('tap', 'mine', 'in', '--where', 'data.nope == 1')
      await until(() => tap.said.stderr.includes('tapping'))
      appendFileSync(join(folder, 'in.ndjson'), line(5, 'k5'))
      await until(() => tap.said.stderr.includes('nope'))
      expect(tap.said.stderr).toBe(
        'tapping in\nthe condition has no answer for some events: "No such key: nope"\n',
      )
    })

    it('ends with the pipeline', async () => {
      const run = await runUntil(2)
      const tap = start('tap', 'mine', 'some.errors')
      await until(() => tap.said.stderr.includes('tapping'))
      appendFileSync(join(folder, 'in.ndjson'), line(undefined, '\u009b2J'))
      await until(() => tap.said.stdout.includes('\n'))
      expect(tap.said.stdout).toContain('\\u009b2J')
      await stop(run)
      expect(await tap.ended).toBe(0)
    })

    it('says that the pipeline does not run', async () => {
      const { code, stderr } = await call('tap', 'mine.yaml', 'in')
      expect(stderr).toContain('error[NOT_RUNNING]')
      expect(code).toBe(69)
    })
  })

  describe('pipeline state', () => {
    it('is listed, shown and measured, also while the pipeline runs', async () => {
      await ranToTheEnd()
      await runUntil(2)
      const whole = (await call('state ls', 'mine')).stdout
      expect(whole).toMatch(/^in +ndjson_file +4 +\{.*"offset":\d+/m)
      expect(whole).toMatch(/^once +dedup +2 +\d+ B +2026-/m)
      const keys = (await call('state ls', 'mine', 'once', '--limit', '1')).stdout
      expect(keys).toMatch(/^KEY.*\n"\S*k3\S*" .*\nand 1 more; see --limit\n$/)
      const key = keys.split('\n')[1]?.split('  ')[0] ?? ''
      const got = await call('state get', 'mine', 'once', key)
      expect(JSON.parse(got.stdout)).toMatchObject({ key: '["k3"]', state: expect.any(Object) })
      expect((await call('state get', 'mine', 'once', '["k3"]')).stdout).toBe(got.stdout)
      expect(await call('state get', 'mine', 'once', 'k9')).toMatchObject({ code: 1, stdout: '' })
      expect(await call('state ls', 'mine', 'some')).toMatchObject({ code: 64, stdout: '' })
      expect(JSON.parse((await call('state size', 'mine', '-o', 'json')).stdout)).toMatchObject({
        letters: 1,
        nodes: [{ node: 'once', keys: 2 }],
      })
    })

    it('is checked, and each damage to it is found', async () => {
      await ranToTheEnd()
      expect(await call('state check', 'mine.yaml')).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^mine: \d+ checked, ok\n$/),
      })
      const file = new Database(join(folder, 'state/mine.sqlite'))
      file.exec(`
      UPDATE keyed SET state = '{"seen' WHERE key = '["k2"]';
      UPDATE keyed SET state = '{"other":"shape"}', timers = '["soon"]' WHERE key = '["k3"]';
      UPDATE position SET sequence = -1, position = '{' WHERE source = 'in';
      UPDATE dead_letter SET event = '[]';
      INSERT INTO watermark VALUES ('gone', 'dedup', 5);
    `)
      file.close()
      const { code, stdout } = await call('state check', 'mine.yaml')
      expect(code).toBe(1)
      expect(stdout.split('\n')).toEqual([
        'source "in": error[STATE_POSITION]: the position is no JSON',
        'source "in": error[STATE_POSITION]: the sequence is -1',
        expect.stringContaining('node "gone": error[STATE_STRANGER]'),
        'once "[\\"k2\\"]": error[STATE_SHAPE]: the state is no JSON',
        'once "[\\"k3\\"]": error[STATE_SHAPE]: the state has another shape',
        'once "[\\"k3\\"]": error[STATE_TIMER]: its timers are no times',
        'dead letter 1: error[STATE_LETTER]: its event is damaged',
        expect.stringMatching(/^mine: \d+ checked, 7 wrong$/),
        '',
      ])
      const asJson = JSON.parse((await call('state check', 'mine.yaml', '-o', 'json')).stdout)
      expect(asJson).toMatchObject({ wrong: 7, findings: expect.any(Array) })
    })

    it('says so where the file is no database, or there is none', async () => {
      expect(await call('state ls', 'mine.yaml')).toMatchObject({ code: 1, stdout: '' })
      await ranToTheEnd()
      writeFileSync(join(folder, 'state/mine.sqlite'), 'x'.repeat(10_000))
      const { code, stderr } = await call('state check', 'mine.yaml')
      expect(stderr).toContain('error[STATE_UNREADABLE]')
      expect(code).toBe(1)
    })
  })

  describe('pipeline dlq', () => {
    it('replays letters while the pipeline runs, and drops those nobody wants', async () => {
      const run = await runUntil(2)
      const again = await call('dlq replay', 'mine.yaml')
      expect(again).toMatchObject({ code: 1, stdout: '1 replayed\n  1 failed again and stay\n' })
      await stop(run)
      writeFileSync(join(folder, 'mine.yaml'), pipeline('has(data.n) ? data.n > 1 : true'))
      await runUntil(2)
      const mended = await call('dlq replay', 'mine.yaml', '1')
      expect(mended).toMatchObject({ code: 0, stdout: '1 replayed\n  1 got through\n' })
      expect(written()).toEqual([2, 3, 0])
      expect((await call('dlq ls', 'mine')).stdout).toBe('no dead letters\n')
      expect(await call('dlq replay', 'mine.yaml')).toMatchObject({
        code: 0,
        stdout: 'no dead letters\n',
      })
      expect((await call('dlq drop', 'mine')).code).toBe(64)
      expect((await call('dlq drop', 'mine', '--all')).stdout).toBe('0 dropped\n')
    })

    it('replays letters once though it is killed at the checkpoint of the replay', async () => {
      await ranToTheEnd()
      writeFileSync(join(folder, 'mine.yaml'), pipeline('has(data.n) ? data.n > 1 : true'))
      const args = ['pipeline', 'dlq', 'replay', 'mine.yaml', '--state-dir', 'state']
      const env = { DECNET_FAILPOINT: 'checkpoint.before_commit:1' }
      const killed = decnet(args, { cwd: folder, env })
      expect(killed).toMatchObject({ code: null, stdout: '' })
      expect((await call('dlq ls', 'mine')).stdout).toContain('CEL_EVALUATION')
      expect(decnet(args, { cwd: folder })).toMatchObject({ code: 0 })
      // Nor does the run that follows write it again.
      appendFileSync(join(folder, 'in.ndjson'), line(9, 'k9'))
      await stop(await runUntil(4))
      expect(written()).toEqual([2, 3, 0, 9])
    })

    it('drops by id while the pipeline runs', async () => {
      await runUntil(2)
      // The letter is written beside the events, not before them.
      await vi.waitFor(
        async () => expect((await call('dlq ls', 'mine')).stdout).not.toBe('no dead letters\n'),
        { timeout: 20_000, interval: 100 },
      )
      expect((await call('dlq drop', 'mine', '1')).stdout).toBe('1 dropped\n')
      expect((await call('dlq ls', 'mine')).stdout).toBe('no dead letters\n')
    })
  })
})
