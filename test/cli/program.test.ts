import { spawnSync } from 'node:child_process'
import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decnet, root, scratchFolder } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'

const COMMANDS = [
  'pipeline list',
  'pipeline show',
  'pipeline validate',
  'pipeline graph',
  'pipeline schema',
  'pipeline run',
  'pipeline replay',
  'pipeline explain-type',
  'docs generate',
]

describe('decnet', () => {
  it('prints its version', () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect(decnet(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` })
  })

  it('lists every command', async () => {
    const { code, stdout } = await decnetHere(['--help'])
    expect(code).toBe(0)
    for (const command of COMMANDS) expect(stdout).toContain(`decnet ${command}`)
  })

  it.each(COMMANDS)('%s --help has a runnable example', async (command) => {
    const { code, stdout } = await decnetHere([...command.split(' '), '--help'])
    expect(code).toBe(0)
    expect(stdout).toMatch(new RegExp(`Examples[\\s\\S]*\\$ decnet ${command}`))
  })

  it.each([
    [[]],
    [['pipeline']],
    [['pipeline', 'valdate', 'x.yaml']],
    [['pipeline', 'validate']],
    [['pipeline', 'validate', '--outptu', 'json', 'x.yaml']],
    [['pipeline', 'validate', '-o', 'xml', 'x.yaml']],
    [['pipeline', 'graph', 'ingest', '--format', 'svg']],
    [['pipeline', 'replay', 'ingest', '--sink', 'out']],
    [['pipeline', 'replay', 'ingest', '--capture', 'no/such/file']],
    [['pipeline', 'run', 'ingest', '--batch-size', '0']],
    [['pipeline', 'show', 'no_such_pipeline']],
    [['pipeline', 'explain-type', 'dedupe']],
  ])('%j is a usage error, said on stderr only', async (args) => {
    const { code, stdout, stderr } = await decnetHere(args)
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' })
    expect(stderr).not.toContain('    at ')
    expect(stderr.length).toBeGreaterThan(10)
  })

  it('starts through a symlink from anywhere', () => {
    const folder = scratchFolder()
    symlinkSync(join(root, 'bin/decnet'), join(folder, 'first'))
    symlinkSync('first', join(folder, 'second'))
    const { status, stdout } = spawnSync(join(folder, 'second'), ['--version'], { cwd: folder })
    expect(status).toBe(0)
    expect(String(stdout)).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  it('ends quietly when nobody reads on', () => {
    const { stderr } = spawnSync('sh', ['-c', 'bin/decnet pipeline schema | head -c 10'], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
  })
})
