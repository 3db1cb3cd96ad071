import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { problemsText } from '../../../engine/problem_text.ts'
import { codes, compiled, pipeline, planOf, withSource } from './compiled.ts'

const repeat = (count: number, line: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => line(n)).join('')
const rest = 'sinks:\n  out: { type: print, inputs: [lines] }\n'

describe('a file that is too much', () => {
  it.each([
    ['is over a megabyte', `# ${'x'.repeat(2 ** 20)}\n`, 'TOO_LARGE'],
    ['nests deep in braces', `name: ${'{a: '.repeat(20_000)}1${'}'.repeat(20_000)}`, 'TOO_LARGE'],
    ['nests deep in brackets', `name: ${'['.repeat(100)}1${']'.repeat(100)}`, 'TOO_LARGE'],
    ['nests deep in dashes', `${'- '.repeat(20_000)}a`, ''],
    ['nests deep in keys', repeat(500, (n) => `${' '.repeat(n)}a:\n`), ''],
    ['opens braces only', '{'.repeat(50_000), ''],
    ['has documents without end', '---\n'.repeat(20_000), ''],
    ['has anchors that refer to themselves', 'name: &a [*a]', 'YAML_SYNTAX'],
    ['is full of control characters', '\u0000\u001b[31m\u0007'.repeat(100), ''],
    ['has lone surrogates', 'name: "\ud800"\n\udfff: 1\n', ''],
  ])('because it %s is refused at once', (_, text, code) => {
    const start = performance.now()
    const { plan, problems } = compiled(text)
    expect(plan).toBeUndefined()
    expect(problems.map((problem) => problem.code).join()).toMatch(code)
    expect(problemsText(problems, text)).toMatch(/error\[/)
    expect(performance.now() - start).toBeLessThan(5000)
  })

  it('because aliases multiply it is refused before it has grown', () => {
    const laughs = repeat(
      20,
      (n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(', ')}]\n`,
    )
    expect(codes(`a0: &a0 x\n${laughs}`)).toContainEqual(expect.stringMatching('TOO_LARGE'))
  })

  it('because it has over a thousand nodes says so once', () => {
    const nodes = repeat(1500, (n) => `  n${n}: { type: pass, inputs: [lines] }\n`)
    const text = pipeline(`sources:\n  lines: { type: tail, path: a }\noperators:\n${nodes}${rest}`)
    expect(codes(text).filter((code) => code.startsWith('TOO_LARGE'))).toEqual(['TOO_LARGE 1005:3'])
  })

  it('because everything in it feeds everything is answered in time', () => {
    const start = performance.now()
    const nodes = repeat(900, (n) => {
      const inputs = Array.from({ length: 60 }, (_, k) => `n${(n * 7 + k * 13) % 900}`)
      return `  n${n}: { type: pass, inputs: [${[...new Set(inputs)].join(', ')}] }\n`
    })
    expect(codes(pipeline(`operators:\n${nodes}`)).length).toBe(500)
    expect(performance.now() - start).toBeLessThan(25_000)
  })

  it('because a thousand nodes read what is not there is answered in time', () => {
    const start = performance.now()
    const nodes = repeat(900, (n) => {
      const inputs = Array.from({ length: 60 }, (_, k) => `x${n}y${k}`)
      return `  n${n}: { type: pass, inputs: [${inputs.join(', ')}] }\n`
    })
    expect(codes(pipeline(`operators:\n${nodes}`)).length).toBe(500)
    expect(performance.now() - start).toBeLessThan(25_000)
  })

  it('because it is wrong throughout says what can be read', () => {
    const nodes = repeat(900, (n) => `  n${n}: { type: split, ports: 5, inputs: [m${n}] }\n`)
    const { problems, plan } = compiled(
      pipeline(`${repeat(5000, (n) => `wrong${n}: 1\n`)}operators:\n${nodes}`),
    )
    expect(problems.length).toBe(500)
    expect(plan).toBeUndefined()
  })
})

describe('a large pipeline', () => {
  it('of a thousand nodes is still a pipeline', () => {
    const nodes = repeat(
      900,
      (n) => `  n${n}: { type: pass, inputs: [${n === 0 ? 'lines' : `n${n - 1}`}] }\n`,
    )
    const text = pipeline(
      `sources:\n  lines: { type: tail, path: a }\noperators:\n${nodes}sinks:\n  out: { type: print, inputs: [n899] }\n`,
    )
    expect(planOf(text).nodes.length).toBe(902)
  })

  it('of many test lines is read', () => {
    const lines = repeat(5000, (n) => `        - line ${n}\n`)
    const text = `${withSource('{ type: tail, path: a }')}tests:\n  - name: many\n    send:\n      lines:\n${lines}    expect: {}\n`
    expect(planOf(text).tests[0]?.steps[0]?.acts).toMatchObject([{ items: { length: 5000 } }])
  })
})

describe('a file with line ends of another system', () => {
  it('is read alike, and its problems are at the same places', () => {
    const text = withSource('{ type: tail, pth: a }')
    expect(codes(text.replaceAll('\n', '\r\n'))).toEqual(codes(text))
    expect(codes(`\ufeff${text}`)).toEqual(codes(text))
    const broken = text.replaceAll('\n', '\r\n')
    expect(problemsText(compiled(broken).problems, broken)).toBe(
      problemsText(compiled(text).problems, text),
    )
  })
})

describe('whatever the text is', () => {
  const folder = new URL('../../fixtures/broken/', import.meta.url)
  const seeds = readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => readFileSync(new URL(file, folder), 'utf8'))
  const scraps = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ': ',
    '"',
    "'",
    '&a ',
    '*a',
    '<<: ',
    '- ',
    '\n',
    '\t',
    '${',
    '}',
    '|',
    '>-\n',
    '#',
    '!!',
    '? ',
    '\u0000',
    '\ud800',
    'errors',
    '.',
  )

  it('the compiler answers, at places that are in the file', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), scraps, fc.nat(3)), { maxLength: 4 }),
        (seed, edits) => {
          let text = seed
          for (const [where, scrap, cut] of edits) {
            const at = where % (text.length + 1)
            text = text.slice(0, at) + scrap + text.slice(at + cut)
          }
          const { plan, problems } = compiled(text)
          const lines = text.split('\n')
          for (const { line, column, endLine, endColumn } of problems) {
            expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? -1) + 1)
            expect(endColumn).toBeLessThanOrEqual((lines[endLine - 1]?.length ?? -1) + 1)
            expect(endLine > line || (endLine === line && endColumn >= column)).toBe(true)
          }
          expect(plan === undefined).toBe(problems.some(({ severity }) => severity === 'error'))
          expect(problemsText(problems, text).replaceAll('\n', '')).not.toMatch(/[\p{C}\p{M}]/u)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('cut anywhere it is still answered', () => {
    for (const seed of seeds.slice(0, 8)) {
      for (let end = 0; end < seed.length; end += 3) {
        expect(compiled(seed.slice(0, end)).plan).toBeUndefined()
      }
    }
  })
})
