import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldChanges } from '../../../engine/diff/field_changes.ts'

describe('field changes', () => {
  it.each([
    [{ a: 1 }, { a: 1 }, []],
    [{ a: 1 }, {}, [{ path: 'a', before: 1 }]],
    [{}, { a: null }, [{ path: 'a', after: null }]],
    [
      { a: { b: [1, 2], c: 'x' } },
      { a: { b: [1, 3], c: 'x' } },
      [{ path: 'a.b', before: [1, 2], after: [1, 3] }],
    ],
    [{ a: { b: 1 } }, { a: 'b' }, [{ path: 'a', before: { b: 1 }, after: 'b' }]],
    [{ a: [{ x: 1, y: 2 }] }, { a: [{ y: 2, x: 1 }] }, []],
  ])('from %j to %j', (before, after, changes) => {
    expect(fieldChanges(before, after)).toEqual(changes)
  })

  it('quotes a name that would look like something else', () => {
    expect(fieldChanges({}, { 'a.b': 1, '\u001b[2J': 2, ok: { __proto__x: 3 } })).toMatchObject([
      { path: '["\\u{1b}[2J"]' },
      { path: '["a.b"]' },
      { path: 'ok' },
    ])
  })

  it('ends however many fields there are and however deep they are', () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`f${n}`, n]))
    expect(fieldChanges({}, many)).toHaveLength(200)
    const deep = (leaf: number, levels: number): object =>
      levels === 0 ? { leaf } : { a: deep(leaf, levels - 1) }
    expect(fieldChanges(deep(1, 100), deep(2, 100))).toHaveLength(1)
  })

  it('finds nothing between a value and itself', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (data) => {
        expect(fieldChanges(data, structuredClone(data))).toEqual([])
      }),
    )
  })
})
