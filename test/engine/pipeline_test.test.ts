import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Type } from 'typebox'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventClock } from '../../engine/clock.ts'
import { compilePipeline } from '../../engine/compile.ts'
import { silentLog } from '../../engine/context.ts'
import { makeRegistry } from '../../engine/define.ts'
import { defineOperator, to } from '../../engine/index.ts'
import { JournalWriter } from '../../engine/journal/writer.ts'
import { junitText } from '../../engine/junit.ts'
import { mismatches, runPipelineTests } from '../../engine/pipeline_test.ts'
import { each, listSink, listSource, windowCount } from './stand_ins.ts'

const told = { summary: 'a stand-in', promise: 'none', config: Type.Object({}), examples: [] }

/** Remembers in a place no checkpoint sees. */
const leaky = defineOperator({
  ...told,
  type: 'leaky',
  each: () => {
    let seen = 0
    return (event) => {
      seen += 1
      return { ...event, data: { ...event.data, seen } }
    }
  },
})
const sorted = defineOperator({
  ...told,
  type: 'sorted',
  outputs: () => ['odd', 'even'],
  each: () => (event) => to(Number(event.data.n) % 2 === 0 ? 'even' : 'odd', event),
})
const clocked = defineOperator({
  ...told,
  type: 'clocked',
  each:
    (_config, { clock }) =>
    (event) => ({ ...event, data: { now: clock.now() } }),
})
const spoils = each((event) => {
  event.data.spoilt = true
  return event
})

const registry = makeRegistry([
  listSource([]),
  listSink([]),
  windowCount,
  leaky,
  sorted,
  clocked,
  { ...spoils, type: 'spoils' },
])

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'decnet-tests-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function compile(operator: string, tests: string) {
  const text = `name: p
description: A pipeline
sources: { lines: { type: list } }
operators: { op: { type: ${operator}, inputs: [lines] } }
sinks:
  rows: { type: list, inputs: [${operator === 'sorted' ? 'op.odd, op.even' : 'op'}] }
tests:
${tests}`
  return compilePipeline(text, join(dir, 'p.yaml'), { registry, env: {} })
}

async function run(operator: string, tests: string): Promise<string[][]> {
  const { plan, problems } = compile(operator, tests)
  expect(problems).toEqual([])
  if (!plan) throw new Error('does not compile')
  const results = await runPipelineTests(plan)
  return results.map(({ differences }) => differences.map(({ message }) => message))
}

const codes = (operator: string, tests: string) =>
  compile(operator, tests).problems.map(({ code, line, column }) => `${code} ${line}:${column}`)

describe('time in a test', () => {
  const send =
    'send: { lines: [{ time: 1001, data: { key: a } }, { time: 1002, data: { key: a } }] }'

  it('stands still until it is told to pass, and then fires what is due', async () => {
    const steps = `  - name: t
    steps:
      - ${send}
        expect_none: [op, rows]
      - advance: 7ms
        expect_none: [op]
      - advance: 1ms
        expect: { op: [{ time: 1010, data: { key: a, count: 2 } }], rows: [{}] }
      - advance: 1h
        expect_none: [op]
`
    expect(await run('window_count', steps)).toEqual([[]])
  })

  it('passes for nodes without timers, and for events that tell no time', async () => {
    const steps = `  - name: t
    steps:
      - send: { lines: [{ time: 1000, data: {} }] }
        expect: { op: [{ data: { now: 1000 } }] }
      - advance: 5m
        send: { lines: [{ data: {} }, { time: 1001, data: {} }] }
        expect: { op: [{ time: 301000, data: { now: 301000 } }, { time: 1001, data: { now: 301000 } }] }
`
    expect(await run('clocked', steps)).toEqual([[]])
  })

  it('starts where all tests start', async () => {
    const tests = `  - { name: t, send: { lines: [{ data: {} }] }, expect: { op: [{ data: { now: 1772355600000 } }] } }
`
    expect(await run('clocked', tests)).toEqual([[]])
  })
})

describe('a crash in a test', () => {
  it('keeps state and timers, and goes on counting events', async () => {
    const steps = `  - name: t
    steps:
      - send: { lines: [{ time: 1001, data: { key: a } }] }
      - crash_and_restore: true
        state: { op: { a: { '1010': 1 }, b: null } }
      - send: { lines: [{ time: 1002, data: { key: a } }] }
        crash_and_restore: true
        advance: 8ms
        expect: { op: [{ data: { count: 2 } }], lines: [{ time: 1001 }, { time: 1002 }] }
`
    expect(await run('window_count', steps)).toEqual([[]])
  })

  it('finds an operator that remembers where no checkpoint looks', async () => {
    const steps = `  - name: t
    steps:
      - send: { lines: [{ data: {} }] }
      - crash_and_restore: true
        send: { lines: [{ data: {} }] }
        expect: { op: [{ data: { seen: 1 } }, { data: { seen: 2 } }] }
`
    expect(await run('leaky', steps)).toEqual([['op[1].data.seen: expected 2, got 1']])
  })

  it('acts in the order that is written', async () => {
    const step = (acts: string) => `  - name: t
    ${acts}
    expect: { op: [{ data: { seen: 1 } }] }
`
    const send = 'send: { lines: [{ data: {} }] }'
    const before = step(`crash_and_restore: true\n    ${send}`)
    expect(await run('leaky', before + step(send))).toEqual([[], []])
  })
})

