import { describe, expect, it } from 'vitest'
import type { Problem } from '../../engine/problem.ts'
import { problemsJson, problemsText } from '../../engine/problem_text.ts'

const problem = (column: number, endColumn: number, more: Partial<Problem> = {}): Problem => ({
  severity: 'error',
  code: 'UNKNOWN_KEY',
  message: 'operator "bursts" has no key "treshold"',
  file: 'pipelines/login_bursts.yaml',
  line: 8,
  column,
  endLine: 8,
  endColumn,
  ...more,
})
const eighth = (line: string) => `${'\n'.repeat(7)}${line}\nnext\n`

describe('a problem as people read it', () => {
  it('says where, what, shows the place and a way out', () => {
    const line = '  bursts:  { type: login_burst, inputs: [creds], treshold: 20 }'
    const help = 'did you mean "threshold"? login_burst takes window, threshold, max_keys, ttl.'
    expect(problemsText([problem(50, 58, { help })], eighth(line))).toBe(
      [
        'pipelines/login_bursts.yaml:8:50: error[UNKNOWN_KEY]: operator "bursts" has no key "treshold"',
        '  8 |   bursts:  { type: login_burst, inputs: [creds], treshold: 20 }',
        '    |                                                  ^^^^^^^^',
        '  help: did you mean "threshold"? login_burst takes window, threshold, max_keys, ttl.',
        '',
      ].join('\n'),
    )
  })

  it('names other places that matter', () => {
    const related = [{ line: 3, column: 5, message: 'first defined here' }]
    expect(problemsText([problem(1, 2, { related })], eighth('abc'))).toContain(
      '  see pipelines/login_bursts.yaml:3:5: first defined here\n',
    )
  })

  it('has no excerpt where there is no line', () => {
    expect(problemsText([problem(1, 1)], '')).toBe(
      'pipelines/login_bursts.yaml:8:1: error[UNKNOWN_KEY]: operator "bursts" has no key "treshold"\n',
    )
  })

  it('marks what goes on over several lines up to the end of the first', () => {
    const [, , carets] = problemsText([problem(3, 2, { endLine: 9 })], eighth('a bcd  ')).split(
      '\n',
    )
    expect(carets).toBe('    |   ^^^')
  })

  it('shows of a long line the part around the place', () => {
    const line = `${'a'.repeat(5000)}HERE${'b'.repeat(5000)}`
    const [, shown = '', carets = ''] = problemsText([problem(5001, 5005)], eighth(line)).split(
      '\n',
    )
    expect(shown.length).toBeLessThan(120)
    expect(shown).toMatch(/\| …a+HEREb+…$/)
    expect(shown.indexOf('HERE')).toBe(carets.indexOf('^^^^'))
    expect(carets).toMatch(/ \^{4}$/)
  })

  it('shows of a place longer than that its start', () => {
    const [, shown = '', carets = ''] = problemsText(
      [problem(1001, 9001)],
      eighth('x'.repeat(10_000)),
    ).split('\n')
    expect(shown.length).toBeLessThan(120)
    expect(carets.length).toBeLessThan(120)
  })

  it.each([
    ['\u001b[31mred\u001b[0m \u202etxet', 16],
    ['tabs\tand\u0000nul', 13],
    ['日本語 wide', 9],
    ['e\u0301 and 👍', 8],
    ['\ud800 lone', 7],
  ])('lets nothing act on the terminal, and points right, in %j', (prefix) => {
    const line = `${prefix} HERE`
    const column = line.indexOf('HERE') + 1
    const text = problemsText([problem(column, column + 4)], eighth(line))
    expect(text.replaceAll('\n', '')).not.toMatch(/[\p{C}\p{M}]/u)
    const [, shown = '', carets = ''] = text.split('\n')
    const wide = [...shown.slice(0, shown.indexOf('HERE'))].filter((character) =>
      /[日本語👍]/u.test(character),
    )
    const shift = wide.reduce((cells, character) => cells + (character.length === 1 ? 1 : 0), 0)
    expect(carets.indexOf('^^^^')).toBe(shown.indexOf('HERE') + shift)
  })

  it('is quoted in one line whatever its file is called', () => {
    const text = problemsText([problem(1, 2, { file: 'a\nb\u001b.yaml', message: 'x\ny' })], '')
    expect(text.split('\n').length).toBe(2)
  })

  it('is coloured when asked for, and only then', () => {
    const plain = problemsText([problem(1, 2)], eighth('abc'))
    const colored = problemsText([problem(1, 2)], eighth('abc'), { color: true })
    expect(plain).not.toContain('\u001b')
    expect(colored).toContain('\u001b[31merror[UNKNOWN_KEY]\u001b[0m')
    expect(problemsText([problem(1, 2, { severity: 'warning' })], '', { color: true })).toContain(
      '\u001b[33m',
    )
  })
})

describe('problems as programs read them', () => {
  it('have their place first and no empty keys', () => {
    expect(JSON.stringify(problemsJson([problem(50, 58)]))).toBe(
      '[{"file":"pipelines/login_bursts.yaml","line":8,"column":50,"code":"UNKNOWN_KEY",' +
        '"message":"operator \\"bursts\\" has no key \\"treshold\\"","severity":"error","endLine":8,"endColumn":58}]',
    )
    const related = [{ line: 1, column: 1, message: 'here' }]
    expect(problemsJson([problem(1, 2, { help: 'do', related })])[0]).toMatchObject({
      help: 'do',
      related,
    })
  })
})
