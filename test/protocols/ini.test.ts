import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEnvironmentFile } from '../../protocols/environment_file.ts'
import { IniError, parseIni } from '../../protocols/ini.ts'

const values = (text: string) =>
  parseIni(text).map(({ section, key, value }) => [section, key, value])

describe('an INI file', () => {
  it.each([
    ['[a]\nk = v', [['a', 'k', 'v']]],
    ['[a]\nk: v', [['a', 'k', 'v']]],
    [
      '[a]\nK=v\r\n[A]\nk=w',
      [
        ['a', 'k', 'v'],
        ['A', 'k', 'w'],
      ],
    ],
    ['# x\n; y\n[a]\nk = v   # or w', [['a', 'k', 'v']]],
    ['[a]\nurl = http://a#x', [['a', 'url', 'http://a#x']]],
    ['[a]\nk =', [['a', 'k', '']]],
    ['[a]\nk = one\n  two', [['a', 'k', 'one\ntwo']]],
    ['\ufeff[a]\nk=v', [['a', 'k', 'v']]],
    ['[a]\nurl = mysql://u:p%40ss@h/db', [['a', 'url', 'mysql://u:p%40ss@h/db']]],
    ['[a]\nk = a = b', [['a', 'k', 'a = b']]],
  ])('reads %j', (text, expected) => expect(values(text)).toEqual(expected))

  it.each([
    ['k = v', 1, /in no section/],
    ['[a]\nk = v\nk = w', 3, /there twice/],
    ['[a]\n[b]\n[a]', 3, /there twice/],
    ['[a]\nplain', 2, /without "key = value"/],
    ['[a\nk=v', 1, /no section/],
    ['[a]\n  indented', 2, /goes on with nothing/],
    ['[a]\nk = \x1b[31m', 2, /control character/],
    ['#'.repeat(300_000), 1, /over/],
  ])('refuses %j', (text, line, message) => {
    const error = (() => {
      try {
        parseIni(text)
      } catch (thrown) {
        return thrown as IniError
      }
      return undefined
    })()
    expect(error?.message).toMatch(message)
    expect(error?.line).toBe(line)
  })

  it('does not show a line that is no setting: it may be a secret', () => {
    expect(() => parseIni('[a]\nhunter2')).toThrow(/^a line without/)
  })

  it('reads any text, or says on which line it stops', () => {
    const text = fc.array(
      fc.constantFrom('[a]', '[b]', 'k=v', 'K : w', ' more', '', '#x', 'é;', '=', '\0'),
    )
    fc.assert(
      fc.property(text, (lines) => {
        try {
          for (const { line } of parseIni(lines.join('\n'))) expect(lines[line - 1]).toBeDefined()
        } catch (error) {
          if (!(error instanceof IniError)) throw error
          expect(error.line).toBeLessThanOrEqual(lines.length)
        }
      }),
    )
  })
})

describe('an environment file', () => {
  it.each([
    ['A=b', 'b'],
    ['A = b c ', 'b c'],
    ['export A=b', 'b'],
    ["A='b # c'", 'b # c'],
    ['A="b \\" c"', 'b " c'],
    ['A=b # c', 'b # c'],
    ['A=1\nA=2', '2'],
    ['A=', ''],
    ['#A=b\nA=c', 'c'],
  ])('reads %j as systemd does', (text, value) => {
    expect(parseEnvironmentFile(text).get('A')).toBe(value)
  })

  it('passes over what is no assignment', () => {
    expect(parseEnvironmentFile('rm -rf x\n1A=b\n')).toEqual(new Map())
  })
})
