import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codes, compiled, pipeline, planOf } from './compiled.ts'

const source = '  lines: { type: tail, path: a }\n'

describe('a plan', () => {
  it('has its nodes in the order events take, sources first, else as in the file', () => {
    const plan = planOf(
      pipeline(
        'sinks:\n  out: { type: print, inputs: [b, c] }\n' +
          'operators:\n  c: { type: pass, inputs: [a, late] }\n  b: { type: pass, inputs: [a] }\n  a: { type: pass, inputs: [lines] }\n' +
          `sources:\n${source}  late: { type: tail, path: b }\n`,
      ),
    )
    expect(plan.nodes.map(({ id }) => id)).toEqual(['lines', 'late', 'a', 'c', 'b', 'out'])
  })

  it('has every edge with its port, policy and capacity', () => {
    const plan = planOf(
      pipeline(
        `sources:\n${source}operators:\n  parts: { type: split, inputs: [lines], ports: [x, y] }\n` +
          'sinks:\n  out:\n    type: print\n    inputs:\n      - parts.x\n      - { from: parts.y, policy: drop_oldest, capacity: 7 }\n' +
          '      - { from: lines.errors, policy: drop_newest }\n',
      ),
    )
    expect(plan.nodes.at(-1)).toMatchObject({
      section: 'sinks',
      inputs: [
        { from: 'parts', port: 'x', policy: 'block', capacity: 1000 },
        { from: 'parts', port: 'y', policy: 'drop_oldest', capacity: 7 },
        { from: 'lines', port: 'errors', policy: 'drop_newest', capacity: 1000 },
      ],
    })
  })

  it('has bounds for keyed state, and settings with their defaults', () => {
    const plan = planOf(
      pipeline(
        `sources:\n${source}operators:\n  n: { type: count, inputs: [lines], window: 1m, ttl: 1h }\n` +
          'sinks:\n  out: { type: print, inputs: [n] }\nsettings: { credit: 600, checkpoint: { interval: 1s } }\n',
      ),
    )
    expect(plan.nodes[1]).toMatchObject({
      config: { window: 60_000 },
      keyed: { maxKeys: 65_536, ttl: 3_600_000 },
    })
    expect(plan.settings).toEqual({
      batchSize: 512,
      credit: 600,
      threads: 1,
      checkpointInterval: 1000,
      shutdownTimeout: 20_000,
      deadLetterLimit: 100_000,
      metricsListen: undefined,
      journal: { maxSize: 1_073_741_824, maxAge: undefined },
    })
  })

  it('knows the line of each test', () => {
    const plan = planOf(
      pipeline(
        `sources:\n${source}sinks:\n  out: { type: print, inputs: [lines] }\ntests:\n` +
          '  - name: one\n    send: { lines: [a, { data: { b: 1 } }] }\n    expect: { lines: [{ data: { line: a } }, {}] }\n' +
          '  - { name: two, send: {}, expect: { out: [], lines.errors: [] } }\n',
      ),
    )
    expect(plan.tests.map(({ name, line }) => [name, line])).toEqual([
      ['one', 8],
      ['two', 11],
    ])
    expect(plan.tests[0]?.steps[0]?.acts).toEqual([
      { does: 'send', source: 'lines', items: ['a', { data: { b: 1 } }] },
    ])
  })

  it('takes merge keys and aliases as if they were written out', () => {
    const text = pipeline(
      'sources:\n  one: &base { type: tail, path: a, poll: 1s }\n  two: { <<: *base, path: b }\n' +
        'sinks:\n  out: { type: print, inputs: &all [one, two] }\n  more: { type: rows, inputs: *all }\n',
    )
    const plan = planOf(text)
    expect(plan.nodes.map(({ config }) => config.path)).toEqual(['a', 'b', undefined, undefined])
    expect(plan.nodes[1]?.config.poll).toBe(1000)
    expect(plan.nodes[3]).toMatchObject({ inputs: [{ from: 'one' }, { from: 'two' }] })
  })

  it('puts every node after all it reads, whatever the wiring', () => {
    const wiring = fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), { maxLength: 12 })
    fc.assert(
      fc.property(wiring, fc.array(fc.nat(), { maxLength: 12 }), (inputs, shuffle) => {
        const nodes = inputs.map((from, index) => {
          const ids = [...new Set(from.map((n) => (index === 0 ? 'lines' : `n${n % index}`)))]
          return `  n${index}: { type: pass, inputs: [${ids.join(', ')}] }\n`
        })
        for (const [index, n] of shuffle.entries()) {
          if (index < nodes.length) nodes.push(...nodes.splice(n % nodes.length, 1))
        }
        const all = ['lines', ...inputs.map((_, index) => `n${index}`)].join(', ')
        const text = pipeline(
          `sources:\n${source}operators:\n${nodes.join('')}sinks:\n  out: { type: print, inputs: [${all}] }\n`,
        )
        const placed = new Set<string>()
        for (const node of planOf(text).nodes) {
          if (node.section !== 'sources') {
            expect(node.inputs.every(({ from }) => placed.has(from))).toBe(true)
          }
          placed.add(node.id)
        }
        expect(placed.size).toBe(inputs.length + 2)
      }),
      { numRuns: 50 },
    )
  })
})

