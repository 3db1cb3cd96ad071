import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { corpusBytes, corpusIsHere, corpusLines } from '../protocols/fingerprint/corpus.ts'
import { decnet, root, scratchFolder } from './decnet.ts'

const LINUX = '4:57+7:0:1460:mss*44,7:mss,sok,ts,nop,ws:df,id+:0'
const NOBODY = '4:57+7:0:1460:77,7:mss:df,id+:0'

let dir = ''
beforeAll(() => {
  dir = scratchFolder()
})
afterAll(() => rmSync(dir, { recursive: true }))

function piped(input: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(join(root, 'bin/decnet'), ['p0f', ...args, '-'], {
    input,
    encoding: 'utf8',
  })
  return { code: status, stdout, stderr }
}

describe('decnet p0f', () => {
  it('prints label, params and distance of each signature', () =>
    expect(decnet(['p0f', LINUX, NOBODY])).toEqual({
      code: 0,
      stdout: 'Linux 4.20 or newer\tnone\t7\n???\tnone\t7\n',
      stderr: '',
    }))

  it('prints an object a line for programs', () => {
    const { stdout } = decnet(['p0f', '-o', 'json', LINUX, NOBODY])
    const found = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(found).toEqual([
      {
        ...{ module: 'syn', raw_sig: LINUX, label: 'Linux 4.20 or newer', kind: 'os' },
        ...{ params: 'none', distance: 7, fuzzy: false, rule_line: expect.any(Number) },
      },
      {
        ...{ module: 'syn', raw_sig: NOBODY, label: '???', kind: null },
        ...{ params: 'none', distance: 7, fuzzy: false, rule_line: null },
      },
    ])
  })

  it('looks SYN-ACKs up among SYN-ACKs', () => {
    const answer = '4:64+0:0:1460:mss*45,7:mss,sok,ts,nop,ws:df:0'
    expect(decnet(['p0f', '--module', 'syn+ack', answer]).stdout).toMatch(/^Linux 4\.20/)
    expect(piped(`syn+ack\t${answer}\tmore\n${LINUX}\n\nsyn\t${LINUX}`).stdout).toMatch(
      /^(Linux 4\.20 or newer\tnone\t[07]\n){3}$/,
    )
  })

  it('goes by the signature file that is named, and says which lines of it are wrong', () => {
    const file = join(dir, 'own.fp')
    const text =
      '[tcp:request]\nlabel = s:!:Lab:\u001b[31m\nsig = *:64:0:*:77,*:mss:df,id+:0\nsig = x\n'
    writeFileSync(file, text)
    const { code, stdout, stderr } = decnet(['p0f', '--p0f-fp', file, NOBODY])
    expect([code, stdout]).toEqual([0, 'Lab \\u001b[31m\tnone\t7\n'])
    expect(stderr).toContain('line 4 is left out: 1 fields where there should be 8')
  })

  it.each([
    ['a word', ['linux'], 64, '1 fields where there should be 8'],
    ['a rule, not a packet', ['*:64:0:*:77,*:mss:df:0'], 64, 'a * in what should be a packet'],
    ['a good one and a bad one', [LINUX, 'bad\u001b'], 64, '"bad\\u{1b}"'],
    ['no signature', [], 64, 'raw_sig'],
    ['a module p0f has not', ['--module', 'http', LINUX], 64, 'syn+ack'],
    ['a signature file that is not there', ['--p0f-fp', '/nowhere', LINUX], 78, '"/nowhere"'],
  ])('refuses %s', (_what, args, code, message) => {
    const ended = decnet(['p0f', ...args])
    expect([ended.code, ended.stdout]).toEqual([code, ''])
    expect(ended.stderr).toContain(message)
  })

  it('looks up the other lines where one is wrong, and exits 78', () => {
    const { code, stdout, stderr } = piped(`${LINUX}\nwrong\nhttp\t${LINUX}\n${LINUX}\n`)
    expect([code, stdout]).toEqual([78, 'Linux 4.20 or newer\tnone\t7\n'.repeat(2)])
    expect(stderr).toBe(
      'error: line 2: 1 fields where there should be 8\n' +
        'error: line 3: module "http" is not syn or syn+ack\n',
    )
  })

  it('says of a thousand wrong lines how many there were', () => {
    const { code, stderr } = piped(`${'x'.repeat(10_000)}\n`.repeat(1000))
    expect(code).toBe(78)
    expect(stderr).toContain('980 more lines are wrong')
    expect(stderr.length).toBeLessThan(5000)
  })

  it.runIf(corpusIsHere)('comes to the verdicts of p0f on what p0f saw', () => {
    const file = join(dir, 'p0f.fp')
    writeFileSync(file, corpusBytes('fingerprint-vectors/p0f.fp'))
    const rows = corpusLines('fingerprint-vectors/p0f-syn-vectors.tsv').slice(1)
    const { code, stdout } = piped(rows.join('\n'), '--p0f-fp', file)
    // The text of a signature does not tell the ToS byte.
    const verdicts = rows.map((row) => {
      const [, , label, params = '', dist] = row.split('\t')
      return [label, params.replace(/ ?tos:0x../, '') || 'none', dist].join('\t')
    })
    expect(code).toBe(0)
    expect(stdout.trim().split('\n')).toEqual(verdicts)
  })
})
