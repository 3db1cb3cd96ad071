import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hostStatus, statusText } from '../../cli/host_status.ts'
import { workerProcesses, workersOf } from '../../cli/processes.ts'
import { installedWorkers } from '../../cli/systemctl.ts'
import { startOrStop } from '../../cli/unit_commands.ts'
import { type CommandResult, commandRunner } from '../../deploy/command_runner.ts'
import { decnet } from './decnet.ts'

const answer = (more: Partial<CommandResult>) => (): CommandResult => ({
  code: 0,
  stdout: '',
  stderr: '',
  ...more,
})
const status = (more: Partial<CommandResult>) =>
  hostStatus(
    answer(more),
    () => [{ pid: 7, workers: ['ingest'] }],
    () => ['ingest', 'correlate'],
  )

const unit = (name: string, active: string) => ({
  unit: `decnet-${name}.service`,
  load: 'loaded',
  active,
  sub: 'x',
  description: 'A\u001b[31mB',
})

describe('decnet status', () => {
  it('shows units as systemd has them, by name', () => {
    const stdout = JSON.stringify([unit('b', 'failed'), unit('a', 'active'), unit('c', 'inactive')])
    const text = statusText(status({ stdout }), true)
    expect(
      text
        .split('\n')
        .slice(2, 5)
        .map((line) => line.slice(1, 13)),
    ).toEqual(['[32mdecnet-a', '[31mdecnet-b', '[33mdecnet-c'])
    expect(text).toContain('as systemd knows them')
    expect(text).toContain('A?[31mB')
  })

  it('says how units come to be where there are none', () => {
    expect(statusText(status({ stdout: '[]' }), false)).toContain('sudo decnet init')
  })

  it.each([
    [{ code: undefined, stderr: 'systemctl is not installed' }],
    [{ code: 1 }],
    [{ stdout: 'no json' }],
    [{ stdout: '{}' }],
  ])('looks at the processes where systemctl answers %j', (more) => {
    const text = statusText(status(more), false)
    expect(text).toContain('by their processes')
    expect(text).toMatch(/ingest +UP +7/)
    expect(text).toMatch(/correlate +DOWN +-/)
    expect(text).toMatch(/bus +DOWN/)
  })

  it('runs without systemctl on the PATH', () => {
    const bin = mkdtempSync(join(tmpdir(), 'decnet-path-'))
    const { code, stdout } = decnet(['status'], {
      env: { PATH: bin, DECNET_NODE: process.execPath },
    })
    expect(code).toBe(0)
    expect(stdout).toContain('by their processes')
  })
})

describe('the workers that have a unit', () => {
  const listed = `decnet-bus.service                enabled  enabled
decnet-campaign-clusterer.service disabled enabled
decnet-x@.service                 static   -
decnet-A.service                  static   -
decnet.target                     enabled  enabled
`

  it('are those whose unit files there are, enabled or not', () => {
    const found = installedWorkers(answer({ stdout: listed }))
    expect([...(found ?? [])]).toEqual(['bus', 'campaign-clusterer'])
    expect(installedWorkers(answer({ code: 1 }))).toEqual(new Set())
  })

  it.each([
    [{ code: undefined, stderr: 'systemctl is not installed' }],
    [{ code: 1, stderr: 'Failed to connect to bus', stdout: listed }],
    [{ code: 4 }],
  ])('are not known where systemctl answers %j', (more) => {
    expect(installedWorkers(answer(more))).toBeUndefined()
  })
})

describe('processes', () => {
  it.each([
    ['node /opt/decnet/cli/main.ts pipeline run ingest', ['ingest']],
    ['node --x /opt/decnet/cli/main.ts pipeline run a ./b.yaml --state-dir c', ['a', 'b']],
    ['/opt/decnet/bin/decnet bus serve --socket x', ['bus']],
    ['vim decnet pipeline-run-ingest', []],
    ['grep -r x /a/b/c/d/cli/main.ts', []],
    ['node /opt/decnet/cli/main.ts pipeline replay run', []],
    ['sh -c decnet_pipeline run ingest', []],
  ])('finds in %j the workers %j', (line, workers) => {
    expect(workersOf(line.split(' '))).toEqual(workers)
  })

  it('are read from where the kernel shows them', () => {
    const proc = mkdtempSync(join(tmpdir(), 'decnet-proc-'))
    mkdirSync(join(proc, '12'))
    mkdirSync(join(proc, '13'))
    mkdirSync(join(proc, 'sys'))
    writeFileSync(join(proc, '12/cmdline'), 'node\0/x/cli/main.ts\0pipeline\0run\0ingest\0')
    expect(workerProcesses(proc)).toEqual([{ pid: 12, workers: ['ingest'] }])
  })
})

describe('start and stop', () => {
  it('ask systemd, with the name of the unit', () => {
    const asked: string[] = []
    const lines: string[] = []
    const run = (command: string, args: readonly string[]) => {
      asked.push([command, ...args].join(' '))
      return answer(
        args.includes('decnet-b.service') ? { code: 1, stderr: '\nUnit is masked.\n' } : {},
      )()
    }
    expect(startOrStop('start', ['a-b', 'b'], run, (line) => lines.push(line))).toBe(69)
    expect(asked).toEqual([
      'systemctl start --no-ask-password decnet-a-b.service',
      'systemctl start --no-ask-password decnet-b.service',
    ])
    expect(lines).toEqual(['decnet-a-b.service: started', 'decnet-b.service: Unit is masked.'])
  })

  it('mean everything where no name is given', () => {
    const lines: string[] = []
    expect(startOrStop('stop', [], answer({}), (line) => lines.push(line))).toBe(0)
    expect(lines).toEqual(['decnet.target: stopped'])
  })

  it.each(['../x', '--now', 'a b', 'A', '', 'x\n', 'a.service', 'é'])(
    'refuse the name %j',
    (name) => {
      const run = () => expect.unreachable('nothing may be run')
      expect(() => startOrStop('start', ['ok', name], run, () => undefined)).toThrow(
        /no name of a worker/,
      )
    },
  )
})

describe('a program of the host', () => {
  it('that is not there is no exception', () => {
    expect(commandRunner(1000)('/nowhere/x', [])).toMatchObject({
      code: undefined,
      stderr: '/nowhere/x is not installed',
    })
  })

  it('that hangs is ended', () => {
    expect(commandRunner(50)('sleep', ['60'])).toMatchObject({
      code: undefined,
      stderr: 'sleep took more than 0.05 s',
    })
  })
})