describe('a misspelt node', () => {
  it('is said once: what it was meant to read does not look unused', () => {
    const text = pipeline(
      `sources:\n${source}operators:\n  parsed: { type: pass, inputs: [lines] }\nsinks:\n  out: { type: print, inputs: [prased] }\n`,
    )
    expect(codes(text)).toEqual(['UNKNOWN_INPUT 8:32'])
  })

  it('of an unknown type does not make others wrong', () => {
    const text = pipeline(
      `sources:\n${source}operators:\n  x: { type: nothing_like_it, inputs: [lines], a: 1 }\nsinks:\n  out: { type: print, inputs: [x.any] }\n`,
    )
    expect(codes(text)).toEqual(['UNKNOWN_TYPE 6:14'])
  })
})

describe('a circle', () => {
  const circle = (operators: string) =>
    compiled(
      pipeline(
        `sources:\n${source}operators:\n${operators}sinks:\n  out: { type: print, inputs: [a] }\n`,
      ),
    ).problems.map(({ code, line, message }) => `${code} ${line} ${message}`)

  it('is told by its nodes, where it reads ahead', () => {
    expect(
      circle(
        '  a: { type: pass, inputs: [lines, c] }\n  b: { type: pass, inputs: [a] }\n  c: { type: pass, inputs: [b] }\n',
      ),
    ).toEqual(['CYCLE 6 these nodes feed each other: a -> b -> c -> a'])
  })

  it('of several is told of each', () => {
    expect(
      circle(
        '  a: { type: pass, inputs: [lines, a] }\n  b: { type: pass, inputs: [c, a] }\n  c: { type: pass, inputs: [b] }\n',
      ),
    ).toEqual(['CYCLE 6 node "a" reads itself', 'CYCLE 7 these nodes feed each other: b -> c -> b'])
  })

  it('over an error port is one, also by way of a sink', () => {
    const text = pipeline(
      `sources:\n${source}operators:\n  a: { type: pass, inputs: [lines, out.errors] }\nsinks:\n  out: { type: print, inputs: [a] }\n`,
    )
    expect(codes(text)).toEqual(['CYCLE 6:36'])
  })

  it('of very many nodes is named in part', () => {
    const nodes = Array.from({ length: 300 }, (_, n) => {
      return `  ${n === 0 ? 'a' : `n${n}`}: { type: pass, inputs: [${n === 299 ? 'lines, a' : `n${n + 1}`}] }\n`
    })
    const [told] = circle(nodes.join(''))
    expect(told).toMatch(/^CYCLE .* -> .*"…"|…/)
    expect(told?.length).toBeLessThan(300)
  })
})

describe('the outputs of a node', () => {
  const ports = (list: string, inputs: string) =>
    codes(
      pipeline(
        `sources:\n${source}operators:\n  parts: { type: split, inputs: [lines], ports: ${list} }\nsinks:\n  out: { type: print, inputs: ${inputs} }\n`,
      ),
    )

  it.each([
    ['[x, y]', '[parts.x]', ['unused_output 6:3']],
    ['[x, y]', '[parts.x, parts.z]', ['unused_output 6:3', 'UNKNOWN_PORT 8:41']],
    ['[x, y]', '[parts]', ['unused_output 6:3', 'unused_output 6:3', 'UNKNOWN_PORT 8:32']],
    ['[x, errors]', '[parts.x]', ['ERROR_PORT 6:3']],
    ['[bad]', '[parts.bad]', ['BAD_PORT 6:3']],
    ['5', '[parts.x]', ['TYPE 6:49']],
    ['["${NOT_SET}"]', '[parts.x]', ['UNSET_VARIABLE 6:51']],
  ])('%s, read as %s', (list, inputs, expected) => {
    expect(ports(list, inputs)).toEqual(expected)
  })
})
