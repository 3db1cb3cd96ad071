import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { scratchFolder } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'

let folder = ''
const decky = (n: number) =>
  `<134>1 2026-03-01T09:00:0${n}Z d${n} ssh - connect [relay@55555 src_ip="198.51.100.7"]\n`
const pipeline = (path: string, follow: boolean) => `name: mine
description: Lines to nowhere
sources:
  lines: { type: syslog_file, path: ${path}, follow: ${follow}, poll: 10ms }
operators:
  parsed: { type: parse_syslog, inputs: [lines] }
sinks:
  out: { type: null, inputs: [parsed] }
`

beforeEach(() => {
  folder = scratchFolder()
  writeFileSync(join(folder, 'in.log'), decky(1) + decky(2))
  writeFileSync(join(folder, 'mine.yaml'), pipeline('in.log', false))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const run = (...args: string[]) => decnetHere(['pipeline', ...args], { cwd: folder })
const rows = (dir: string) => readFileSync(join(folder, dir, 'mine.out.ndjson'), 'utf8')
const said = (stdout: string) => stdout.replaceAll(/[\d,]+ bytes in [\d.]+ s/g, 'N bytes in N s')

describe('pipeline record', () => {
  it('writes what a replay makes the same of as of the log itself', async () => {
    const { code, stdout, stderr } = await run('record', 'mine.yaml', '--output', 'night.journal')
    expect({ code, stdout: said(stdout), stderr }).toEqual({
      code: 0,
      stdout: 'night.journal: N bytes in N s; the input ended\n  lines: 2 events\n',
      stderr: '',
    })
    expect((await run('replay', 'mine.yaml', '--capture', 'in.log', '--sink', 'a')).code).toBe(0)
    expect(
      (await run('replay', 'mine.yaml', '--capture', 'night.journal', '--sink', 'b')).code,
    ).toBe(0)
    expect(rows('b')).toBe(rows('a'))
    expect(rows('b').trimEnd().split('\n')).toHaveLength(2)
  })

  it('goes on where it stopped, into the same directory, when its time was up', async () => {
    writeFileSync(join(folder, 'mine.yaml'), pipeline('in.log', true))
    const record = () => run('record', 'mine.yaml', '--output', 'night', '--for', '300ms')
    expect(said((await record()).stdout)).toContain('the time was up\n  lines: 2 events')
    writeFileSync(join(folder, 'in.log'), decky(1) + decky(2) + decky(3))
    expect(said((await record()).stdout)).toContain('the time was up\n  lines: 1 events')
    await run('replay', 'mine.yaml', '--capture', 'night', '--sink', 'a')
    expect(rows('a').trimEnd().split('\n')).toHaveLength(3)
  })

  it('refuses to write over anything that is no recording of this pipeline', async () => {
    writeFileSync(join(folder, 'notes'), 'mine')
    expect(await run('record', 'mine.yaml', '--output', 'notes')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('error[RECORD]: notes is a file'),
    })
    writeFileSync(join(folder, 'notes.journal'), 'x'.repeat(1000))
    expect((await run('record', 'mine.yaml', '--output', 'notes.journal')).code).not.toBe(0)
    expect(readFileSync(join(folder, 'notes.journal'), 'utf8')).toBe('x'.repeat(1000))
    await run('record', 'mine.yaml', '--output', 'night')
    const other = readFileSync(join(folder, 'mine.yaml'), 'utf8').replace('mine', 'other')
    writeFileSync(join(folder, 'other.yaml'), other)
    expect(await run('record', 'other.yaml', '--output', 'night')).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('error[JOURNAL_PIPELINE]'),
    })
  })
})

describe('pipeline replay', () => {
  it('stops at --break, shows the event, and exits 0', async () => {
    const args = ['--capture', 'in.log', '--break', 'data.decky == "d2"', '--at', 'parsed']
    const { code, stdout } = await run('replay', 'mine.yaml', ...args)
    expect(code).toBe(0)
    expect(stdout).toContain(
      `stopped at mine.parsed, 2026-03-01T09:00:02.000Z, while lines read in.log at byte ${decky(1).length}\n`,
    )
    expect(stdout).toContain('"decky": "d2"')
    const never = await run('replay', 'mine.yaml', '--capture', 'in.log', '--break', 'topic == "x"')
    expect(never.stdout).toContain('no event matched --break')
  })

  it('writes what a tap sees to stdout, alone, and the rest to stderr', async () => {
    const args = ['--capture', 'in.log', '--tap', 'parsed', '--from', '2026-03-01T09:00:02Z']
    const { code, stdout, stderr } = await run('replay', 'mine.yaml', ...args)
    expect(code).toBe(0)
    expect(stdout.trimEnd().split('\n')).toHaveLength(1)
    expect(JSON.parse(stdout).data.decky).toBe('d2')
    expect(stderr).toContain('skipped: 1 events before --from, 0 from --until on')
  })

  it.each([
    [['--break', 'data.decky =='], 'error[CEL]'],
    [['--break', 'true', '--at', 'nothing'], 'there is no node nothing'],
    [['--at', 'parsed'], 'there is no --break'],
    [['--tap', 'mine.parsed.nothing'], 'nothing leaves or reaches mine.parsed.nothing'],
    [['--speed', 'fast'], '--speed takes max'],
    [['--from', '2026-03-02', '--until', '2026-03-01'], '--from has to be earlier'],
  ])('refuses %j, and writes nothing', async (args, message) => {
    const { code, stderr } = await run('replay', 'mine.yaml', '--capture', 'in.log', ...args)
    expect({ code, stderr }).toEqual({ code: 64, stderr: expect.stringContaining(message) })
    expect(existsSync(join(folder, 'out'))).toBe(false)
  })
})