describe('what a test looks at', () => {
  it('is what came since it was last looked at, from that node', async () => {
    const steps = `  - name: t
    steps:
      - send: { lines: [{ data: { n: 1 } }, { data: { n: 2 } }] }
        expect: { op.odd: [{ data: { n: 1 } }] }
      - send: { lines: [{ data: { n: 3 } }] }
        expect: { op.odd: [{ data: { n: 3 } }], op.even: [{ data: { n: 2 } }] }
        expect_none: [op.odd, op.even, lines.errors]
`
    expect(await run('sorted', steps)).toEqual([[]])
  })

  it('is all outputs of a node together, in the order of the input, where no port is named', async () => {
    const tests = `  - name: t
    send: { lines: [{ data: { n: 2 } }, { data: { n: 1 } }, { data: { n: 4 } }] }
    expect: { op: [{ data: { n: 2 } }, { data: { n: 1 } }, { data: { n: 4 } }] }
`
    expect(await run('sorted', tests)).toEqual([[]])
  })

  it('is compared whole but for keys that are not asked for', () => {
    const actual = { a: { b: 1, c: [1, { d: 2 }] }, e: null }
    expect(mismatches({ a: { c: [1, { d: 2 }] }, e: null }, actual, 'x')).toEqual([])
    expect(mismatches({ a: { c: [1] }, f: 1 }, actual, 'x')).toEqual([
      'x.a.c: expected [1], got [1,{"d":2}]',
      'x.f: expected 1, got nothing',
    ])
  })

  it('says what is missing, what is too much, and what state is there', async () => {
    const tests = `  - name: t
    send: { lines: [{ time: 1, data: { key: a } }] }
    advance: 1m
    expect: { op: [{}, { data: {} }], lines: [] }
    expect_none: [rows]
    state: { op: { a: { x: 1 }, z: {} } }
`
    expect(await run('window_count', tests)).toEqual([
      [
        'op: expected 2 events, got 1',
        'op[1]: expected {"data":{}}, got nothing',
        expect.stringMatching(/^lines: expected 0 events, got 1; the first one more is \{"id":/),
        expect.stringMatching(/^rows: expected no events, got 1, first \{"id":/),
        'op{a}.x: expected 1, got nothing',
        'op{z}: expected {}, got null',
      ],
    ])
  })
})

it('reads captured lines, plain and packed, as many as it is told', async () => {
  const lines = 'one\ntwo\nthree\n'
  writeFileSync(join(dir, 'plain.log'), lines)
  writeFileSync(join(dir, 'packed.gz'), gzipSync(lines))
  writeFileSync(join(dir, 'packed.zst'), zstdCompressSync(lines))
  const test = (capture: string, count: number) => `  - name: the first ${count}
    from_capture: { lines: ${capture} }
    expect: { lines: [${['one', 'two', 'three'].slice(0, count).map((line) => `{ data: { line: ${line} } }`)}] }
`
  const tests = [
    test('plain.log', 3),
    test('{ file: packed.gz, limit: 2 }', 2),
    test('{ file: packed.zst, limit: 9 }', 3),
    test('plain.log', 3).replace('{ lines: plain.log }', 'plain.log'),
  ]
  expect(await run('clocked', tests.join(''))).toEqual([[], [], [], []])
  expect(await run('clocked', test('gone.log', 0))).toEqual([
    [expect.stringMatching(/^the pipeline failed: CAPTURE: cannot read capture .*gone\.log/)],
  ])
})

describe('a journal as captured input', () => {
  const entry = (source: string, first: number, lines: readonly string[]) => ({
    source,
    stream: source.repeat(16),
    first,
    position: null,
    events: lines.map((line) => ({ topic: 'line', time: 1000, data: { line } })),
  })
  const pipeline = `name: p
description: A pipeline
sources: { a: { type: list }, b: { type: list } }
sinks: { rows: { type: list, inputs: [a, b] } }
tests:
`
  const runOn = async (text: string) => {
    const made = compilePipeline(text, join(dir, 'p.yaml'), { registry, env: {} })
    if (!made.plan) throw new Error(made.problems.map(({ message }) => message).join('\n'))
    return (await runPipelineTests(made.plan)).map(({ differences }) =>
      differences.map(({ message }) => message),
    )
  }
  beforeAll(async () => {
    const writer = await JournalWriter.open({
      path: join(dir, 'p.journal'),
      kind: 'directory',
      pipeline: 'p',
      clock: eventClock(0),
      log: silentLog,
      giveUp: new AbortController().signal,
    })
    for (const [source, first, lines] of [
      ['a', 0, ['a1', 'a2']],
      ['b', 0, ['b1']],
      ['c', 0, ['c1']],
      ['a', 2, ['a3']],
    ] as const) {
      await writer.append(entry(source, first, lines)).safe
    }
    await writer.close()
  })
  const seen = (lines: readonly string[]) =>
    `[${lines.map((line) => `{ data: { line: ${line} } }`)}]`

  it('feeds each source with what was its own, in the order of arrival, or one with all', async () => {
    const test = (capture: string, rows: readonly string[]) =>
      `  - { name: t, from_capture: ${capture}, expect: { rows: ${seen(rows)} } }\n`
    const tests = [
      test('p.journal', ['a1', 'a2', 'b1', 'a3']),
      test('{ b: p.journal }', ['a1', 'a2', 'b1', 'c1', 'a3']),
      test('{ a: { file: p.journal, limit: 3 } }', ['a1', 'a2', 'b1']),
    ]
    expect(await runOn(pipeline + tests.join(''))).toEqual([[], [], []])
  })

  it('says that a log file needs the name of its source where there are several', async () => {
    writeFileSync(join(dir, 'some.log'), 'one\n')
    expect(
      await runOn(`${pipeline}  - { name: t, from_capture: some.log, expect_none: [a] }`),
    ).toEqual([
      [expect.stringMatching(/CAPTURE_TARGET: p has 2 sources; say which one reads .*some\.log/)],
    ])
  })
})

it('lets nothing of one test reach another', async () => {
  const test = `  - &t
    name: t
    send: { lines: [{ data: { deep: { a: 1 } } }] }
    expect: { lines: [{}], op: [{ data: { spoilt: true } }] }
`
  const { plan } = compile('spoils', `${test}  - *t\n`)
  if (!plan) throw new Error('does not compile')
  const first = await runPipelineTests(plan)
  const again = await runPipelineTests(plan)
  const outcome = (results: typeof first) =>
    results.map(({ differences, observed }) => ({ differences, observed }))
  expect(outcome(again)).toEqual(outcome(first))
  expect(plan.tests[0]?.steps[0]?.acts).toEqual([
    { does: 'send', source: 'lines', items: [{ data: { deep: { a: 1 } } }] },
  ])
})

describe('a test that is written wrongly', () => {
  it.each([
    ['both forms', '  - { name: t, send: {}, steps: [{ expect_none: [op] }] }', ['TEST_FORM 8:26']],
    ['nothing to look at', '  - { name: t, steps: [{ advance: 1s }] }', ['MISSING_KEY 8:5']],
    ['a strange node', '  - { name: t, expect_none: [ops] }', ['UNKNOWN_NODE 8:30']],
    ['a strange port', '  - { name: t, expect_none: [op.x] }', ['UNKNOWN_PORT 8:30']],
    ['state of a stateless node', '  - { name: t, state: { rows: {} } }', ['UNKNOWN_NODE 8:25']],
    [
      'a capture for an operator',
      '  - { name: t, from_capture: { op: a }, expect_none: [op] }',
      ['UNKNOWN_NODE 8:32'],
    ],
    ['a time that is none', '  - { name: t, advance: soon, expect_none: [op] }', ['DURATION 8:25']],
  ])('%s is refused at its place', (_what, tests, expected) => {
    expect(codes('window_count', tests)).toEqual(expected)
  })
})

it('writes JUnit XML that no name can break out of', () => {
  const text = junitText([
    {
      pipeline: 'p',
      file: 'p.yaml',
      results: [
        { name: 'ok', line: 3, differences: [], observed: [], took: 1500 },
        {
          name: '"><evil a=\'&\u0000\ud800',
          line: 9,
          differences: [{ message: 'a < b', path: [] }],
          observed: [],
          took: 0,
        },
      ],
    },
  ])
  expect(text).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites>
  <testsuite name="p" tests="2" failures="1" time="1.500">
    <testcase classname="p" name="ok" file="p.yaml" line="3" time="1.500"/>
    <testcase classname="p" name="&quot;&gt;&lt;evil a=&apos;&amp;\ufffd\ufffd" file="p.yaml" line="9" time="0.000">
      <failure message="a &lt; b">a &lt; b</failure>
    </testcase>
  </testsuite>
</testsuites>
`)
})

it('shows values from outside as no terminal obeys them', () => {
  expect(mismatches('a', 'b\u009b2J\u202e\u001b', 'x')).toEqual([
    'x: expected "a", got "b\\u009b2J\\u202e\\u001b"',
  ])
})
