import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parse, parseDocument, stringify } from 'yaml'
import { updateExpectations } from '../../engine/expect_update.ts'
import type { Event } from '../../engine/index.ts'
import { mismatches } from '../../engine/pipeline_test.ts'
import { flowText } from '../../engine/yaml_scalar_text.ts'

const path = ['tests', 0, 'expect', 'op']
const event = (data: Record<string, unknown>): Event => ({ id: 'x', topic: 't', time: 5, data })
const update = (text: string, ...events: Event[]) => updateExpectations(text, [{ path, events }])
const inFile = (expected: string) => `# head
tests:
  - name: t
    expect: # what
      op:${expected}
    # after
other: 1 # end
`

describe('an update of what is expected', () => {
  it('changes the values that differ, in their quotes, and nothing else', () => {
    const before = inFile(`
        # first
        - { topic: t,   data: { a: 'x', b: "y", c: 1 } } # one
        - data:
            # deep
            a: word   # why
            n: 1`)
    const after = inFile(`
        # first
        - { topic: t,   data: { a: 'it''s', b: "\\n", c: two } } # one
        - data:
            # deep
            a: 'a: b'   # why
            n: { m: [1, null] }`)
    const events = [
      event({ a: "it's", b: '\n', c: 'two', d: 4 }),
      event({ a: 'a: b', n: { m: [1, null] } }),
    ]
    expect(update(before, ...events)).toBe(after)
    expect(update(after, ...events)).toBe(after)
  })

  it('drops keys that did not come', () => {
    const gone = event({ b: 1 })
    expect(update(inFile(' [{ data: { a: 1, b: 1, c: 1 }, topic: t }]'), gone)).toBe(
      inFile(' [{ data: { b: 1 }, topic: t }]'),
    )
    expect(update(inFile(' [{ data: { b: 1, c: 1, d: 2 } }]'), gone)).toBe(
      inFile(' [{ data: { b: 1 } }]'),
    )
    expect(update(inFile(' [{ data: { x: 1, y: 2 } }]'), gone)).toBe(inFile(' [{ data: {} }]'))
  })

  it('adds events with the keys of the one before, and drops those that did not come', () => {
    const one = inFile('\n        - { data: { a: 1 } } # first')
    const three = [event({ a: 1 }), event({ a: 2, b: 3 }), event({ b: 3 })]
    const more = inFile(
      '\n        - { data: { a: 1 } } # first\n        - { data: { a: 2 } }\n        - { data: {} }',
    )
    expect(update(one, ...three)).toBe(more)
    expect(update(more, event({ a: 1 }))).toBe(one)
    expect(update(more)).toBe(inFile('\n        []'))
    expect(update(inFile(' []'), event({ a: 1 }))).toBe(inFile(' [{ topic: t, data: { a: 1 } }]'))
    expect(update(inFile(' [{ topic: u }]'), event({}), event({}))).toBe(
      inFile(' [{ topic: t }, { topic: t }]'),
    )
  })

  it('leaves what an alias stands for', () => {
    const text = inFile(' *elsewhere').replace('# head', 'base: &elsewhere [{ topic: u }]')
    expect(update(text, event({}))).toBe(text)
  })

  it('makes any expectation hold, however it was written', () => {
    const value = fc.jsonValue({ maxDepth: 3 })
    const data = fc.dictionary(fc.string({ minLength: 1, maxLength: 5 }), value, { maxKeys: 4 })
    const patterns = fc.array(fc.record({ topic: fc.string(), data }, { requiredKeys: [] }), {
      maxLength: 4,
    })
    const events = fc.array(data.map(event), { maxLength: 4 })
    const flow = fc.boolean()
    fc.assert(
      fc.property(patterns, events, flow, (expected, came, flow) => {
        const file = { tests: [{ name: 't', expect: { op: expected, next: [] } }], last: 'kept' }
        const text = stringify(file, { collectionStyle: flow ? 'flow' : 'block', lineWidth: 60 })
        const made = parse(update(text, ...came))
        const { op, next } = made.tests[0].expect
        expect(next).toEqual([])
        expect(made.last).toBe('kept')
        expect(op.length).toBe(came.length)
        op.forEach((pattern: unknown, index: number) => {
          expect(mismatches(pattern, came[index], 'op')).toEqual([])
        })
      }),
    )
  })
})

it('writes any JSON value on one line that reads back the same, in any place', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom('none', 'single', 'double'), (value, quotes) => {
      const text = flowText(value, quotes as 'none')
      expect(text).not.toMatch(/[\n\r]/)
      for (const around of [`[${text}]`, `- ${text}`, `a: ${text} # c`, `{ a: ${text}, b: 1 }`]) {
        const document = parseDocument(around)
        expect(document.errors).toEqual([])
      }
      expect(parse(`[${text}]`)).toEqual([JSON.parse(JSON.stringify(value))])
    }),
  )
})
