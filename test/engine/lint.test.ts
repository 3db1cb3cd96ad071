import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { registry } from '../../cli/registry.ts'
import { compilePipeline } from '../../engine/compile.ts'
import type { Registry } from '../../engine/define.ts'
import { constantValue } from '../../engine/lint/constant_condition.ts'
import { LINT_CODES } from '../../engine/lint/rules.ts'
import { lintPipeline } from '../../engine/lint.ts'
import { standIns } from '../fixtures/components.ts'

function lint(text: string, file = 'p.yaml', known: Registry = registry): string[] {
  const { plan, problems } = compilePipeline(text, file, { registry: known, env: {} })
  if (!plan) throw new Error(problems.map(({ message }) => message).join())
  return lintPipeline(plan, text, problems).map(
    ({ code, line, column }) => `${code} ${line}:${column}`,
  )
}

interface Parts {
  source?: string
  operator?: string
  sink?: string
  more?: string
}

const file = ({ source, operator, sink, more }: Parts = {}) => `name: p
description: A pipeline
sources:
  lines: ${source ?? '{ type: ndjson_file, path: /x }'}
operators:
  op: ${operator ?? '{ type: filter, inputs: [lines], where: data.x }'}
sinks: # errors: dead letters
  out: ${sink ?? "{ type: 'null', inputs: [op] }"}
tests: [{ name: t, expect_none: [op] }]
${more ?? ''}`

describe('lint', () => {
  it('has nothing to say about a careful pipeline', () => expect(lint(file())).toEqual([]))

  it.each([
    [
      'a filter that lets everything pass',
      { operator: '{ type: filter, inputs: [lines], where: "true" }' },
      'CONSTANT_CONDITION 6:47',
    ],
    [
      'a route nothing takes',
      {
        operator:
          "{ type: route, inputs: [lines], routes: { a: 'false && data.x' }, otherwise: drop }",
        sink: "{ type: 'null', inputs: [op.a] }",
      },
      'CONSTANT_CONDITION 6:52',
    ],
    [
      'state that is never forgotten',
      { operator: '{ type: dedup, inputs: [lines], key: [data.x], window: 1s }' },
      'NO_TTL 6:3',
    ],
    ['a source that cannot be read again', { source: '{ type: stdin }' }, 'NOT_REPLAYABLE 4:3'],
    [
      'an output nobody reads',
      {
        operator: '{ type: route, inputs: [lines], routes: { a: data.x } }',
        sink: "{ type: 'null', inputs: [op.a] }",
      },
      'UNUSED_OUTPUT 6:3',
    ],
  ])('finds %s', (_what, parts, finding) => expect(lint(file(parts))).toEqual([finding]))

  it('finds a sink whose errors nobody has thought of', () => {
    const silent = file().replace(' # errors: dead letters', '')
    expect(lint(silent)).toEqual(['NO_ERROR_NOTE 8:3'])
    expect(lint(`${silent}settings: { dead_letters: { limit: 5 } }\n`)).toEqual([])
    expect(lint(silent.replace('sinks:', '# refused: kept\nsinks:'))).toEqual([])
    const read = "sinks:\n  bad: { type: 'null', inputs: [out.errors] }"
    expect(lint(silent.replace('sinks:', read))).toEqual(['NO_ERROR_NOTE 8:3'])
  })

  it('finds what a pipeline lacks', () => {
    const bare = file().replace(/tests:.*\n/, '')
    expect(lint(bare)).toEqual(['NO_TESTS 1:1'])
    expect(lint(bare, 'pipelines/p.yaml')).toEqual(['NO_TESTS 1:1', 'NO_UNIT 1:1'])
  })

  it('finds a secret in plain sight, but not a reference to one, and none in tests', () => {
    const text = (password: string) => `name: p
description: A pipeline
sources: { a: { type: wire, listen: x, password: ${password} } }
sinks: # errors
  b: { type: print, inputs: [a] }
tests: [{ name: t, send: { a: [{ data: { password: hunter2 } }] }, expect_none: [b] }]
`
    const secrets = (text: string) =>
      lint(text, 'p.yaml', standIns).filter((finding) => finding.startsWith('PLAIN'))
    expect(secrets(text('hunter2'))).toEqual(['PLAIN_SECRET 3:50'])
    expect(secrets(text('"${PASS:-}"'))).toEqual([])
  })

  it('accepts what a comment allows, by its code, on the line or above it', () => {
    const operator = '{ type: dedup, inputs: [lines], key: [data.x], window: 1s }'
    expect(lint(file({ operator: `${operator} # lint: allow NO_TTL` }))).toEqual([])
    expect(
      lint(
        file({ operator }).replace('  op:', '  # few keys; lint: allow NO_TESTS, NO_TTL\n  op:'),
      ),
    ).toEqual([])
    expect(lint(file({ operator: `${operator} # lint: allow NO_TESTS` }))).toEqual(['NO_TTL 6:3'])
  })
})

it.each([
  ['true', true],
  ['1 > 2 || "a" == "a"', true],
  ['data.x == 1 || true', true],
  ['data.x == 1 && (1 == 2)', false],
  ['[1, 2].exists(x, x > 1)', true],
  ['data.x == 1', undefined],
  ['data.tags.exists(x, x == "true")', undefined],
  ['["a"].exists(x, x == data.a)', undefined],
  ['topic == "data" || false', undefined],
])('%s is constant: %s', (text, value) => expect(constantValue(text)).toBe(value))

it('has each of its codes in the documentation', () => {
  const page = readFileSync(new URL('../../docs/testing.md', import.meta.url), 'utf8')
  for (const code of Object.keys(LINT_CODES)) expect(page).toContain(`\`${code}\``)
})

const shipped = new URL('../../pipelines/', import.meta.url)
it.each(readdirSync(shipped).filter((name) => name.endsWith('.yaml')))(
  'has nothing to say about pipelines/%s',
  (name) => {
    const found = lint(readFileSync(new URL(name, shipped), 'utf8'), `pipelines/${name}`)
    // A live capture is not journalled, and says so.
    expect(found.filter((one) => !one.startsWith('NOT_REPLAYABLE'))).toEqual([])
  },
)
