import { readdirSync, readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, parseDocument, stringify } from 'yaml'
import { registry } from '../../cli/registry.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { formatPipeline } from '../../engine/format_pipeline.ts'

const format = (text: string) => formatPipeline(text, registry)
const folder = (path: string) =>
  readdirSync(new URL(path, import.meta.url))
    .filter((name) => name.endsWith('.yaml'))
    .map(
      (name) => [name, readFileSync(new URL(`${path}${name}`, import.meta.url), 'utf8')] as const,
    )
const shipped = folder('../../pipelines/')
const fixtures = folder('../fixtures/broken/')
const env = { WORD: 'abc', NUMBER: '10000' }

/** The plan without the places of its tests, or what is wrong with the file. */
function meaning(name: string, text: string): string {
  const { plan, problems } = compilePipeline(text, name, { registry, env })
  const tests = plan?.tests.map(({ name, steps }) => ({ name, steps }))
  const codes = problems.map(({ code }) => code).sort()
  return JSON.stringify({ ...plan, tests, codes })
}

function attempt(text: string): unknown {
  const document = parseDocument(text)
  return document.errors.length === 0 ? document.toJS() : undefined
}

describe.each(shipped)('pipelines/%s', (_name, text) => {
  it('is formatted', () => expect(format(text)).toBe(text))
})

describe('formatting', () => {
  it.each([...shipped, ...fixtures])('%s keeps its meaning, once and twice', (name, text) => {
    let made: string
    try {
      made = format(text)
    } catch (error) {
      expect(error).toMatchObject({ code: 'FORMAT' })
      // Refused is only what is no YAML, or is told so by validate.
      expect(compilePipeline(text, name, { registry, env }).plan).toBeUndefined()
      return
    }
    expect(format(made)).toBe(made)
    expect(meaning(name, made)).toBe(meaning(name, text))
  })

  it('orders keys, keeps comments and quotes, and lines nodes up', () => {
    const text = `# yaml-language-server: $schema=./pipeline.schema.json
description: "odd \\x41 one"
name: odd
# about sinks
sinks:
    # one
    out: {inputs: [lines,
       other], type: 'null'}   # trailing
    b:
      inputs: [  lines  ]
      # why
      type: 'null'


    # tail comment

# about sources
sources:
  lines: {path: /x, type: ndjson_file}
  others: {path: /y, type: ndjson_file}
  other:
    path: >- # why folded
        folded text
        goes on

        here
    type: ndjson_file
    topic: |2
        keep two more
      here
  q:
    path: 'single quoted
       over lines'
    type: ndjson_file
tests:
- name: a
  send:
    lines: [ {data: {x: 1.0, y: 0x1F, z: ~}}, # c
      b ]
  expect: {}
# the end
`
    expect(format(text)).toBe(`# yaml-language-server: $schema=./pipeline.schema.json
name: odd
description: "odd \\x41 one"

# about sources
sources:
  lines:  { type: ndjson_file, path: /x }
  others: { type: ndjson_file, path: /y }
  other:
    type: ndjson_file
    path: >- # why folded
      folded text
      goes on

      here
    topic: |2
        keep two more
      here
  q:
    type: ndjson_file
    path: 'single quoted
      over lines'
# about sinks
sinks:
  # one
  out: { type: 'null', inputs: [lines, other] } # trailing
  b:
    # why
    type: 'null'
    inputs: [lines]
  # tail comment
tests:
  - name: a
    send:
      lines:
        - { data: { x: 1.0, y: 0x1F, z: ~ } } # c
        - b
    expect: {}

# the end
`)
  })

  it('breaks a line past 100 columns into a block, and only that', () => {
    const of = (length: number) => `sinks:\n  a: { type: x, path: ${'p'.repeat(length)} }\n`
    const room = 100 - '  a: { type: x, path:  }'.length
    expect(format(of(room))).toBe(of(room))
    expect(format(of(room + 1))).toBe(
      `sinks:\n  a:\n    type: x\n    path: ${'p'.repeat(room + 1)}\n`,
    )
  })

  it('moves nothing in front of the anchor it needs', () => {
    const text = 'sinks:\n  a: &a { type: x }\nname: n\nsources:\n  <<: *b\n  b: *a\n'
    const sound = text.replace('  <<: *b\n', '  c: { <<: *a, p: 1 }\n')
    expect(format(sound)).toBe(sound)
    expect(() => format(text)).toThrow('an alias that leads nowhere')
  })

  it('takes other line ends and a byte order mark off', () => {
    expect(format('\ufeffname: a\r\ntests:\r\n- x: |\r\n    l\r\n')).toBe(
      'name: a\ntests:\n  - x: |\n      l\n',
    )
  })

  it.each(shipped)('takes a comment anywhere in %s, and comes to rest at once', (_name, text) => {
    const lines = text.split('\n').slice(0, 40)
    for (let at = 0; at < lines.length; at++) {
      const line = lines[at] ?? ''
      const above = `${/^ */.exec(line)}# a comment\n${line}`
      const beside = line === '' || line.includes("'<") ? line : `${line} # a comment`
      for (const changed of [above, beside, `\n${above}`]) {
        const made = format(lines.with(at, changed).join('\n'))
        expect(format(made)).toBe(made)
      }
    }
  })

  it('keeps any value, however it was written, and comes to rest at once', () => {
    const word = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.string({ unit: fc.constantFrom('a', ' ', '\n', '#', ':', '-', '"', "'"), maxLength: 30 }),
      fc.constantFrom('true', '1', 'null', '${X:-y}', '- a', '>-\n x', ' lead', 'trail '),
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4, withCrossShrink: true },
        word,
        fc.constantFrom(1, 1.5, true, null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[a-z_. ]{1,8}$/), tie('value'), { maxKeys: 4 }),
      ),
    }))
    const section = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), value, { maxKeys: 4 })
    const file = fc.record({ tests: value, sinks: section, name: word, sources: section })
    const style = fc.record({
      indent: fc.constantFrom(1, 2, 4),
      lineWidth: fc.constantFrom(0, 30, 80),
      indentSeq: fc.boolean(),
      collectionStyle: fc.constantFrom('any' as const, 'flow' as const),
      defaultStringType: fc.constantFrom(
        'PLAIN' as const,
        'QUOTE_DOUBLE' as const,
        'QUOTE_SINGLE' as const,
        'BLOCK_FOLDED' as const,
      ),
    })
    fc.assert(
      fc.property(file, style, (file, { defaultStringType, ...style }) => {
        const text = stringify(file, { ...style, defaultStringType, defaultKeyType: 'PLAIN' })
        // The other printer's own mistakes are not ours.
        fc.pre(isDeepStrictEqual(attempt(text), file))
        const made = format(text)
        expect(parse(made)).toEqual(parse(text))
        expect(format(made)).toBe(made)
      }),
      { numRuns: 60 },
    )
  })
})
