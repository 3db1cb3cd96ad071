import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { candidates, type Described } from '../../cli/completion/candidates.ts'
import { root } from './decnet.ts'
import { decnetHere } from './decnet_here.ts'

const commands: Described[] = [
  { path: 'decnet pipeline list', usage: 'decnet pipeline list', options: [] },
  {
    path: 'decnet pipeline tap',
    usage: 'decnet pipeline tap <pipeline> <node[.port]>',
    options: [
      { definition: '--limit #0' },
      { definition: '-o,--output #0', description: 'human (default) or json: one event a line' },
    ],
  },
  {
    path: 'decnet pipeline replay',
    usage: 'decnet pipeline replay <pipeline> ...',
    options: [{ definition: '--tap #0' }, { definition: '--against #0' }],
  },
  { path: 'decnet pipeline test', usage: 'decnet pipeline test ...', options: [] },
  {
    path: 'decnet pipeline explain-type',
    usage: 'decnet pipeline explain-type <type>',
    options: [],
  },
  { path: 'decnet new', usage: 'decnet new <source|sink> <name>', options: [] },
]
const lookups = {
  pipelines: () => ['ingest', 'cowrie'],
  types: () => ['filter', 'map'],
  nodes: (pipeline: string, word: string) =>
    pipeline !== 'ingest' ? [] : word.includes('.') ? ['parsed.errors'] : ['lines', 'parsed'],
}
const complete = (line: string) => candidates(commands, line.split(' '), lookups)

describe('completion', () => {
  it.each([
    ['', ['pipeline', 'new']],
    ['pi', ['pipeline']],
    ['pipeline t', ['tap', 'test']],
    ['pipeline list ', []],
    ['pipeline tap ', ['ingest', 'cowrie']],
    ['pipeline tap ingest p', ['parsed']],
    ['pipeline tap ingest parsed.', ['parsed.errors']],
    ['pipeline tap nowhere ', []],
    ['pipeline tap ingest parsed ', []],
    ['pipeline tap --', ['--limit', '--output']],
    ['pipeline tap -o ', ['human', 'json']],
    ['pipeline tap --limit 3 ing', ['ingest']],
    ['pipeline tap --limit ', []],
    ['pipeline replay ingest c', ['cowrie']],
    ['pipeline replay ingest --tap ', ['lines', 'parsed']],
    ['pipeline replay ingest --against i', ['ingest']],
    ['pipeline replay ./in', []],
    ['pipeline test c', ['cowrie']],
    ['pipeline explain-type f', ['filter']],
    ['new ', ['source', 'sink']],
    ['new source ', []],
    ['nonsense ', []],
  ])('of "%s" is %j', (line, words) => expect(complete(line)).toEqual(words))

  it('knows the real commands, pipelines, types and nodes, and is silent of itself', async () => {
    const ask = async (...words: string[]) =>
      (await decnetHere(['__complete', ...words])).stdout.split('\n')
    expect(await ask('pipeline', 'te')).toEqual(['test', ''])
    expect(await ask('pipeline', 'tap', 'ing')).toEqual(['ingest', ''])
    expect(await ask('pipeline', 'tap', 'ingest', 'limited.e')).toEqual(['limited.errors', ''])
    expect(await ask('pipeline', 'explain-type', 'parse_s')).toEqual(['parse_syslog', ''])
    expect(await ask('pipeline', 'replay', '--')).toContain('--capture')
    expect(await ask('pipeline', 'tap', 'no_such', '')).toEqual([''])
    expect((await decnetHere(['--help'])).stdout).not.toContain('__complete')
  })

  it('works in a real bash', () => {
    const script = `
      source <("$1" completion bash)
      ask() {
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
        _decnet
        echo "\${COMPREPLY[*]}"
      }
      complete -p decnet
      ask "$1" pipeline explain-
      ask "$1" pipeline tap ingest pars
      ask "$1" completion ""
      ask "$1" pipeline validate ./x
    `
    const { stdout, stderr } = spawnSync('bash', ['-c', script, 'bash', `${root}/bin/decnet`], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(stdout.split('\n')).toEqual([
      'complete -o default -F _decnet decnet',
      'explain-event explain-type',
      'parsed',
      'bash zsh fish',
      '',
      '',
    ])
  })

  const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0

  it.skipIf(!has('zsh'))('works in a real zsh', () => {
    const script = `
      compdef() { }
      source <($1 completion zsh)
      compadd() { print -- "\${(@P)2}" }
      _files() { print FILES }
      words=($1 pipeline tap ingest pars); CURRENT=5; _decnet
      words=($1 pipeline validate ./x); CURRENT=4; _decnet
    `
    const { stdout } = spawnSync('zsh', ['-fc', script, 'zsh', `${root}/bin/decnet`], {
      cwd: root,
      encoding: 'utf8',
    })
    expect(stdout).toBe('parsed\nFILES\n')
  })

  it.skipIf(!has('fish'))('works in a real fish', () => {
    const script = `decnet completion fish | source; complete -C 'decnet pipeline tap ingest pars'`
    const { stdout } = spawnSync('fish', ['--no-config', '-c', script], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${root}/bin:${process.env.PATH}` },
    })
    expect(stdout.split('\n')).toContain('parsed')
  })
})
